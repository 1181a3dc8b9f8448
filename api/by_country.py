"""Counting events by the country of their outside end: where they came from, or where ours went to.

A store knows addresses and no countries, and the database of countries may change at any time. So the addresses of
each end are counted, the most met first and a bounded number of them, and then told apart.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from api.countries import Countries
from stores.contract import Dimension, Query, Store, Top
from trailhound.record import MICROSECONDS
from trailhound.severity import Direction, Severity

MOST = 20_000  # Addresses of each end that are told apart.
_KEPT = 64
_MINUTE = 60 * MICROSECONDS
# An answer that took long is good for so many times as long, whatever arrives: counting takes a bounded share of time.
_FOR = 20
_OUTSIDE: Mapping[Dimension, tuple[Direction, ...]] = {
    Dimension.SOURCE: (Direction.INBOUND, Direction.EXTERNAL),
    Dimension.DESTINATION: (Direction.OUTBOUND,),
}


@dataclass(slots=True)
class CountryCount:
    """The events whose outside end is in one country; None: of which no country is known."""

    country: str | None
    records: int = 0
    events: int = 0
    threats: int = 0
    sources: int = 0
    severity: Severity = Severity.LOW
    first: int = 0
    last: int = 0
    ends: dict[Dimension, list[str]] = field(default_factory=dict)

    @property
    def addresses(self) -> int:
        return len({address for end in self.ends.values() for address in end})


@dataclass(frozen=True, slots=True)
class ByCountry:
    """Countries, the most records first: how many there are, and how many addresses were not looked at."""

    query: Query
    countries: Sequence[CountryCount]
    total: int
    left_out: int


def by_country(store: Store, query: Query, countries: Countries, limit: int) -> ByCountry:
    """Count what a query finds; events between inner hosts have no outside end."""
    found: dict[str | None, CountryCount] = {}
    sides = list(_sides(query))
    left_out = 0
    for end, narrowed in sides:
        met = store.top(narrowed, end, limit=MOST)
        if len(met) == MOST:
            left_out += store.distinct(narrowed, end).count - MOST
        for one in met:
            _add(found, countries.of(one.value), end, one)
    ranked = sorted(found.values(), key=lambda one: (-one.records, one.country or ""))
    for end, narrowed in sides:
        for counted in ranked[:limit]:
            if end in counted.ends:
                _count(store, narrowed, end, counted)
    return ByCountry(query, ranked[:limit], len(ranked), max(left_out, 0))


def _sides(query: Query) -> Iterator[tuple[Dimension, Query]]:
    for end, directions in _OUTSIDE.items():
        wanted = tuple(one for one in directions if not query.directions or one in query.directions)
        if wanted:
            yield end, replace(query, directions=wanted)


def _add(found: dict[str | None, CountryCount], country: str | None, end: Dimension, one: Top) -> None:
    counted = found.setdefault(country, CountryCount(country))
    counted.records += one.count
    counted.severity = max(counted.severity, one.severity)
    counted.ends.setdefault(end, []).append(one.value)


def _count(store: Store, query: Query, end: Dimension, one: CountryCount) -> None:
    """Count what only the store can. No threat and no source is on both sides: they have one source, out or in."""
    addresses = tuple(one.ends[end])
    is_source = end is Dimension.SOURCE
    narrowed = replace(query, sources=addresses) if is_source else replace(query, destinations=addresses)
    found = store.summary(narrowed)
    one.events += found.events
    one.threats += found.threats
    one.sources += found.sources
    if found.first is not None and found.last is not None:
        one.first = min(one.first, found.first) if one.first else found.first
        one.last = max(one.last, found.last)


_Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    found: ByCountry
    generation: str | None
    until: float


class CountryCounts:
    """Counts of late: the same question within a minute has the same answer while nothing has arrived."""

    def __init__(self, countries: Countries, clock: Callable[[], float] = time.monotonic) -> None:
        self._countries = countries
        self._clock = clock
        self._turn = Lock()
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()

    def count(self, store: Store, query: Query, limit: int, sight: object) -> ByCountry:
        """Count as `by_country` does. `sight` is what two that see the store alike have in common."""
        key = (sight, _minutes(query), limit, self._countries.version)
        # One at a time: who asks the same meanwhile waits for the answer, and does not make a second one.
        with self._turn:
            generation = store.latest()
            kept = self._kept.get(key)
            if kept is not None and (kept.generation == generation or self._clock() < kept.until):
                self._kept.move_to_end(key)
                return kept.found
            began = self._clock()
            found = by_country(store, query, self._countries, limit)
            self._kept[key] = _Kept(found, generation, self._clock() + _FOR * (self._clock() - began))
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return found


def _minutes(query: Query) -> Query:
    """Leave out seconds, which differ with each question for the last day."""
    since, until = (None if end is None else end // _MINUTE for end in (query.since, query.until))
    return replace(query, since=since, until=until)
