"""The way that records go in Trailhound, as the measurements drive it."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from ingest.formats import CHUNK, reader_of
from ingest.stretch import match
from matchers.engine import Engine
from matchers.events import Events
from matchers.networks import HomeNetworks
from matchers.trailset import TrailSet
from matchers.whitelist import load
from trailhound.settings import HOME_NETWORKS

MAX_LINE = 1_048_576


def make_engine(trails: TrailSet) -> Engine:
    return Engine(trails, load(()), HomeNetworks(HOME_NETWORKS))


def run(engine: Engine, format_: str, log: str, data: Iterable[bytes]) -> tuple[int, int]:
    """Match chunks of one log; give the numbers of records and of events."""
    reader = reader_of(format_, engine.wanted(), log)
    events = Events("bench")
    records = found = 0
    for chunk in data:
        stretch = match(reader, engine, chunk, events, max_line=MAX_LINE)
        records += stretch.records
        found += len(stretch.events)
        if stretch.bad_lines:
            raise ValueError(f"{log}: made-up rows cannot be read: {stretch.bad_lines[0].reason}")
    return records, found


def chunks(data: bytes, size: int = CHUNK) -> list[bytes]:
    """Cut into whole lines as the reader of files does."""
    return list(_chunks(data, size))


def _chunks(data: bytes, size: int) -> Iterator[bytes]:
    stream = io.BytesIO(data)
    while chunk := stream.read(size):
        yield chunk + stream.readline()


def open_set(path: Path) -> TrailSet:
    return TrailSet.open(path)
