"""Measure writing to Elasticsearch: against the bare client, in CPU, and from a written line to what a search finds.

make elasticsearch                              in another terminal
python -m bench.elastic                         all of it, on http://127.0.0.1:9200
python -m bench.elastic --url http://... --events 100000 --rounds 5
"""

import argparse
import gc
import secrets
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from elasticsearch import ApiError, Elasticsearch
from elasticsearch.serializer import OrjsonSerializer

from bench.live import Feeder, Looker, facts_of, made, show, until_read
from bench.running import cpu_seconds, memory, running, trail_set
from bench.stores import events
from stores.elastic import setup
from stores.elastic.document import encode, to_document
from stores.elastic.names import Names
from stores.elastic.writer import Writer
from trailhound.event import Event

BATCH = 2_500  # Events of one call, as many as one request takes.


@dataclass(frozen=True, slots=True)
class Cost:
    """What writing some events took."""

    events: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds

    @property
    def microseconds(self) -> float:
        return self.cpu / self.events * 1e6


def _batches(whole: Sequence[Event]) -> Iterator[Sequence[Event]]:
    rest = iter(whole)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _ours(client: Elasticsearch, names: Names, whole: Sequence[Event]) -> Callable[[], None]:
    writer = Writer(client, names, refused=lambda event, reason: print("refused", event.id, reason))

    def write() -> None:
        for batch in _batches(whole):
            writer.append(batch)

    return write


def _bare(client: Elasticsearch, names: Names, whole: Sequence[Event], *, as_json: bool) -> Callable[[], None]:
    """Write ready-made documents, as objects for the client to write as JSON or as JSON."""
    ready: list[list[Any]] = []
    for batch in _batches(whole):
        ready.append([])
        for event in batch:
            document: Any = encode(to_document(event)) if as_json else to_document(event)
            ready[-1] += [{"create": {"_id": event.id}}, document]

    def write() -> None:
        for operations in ready:
            answer = client.bulk(index=names.events, operations=operations)
            if answer["errors"]:
                raise ValueError("the bare client could not write")

    return write


def _timed(write: Callable[[], None], events_: int) -> Cost:
    cpu, began = time.process_time(), time.monotonic()
    write()
    return Cost(events_, time.monotonic() - began, time.process_time() - cpu)


def _place(client: Elasticsearch) -> Names:
    names = Names(f"bench{secrets.token_hex(5)}")
    setup.apply(client, names)
    return names


def _clear(client: Elasticsearch, names: Names) -> None:
    """Delete what was written, as far as the server can: its data stream may stay, empty."""
    old = client.indices.resolve_index(name=names.events)["data_streams"][0]["backing_indices"]
    with suppress(ApiError):
        client.indices.rollover(alias=names.events)
        client.indices.delete(index=old)


def writing(client: Elasticsearch, number: int, rounds: int) -> Iterator[tuple[str, str]]:
    """Write the same events by turns in each way; medians of all rounds."""
    whole = list(events(number))
    ways = {
        "ours": _ours,
        "bare, objects": lambda *given: _bare(*given, as_json=False),
        "bare, JSON": lambda *given: _bare(*given, as_json=True),
    }
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    for turn in range(rounds + 1):
        for way, prepare in ways.items():
            names = _place(client)
            write = prepare(client, names, whole)
            gc.freeze()  # A process at work would not hold these objects, nor have its collector look at them.
            cost = _timed(write, number)
            gc.unfreeze()
            if turn:  # The first round warms up the server.
                costs[way].append(cost)
            _clear(client, names)
    rates = {way: statistics.median(cost.rate for cost in found) for way, found in costs.items()}
    for way, found in costs.items():
        cpu = statistics.median(cost.microseconds for cost in found)
        share = "" if way == "ours" else f", ours {100 * rates['ours'] / rates[way]:.0f} % of it"
        yield f"writing, {way}", f"{rates[way]:,.0f} events/s, {cpu:.1f} us of CPU an event{share}"


def freshness(client: Elasticsearch, url: str, rate: float, seconds: float) -> Iterator[tuple[str, str]]:
    """Measure a real run: from a written line to what a search finds that waits for no refresh."""
    names = _place(client)
    more = f'[store]\nkind = "elasticsearch"\n[store.elasticsearch]\nhosts = ["{url}"]\n'
    more += f'namespace = "{names.namespace}"\n'

    def fetch(cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        after: dict[str, Any] = {"search_after": [int(cursor)]} if cursor else {}
        time.sleep(0.02)
        with suppress(ApiError):
            answer = client.search(index=names.events, size=1000, sort=[{"_seq_no": "asc"}], **after)
            hits = answer["hits"]["hits"]
            return [hit["_source"] for hit in hits], str(hits[-1]["sort"][0]) if hits else cursor
        return [], cursor

    with TemporaryDirectory() as place:
        folder = Path(place)
        set_path, cost = trail_set(folder, None)
        feed = made("zeek", cost, round(rate * seconds))
        with running(folder, set_path, more=more) as run:
            for log in feed:
                (run.logs / log.file).write_bytes(log.head)
            time.sleep(3)  # Until it has seen the files and is at rest.
            looker, feeder, pids = Looker(fetch), Feeder(run.logs, feed, rate), run.pids()
            before = [cpu_seconds(pid) for pid in pids]
            looker.start()
            feeder.start()
            feeder.join()
            until_read(run)
            spent = [(cpu_seconds(pid) - earlier) / feeder.took for pid, earlier in zip(pids, before, strict=True)]
            held = [memory(pid) for pid in pids]
            time.sleep(3)
            looker.finished.set()
            looker.join()
            yield from facts_of("index", feeder, looker, spent, held)
    _clear(client, names)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.elastic", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:9200", help="the server; data streams of our own are made")
    parser.add_argument("--events", type=int, default=50_000, help="events of one round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each way; the median counts")
    parser.add_argument("--rate", type=float, default=5_000, help="rows a second, of which one in a hundred matches")
    parser.add_argument("--seconds", type=float, default=20, help="how long rows are written")
    chosen = parser.parse_args()
    with Elasticsearch(chosen.url, serializer=OrjsonSerializer(), request_timeout=120, max_retries=0) as client:
        show(writing(client, chosen.events, chosen.rounds))
        show(freshness(client, chosen.url, chosen.rate, chosen.seconds))


if __name__ == "__main__":
    main()
