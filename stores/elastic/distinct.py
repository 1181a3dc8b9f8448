"""How many different values there are: counted one by one where they are few, estimated where they are many.

Counting few costs no more than estimating them, but to begin to count many is work for nothing. So what a question
found last is remembered, and the next of its kind begins with what will do. An estimate stands for half a minute when
the same is asked again: it is never exact, and most of what a summary costs.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

from stores.contract import Distinct, Query
from stores.elastic.asking import Asker, Body
from trailhound.record import MICROSECONDS

# Up to so many are counted.
EXACT = 10_000
# An estimate of so many is nearly exact, and of many more about 1 % off; what it takes memory for.
_PRECISION = 3_000
# Spares the server from numbering the values of all segments anew after each refresh.
_HOW = {"execution_hint": "segment_ordinals"}
_REMEMBERED = 2_000
# How long an estimate stands.
SECONDS = 30.0
_HOUR = 3_600 * MICROSECONDS
# Of a list that is only counted: its length, and whether it is whole.
PATHS = ("aggregations.*.value", "aggregations.*.count", "aggregations.*.sum_other_doc_count")
_Kind = tuple[str, Query, int | None]


class Distincts:
    """Counts of distinct values, and what is remembered of them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turn = Lock()
        self._last: OrderedDict[_Kind, int] = OrderedDict()
        self._estimates: OrderedDict[tuple[str, Query], tuple[float, int]] = OrderedDict()

    def count(self, asker: Asker, query: Query, clause: Body, fields: Mapping[str, str]) -> dict[str, Distinct]:
        """Count the values of fields, by the name of each."""
        found = asker.aggregate(clause, self.asked(query, fields), filter_path=PATHS)
        return self.settled(asker, query, clause, fields, found)

    def asked(self, query: Query, fields: Mapping[str, str]) -> Body:
        """Give the aggregations to begin with."""
        asked: Body = {}
        for name, field in fields.items():
            if self._estimated(query, field) is None:
                asked |= _estimate(name, field) if self._are_many(query, field) else _list(name, field)
        return asked

    def settled(
        self, asker: Asker, query: Query, clause: Body, fields: Mapping[str, str], found: Mapping[str, Any]
    ) -> dict[str, Distinct]:
        """Read the answers, and ask for the other way of those that it takes it for."""
        counts = {name: _read(name, found) or self._estimated(query, field) for name, field in fields.items()}
        estimates = {name: fields[name] for name, count in counts.items() if count is None}
        lists = {
            name: fields[name]
            for name, count in counts.items()
            if count is not None and count.is_approximate and count.count <= EXACT
        }
        more: Body = {}
        for name, field in estimates.items():
            more |= _estimate(name, field)
        for name, field in lists.items():
            more |= _list(name, field)
        if more:
            second = asker.aggregate(clause, more, filter_path=PATHS)
            # An estimate may have been a little low: then it stays.
            counts |= {name: _read(name, second) or counts[name] for name in (*estimates, *lists)}
        known = {name: count or Distinct(0) for name, count in counts.items()}
        self._remember(query, {fields[name]: count for name, count in known.items()})
        return known

    def _estimated(self, query: Query, field: str) -> Distinct | None:
        """Give an estimate of late."""
        with self._turn:
            until, count = self._estimates.get((field, query), (0.0, 0))
        return Distinct(count, is_approximate=True) if count > EXACT and self._clock() < until else None

    def _are_many(self, query: Query, field: str) -> bool:
        with self._turn:
            return self._last.get(_kind(query, field), 0) > EXACT

    def _remember(self, query: Query, counts: Mapping[str, Distinct]) -> None:
        with self._turn:
            for field, count in counts.items():
                kind = _kind(query, field)
                self._last[kind] = count.count
                self._last.move_to_end(kind)
                standing, _ = self._estimates.get((field, query), (0.0, 0))
                if count.is_approximate and standing <= self._clock():
                    self._estimates[field, query] = self._clock() + SECONDS, count.count
                    self._estimates.move_to_end((field, query))
            for known in (self._last, self._estimates):
                while len(known) > _REMEMBERED:
                    known.popitem(last=False)


def _kind(query: Query, field: str) -> _Kind:
    """Name what is alike: the same conditions over a period of the same length, in hours."""
    length = None if query.since is None or query.until is None else (query.until - query.since) // _HOUR
    return field, replace(query, since=None if query.since is None else 0, until=None), length


def _estimate(name: str, field: str) -> Body:
    return {f"about_{name}": {"cardinality": {"field": field, "precision_threshold": _PRECISION, **_HOW}}}


def _list(name: str, field: str) -> Body:
    size = EXACT + EXACT // 10
    return {
        f"each_{name}": {"terms": {"field": field, "size": size, "shard_size": size}},
        f"number_{name}": {"stats_bucket": {"buckets_path": f"each_{name}>_count"}},
    }


def _read(name: str, found: Mapping[str, Any]) -> Distinct | None:
    """Read an answer; None when a list was too long, or nothing was asked or found."""
    if f"about_{name}" in found:
        count = found[f"about_{name}"]["value"]
        return Distinct(count, is_approximate=count > 0)
    if f"each_{name}" not in found or found[f"each_{name}"]["sum_other_doc_count"]:
        return None
    return Distinct(found[f"number_{name}"]["count"])
