"""Measure reading from Elasticsearch: with its cache of requests, without, and while events are written.

make elasticsearch                              in another terminal
python -m bench.elastic_read                    1 M events on http://127.0.0.1:9200, written first where they are not
python -m bench.elastic_read --url http://... --events 5000000 --namespace bench --rounds 40
"""

import argparse
import secrets
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice

from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer

from bench.stores import BATCH, DAY, DAYS, HOUR, START, events
from stores.contract import Dimension, EventOrder, Query, Store, ThreatOrder
from stores.elastic import setup
from stores.elastic.names import Names
from stores.elastic.store import open_elastic
from trailhound.severity import Severity

NOW = START + DAYS * DAY - 1_234_567  # No whole hour, nor millisecond.
# While it is read: so many events at a time, so many times a second.
TRICKLE, OFTEN = 100, 5
Ask = Callable[[Store, int], object]

# Periods move on by a microsecond with each round, as they do for a console: no answer can be that of the round before.
QUESTIONS: dict[str, Ask] = {
    "summary": lambda store, _: store.summary(Query()),
    "summary, 7 days": lambda store, turn: store.summary(Query(since=NOW - 7 * DAY + turn)),
    "summary, 24 hours": lambda store, turn: store.summary(Query(since=NOW - DAY + turn)),
    "summary, critical": lambda store, _: store.summary(Query(severities=(Severity.CRITICAL,))),
    "summary, one network": lambda store, _: store.summary(Query(sources=("10.1.0.0/24",))),
    "timeline, 30 days": lambda store, _: store.timeline(Query(), by=Dimension.GROUP, step=6 * HOUR),
    "timeline, 24 hours": lambda store, turn: store.timeline(
        Query(since=NOW - DAY + turn, until=NOW), by=Dimension.SEVERITY, step=HOUR // 4
    ),
    "top sources": lambda store, _: store.top(Query(), Dimension.SOURCE),
    "top trails, 24 hours": lambda store, turn: store.top(Query(since=NOW - DAY + turn), Dimension.TRAIL),
    "threats by risk": lambda store, _: store.threats(Query(), order=ThreatOrder.RISK),
    "threats by risk, 24 hours": lambda store, turn: store.threats(Query(since=NOW - DAY + turn)),
    "newest events": lambda store, _: store.events(Query()),
    "newest events of a text": lambda store, _: store.events(Query(text="bad77.example")),
    "events by arrival": lambda store, _: store.events(Query(), order=EventOrder.INGESTED, limit=1_000),
    "attackers, 24 hours": lambda store, turn: store.attackers(Query(since=NOW - DAY + turn)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure reading from Elasticsearch.")
    parser.add_argument("--url", default="http://127.0.0.1:9200")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--namespace", default="bench")
    parser.add_argument("--rounds", type=int, default=20)
    chosen = parser.parse_args()
    names = Names(chosen.namespace)
    with _client(chosen.url) as client, closing(open_elastic(_client(chosen.url), names, read_only=True)) as store:
        setup.apply(client, names)
        if (there := store.count(Query())) < chosen.events:
            _fill(client, names, chosen.url, chosen.events, there)
        found = store.summary(Query())
        print(f"{found.events:,} events, {found.threats:,} threats, {found.sources:,} sources, {found.trails:,} trails")
        print(f"estimated: {', '.join(sorted(found.approximate)) or 'nothing'}")
        for what, ask in QUESTIONS.items():
            _show(f"{what}; no cache", _times(store, ask, chosen.rounds, partial(_forget, client, names)))
        _show("summary; from the cache", _times(store, QUESTIONS["summary"], chosen.rounds))
        with _written(chosen.url, names):
            print(f"While {TRICKLE * OFTEN} events a second are written:")
            for what in ("summary", "summary, 24 hours", "timeline, 30 days", "newest events"):
                # After each refresh: what was cached for the newest index is of no use then.
                _show(what, _times(store, QUESTIONS[what], chosen.rounds, partial(time.sleep, 1.1)))


def _client(url: str) -> Elasticsearch:
    return Elasticsearch(url, serializer=OrjsonSerializer(), request_timeout=120)


def _fill(client: Elasticsearch, names: Names, url: str, number: int, there: int) -> None:
    began = time.perf_counter()
    with closing(open_elastic(_client(url), names)) as store:
        whole = islice(events(number), there, None)
        while batch := list(islice(whole, 2 * BATCH)):
            store.append(batch)
    client.indices.refresh(index=names.events)
    print(f"{number - there:,} events written in {time.perf_counter() - began:.0f} s")


def _forget(client: Elasticsearch, names: Names) -> None:
    client.indices.clear_cache(index=names.events, request=True, query=False, fielddata=False)


def _times(store: Store, ask: Ask, rounds: int, before: Callable[[], object] = lambda: None) -> list[float]:
    times = []
    for turn in range(rounds):
        before()
        began = time.perf_counter()
        ask(store, turn)
        times.append((time.perf_counter() - began) * 1000)
    return times


def _show(what: str, times: list[float]) -> None:
    ranked = sorted(times)
    p95 = ranked[min(len(ranked) - 1, int(len(ranked) * 0.95))]
    print(f"{what:44} median {statistics.median(ranked):6.0f} ms, p95 {p95:6.0f} ms, first {times[0]:6.0f} ms")


@contextmanager
def _written(url: str, names: Names) -> Iterator[None]:
    """Write a trickle of new events meanwhile."""
    stop, marker = threading.Event(), secrets.token_hex(4)

    def write() -> None:
        later = DAYS * DAY
        fresh = (
            replace(event, id=marker + event.id[8:], start=event.start + later, end=event.end + later)
            for event in events(1_000_000)
        )
        with closing(open_elastic(_client(url), names)) as store:
            while not stop.wait(1 / OFTEN):
                store.append(list(islice(fresh, TRICKLE)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


if __name__ == "__main__":
    main()
