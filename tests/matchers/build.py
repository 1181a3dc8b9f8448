"""Small trail sets, engines and records, made of real parts."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from ingest.formats import reader_of
from ingest.stretch import Stretch, match
from matchers.compile import Compiler
from matchers.detectors import DETECTORS
from matchers.engine import Engine
from matchers.events import Events
from matchers.networks import HomeNetworks
from matchers.observer import Observer
from matchers.observers import OBSERVERS
from matchers.rules import Meeting
from matchers.trailset import TrailSet
from matchers.whitelist import Whitelist, local, read
from trailhound import canonical
from trailhound.event import Event
from trailhound.local_names import LOCAL_SUFFIXES
from trailhound.record import Record, Value
from trailhound.settings import HOME_NETWORKS
from trailhound.severity import Direction
from trailhound.trail import Trail, TrailClass, TrailKind

NOON = 1_767_600_000_000_000
MAX_LINE = 1 << 20


def trail(kind: TrailKind, text: str, class_: TrailClass = TrailClass.MALWARE, info: str = "test") -> Trail:
    found = canonical.indicator(kind, text)
    return Trail(found.kind, found.value, info, class_, ("a list",), "", 80)


def compiled(trails: Iterable[Trail]) -> TrailSet:
    """Give a set that lives as long as it is mapped; its file is gone already."""
    compiler = Compiler()
    compiler.add_all(trails)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trails.set")
        compiler.write(path)
        return TrailSet.open(path)


def whitelist(text: str) -> Whitelist:
    return Whitelist(read(text, "a test"))


def engine(trails: Iterable[Trail], allowed: str = "", custom: Iterable[Observer] = ()) -> Engine:
    """Make an engine with the local suffixes that every installation has unless it is told otherwise."""
    listed = Whitelist([*read(allowed, "a test"), *local(LOCAL_SUFFIXES)])
    return Engine(compiled(trails), listed, HomeNetworks(HOME_NETWORKS), custom)


def taking_in(*names: str) -> Engine:
    """Make an engine that knows no trail, but takes in what others detect."""
    return Engine(compiled([]), Whitelist(), HomeNetworks(HOME_NETWORKS), detectors=[DETECTORS[name] for name in names])


def record(log: str, fields: Mapping[str, Value], module: str = "zeek") -> Record:
    """Make a record of a host at home that speaks to one abroad, unless the fields say otherwise."""
    ends: dict[str, Value] = {"id.orig_h": "10.0.0.1", "id.orig_p": 40000, "id.resp_h": "192.0.2.1", "id.resp_p": 443}
    return Record(log, module, f"{module}.{log}", NOON, "line", {**(ends if log != "x509" else {}), **fields})


def meetings(machine: Engine, seen: Record, direction: Direction = Direction.OUTBOUND) -> list[Meeting]:
    return list(machine.rules.meet(OBSERVERS[seen.log].observe(seen), direction))


def met(machine: Engine, seen: Record, direction: Direction = Direction.OUTBOUND) -> list[str]:
    """List the values of the trails that a record meets."""
    return [meeting.trail.value for meeting in meetings(machine, seen, direction)]


def matched(machine: Engine, format_: str, data: bytes, name: str, cuts: Sequence[int] = ()) -> Stretch:
    """Read a whole file as one stretch, fed in as many batches as `cuts` (places in lines) make of it."""
    events = Events("sensor", "a file", lambda: NOON)
    wanted = machine.wanted()
    reader = reader_of(format_, wanted, name)
    if not cuts:
        return match(reader, machine, data, events, max_line=MAX_LINE)
    whole = Stretch()
    for chunk in cut(data, cuts):
        part = match(reader, machine, chunk, events, max_line=MAX_LINE)
        whole.records += part.records
        whole.events += part.events
        whole.bad_lines += part.bad_lines
    return whole


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut a file after the lines with these numbers."""
    lines = data.splitlines(keepends=True)
    edges = [0, *sorted({place for place in places if 0 < place < len(lines)}), len(lines)]
    return [b"".join(lines[start:end]) for start, end in pairwise(edges)]


def counts(events: Iterable[Event]) -> Counter[tuple[str | None, str]]:
    """Add up the true counts by source and trail."""
    found: Counter[tuple[str | None, str]] = Counter()
    for event in events:
        found[event.source_ip, event.trail.value] += event.count
    return found


def tsv(path: str, types: Mapping[str, str], rows: Iterable[Sequence[str]]) -> bytes:
    """Write a Zeek log."""
    head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", f"#path\t{path}"]
    head += ["\t".join(("#fields", *types)), "\t".join(("#types", *types.values()))]
    return ("\n".join([*head, *("\t".join(row) for row in rows)]) + "\n").encode("utf-8", "surrogateescape")
