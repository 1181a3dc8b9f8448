"""Which threats come first: exact, however many there are and over however many backing indices they are spread.

Few threats are listed whole. The strongest of many are sorted by the server where one index holds all events of them;
an index of several cannot know what the others add, so there all threats are gone through, a part of their ids at a
time. What was found is remembered for a while, for the pages that follow.
"""

import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from threading import Lock

from stores.contract import Distinct, Query, ThreatOrder
from stores.cursors import Key
from stores.elastic.asking import Asker, Body
from stores.elastic.buckets import RECORDS, whole
from stores.elastic.conditions import START, THREAT, compiled
from stores.elastic.distinct import EXACT, Distincts

METRICS: Mapping[str, Body] = {
    "severity": {"max": {"field": "event.severity"}},
    "records": RECORDS,
    "first": {"min": {"field": START}},
    "last": {"max": {"field": START}},
}
# Risk grows with severity, then with the count: sorting by those two is sorting by it, and leaves no ties at its bound.
SORT: Mapping[ThreatOrder, tuple[str, ...]] = {
    ThreatOrder.RISK: ("severity", "records"),
    ThreatOrder.LAST: ("last",),
    ThreatOrder.FIRST: ("first",),
    ThreatOrder.COUNT: ("records",),
    ThreatOrder.SEVERITY: ("severity", "last"),
}
_SIZES = (1_000, 10_000, 50_000)
_REMEMBERED = 8
_SECONDS = 120.0
# Ids are hashes in hexadecimal, spread evenly.
_DIGITS = 16
_PART = 6_000


@dataclass(frozen=True, slots=True)
class Ranking:
    """Threats in their order, from `begin` on (None: from the first), as what they are sorted by and their id."""

    begin: Key | None
    keys: Sequence[Key]
    is_whole: bool
    total: int
    is_total_approximate: bool = False

    def after(self, key: Key | None, limit: int) -> Sequence[Key] | None:
        """Give at least `limit` keys that come after one, or all there are; None when that is not known from this."""
        if self.begin is not None and (key is None or key > self.begin):
            return None
        place = 0 if key is None else bisect_left(self.keys, _Backwards(key), key=_Backwards)
        if key is not None and place < len(self.keys) and self.keys[place] == key:
            place += 1
        found = self.keys[place:]
        return found if self.is_whole or len(found) >= limit else None


@dataclass(frozen=True, slots=True)
class _Backwards:
    """A key that sorts the other way round."""

    key: Key

    def __lt__(self, other: "_Backwards") -> bool:
        return self.key > other.key


class Rankings:
    """Rankings of late, for the pages that follow a first one."""

    def __init__(self, counts: Distincts, clock: Callable[[], float] = time.monotonic) -> None:
        self._counts = counts
        self._clock = clock
        self._turn = Lock()
        self._known: OrderedDict[tuple[Query, ThreatOrder], tuple[float, Ranking]] = OrderedDict()

    def rank(
        self, asker: Asker, query: Query, order: ThreatOrder, after: Key | None, limit: int
    ) -> tuple[Ranking, Sequence[Key]]:
        """Give at least `limit` keys after one, or all there are. A first page is always found anew."""
        if after is not None:
            known = self._recall(query, order)
            keys = known.after(after, limit) if known is not None else None
            if known is not None and keys is not None:
                return known, keys
        clause = compiled(query)
        number = self._counts.count(asker, query, clause, {"threats": THREAT})["threats"]
        ranking = _rank(asker, clause, number, order, after, limit)
        self._remember(query, order, ranking)
        return ranking, ranking.after(after, limit) or ()

    def _recall(self, query: Query, order: ThreatOrder) -> Ranking | None:
        with self._turn:
            until, ranking = self._known.get((query, order), (0.0, None))
        return ranking if self._clock() < until else None

    def _remember(self, query: Query, order: ThreatOrder, ranking: Ranking) -> None:
        with self._turn:
            self._known[query, order] = self._clock() + _SECONDS, ranking
            self._known.move_to_end((query, order))
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


def _rank(asker: Asker, clause: Body, number: Distinct, order: ThreatOrder, after: Key | None, limit: int) -> Ranking:
    if number.count == 0:
        return Ranking(None, (), is_whole=True, total=0)
    if not number.is_approximate:
        keys = sorted(_part(asker, clause, order, number.count), reverse=True)
        return Ranking(None, keys, is_whole=True, total=number.count)
    if len(asker.backing()) == 1:
        for size in _SIZES:
            keys = list(_part(asker, clause, order, size, is_sorted=True))
            ranking = Ranking(None, keys, len(keys) < size, number.count, is_total_approximate=True)
            if ranking.after(after, limit) is not None:
                return ranking
    return _gone_through(asker, clause, order, after, number.count, max(limit, _SIZES[1]))


def _gone_through(
    asker: Asker, clause: Body, order: ThreatOrder, after: Key | None, about: int, wanted: int
) -> Ranking:
    """Look at all threats, in parts of their ids, and keep those that come first after a key."""
    total, best, beyond = 0, list[Key](), 0
    for part in _parts(about):
        keys = list(_part(asker, {"bool": {"filter": [clause, {"range": {THREAT: part}}]}}, order, EXACT))
        total += len(keys)
        following = [key for key in keys if after is None or key < after]
        beyond += len(following)
        best = nlargest(wanted, [*best, *following])
    return Ranking(after, best, beyond == len(best), total)


def _parts(about: int) -> Iterator[Body]:
    """Cut the ids into stretches, of so many threats that one answer holds them."""
    number = -(-about // _PART)
    ends = [f"{place * 16**_DIGITS // number:0{_DIGITS}x}" for place in range(number)]
    for begin, end in zip(ends, [*ends[1:], None], strict=True):
        yield {"gte": begin} if end is None else {"gte": begin, "lt": end}


def _part(asker: Asker, clause: Body, order: ThreatOrder, size: int, *, is_sorted: bool = False) -> Iterator[Key]:
    """Give the keys of threats: all, unless they are more than `size` and come sorted."""
    names = SORT[order]
    terms: Body = {"field": THREAT, "size": size, "shard_size": size}
    if is_sorted:
        terms["order"] = [*({name: "desc"} for name in names), {"_key": "desc"}]
    metrics = {name: METRICS[name] for name in names}
    found = asker.aggregate(clause, {"threats": {"terms": terms, "aggregations": metrics}})
    for bucket in found["threats"]["buckets"] if found else ():
        yield (*(whole(bucket[name]) for name in names), bucket["key"])
