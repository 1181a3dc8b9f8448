"""Adding up one batch, before it goes into the rollups."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from operator import attrgetter
from typing import Any

import orjson

from stores.clean import clean_json
from stores.embedded.codes import protocol
from stores.embedded.names import Profile
from stores.embedded.schema import DAY, HOUR
from trailhound.event import Event

# How many destinations, ports, protocols, sensors and lists a threat names: the first ones that it met.
MOST_DETAILS = 20
HOURS_A_DAY = DAY // HOUR
Counts = list[int]  # records, events, first, last
Row = tuple[int, ...]


class Tally:
    """The events of one batch, added up by hour; days and totals follow from that."""

    def __init__(self) -> None:
        self._facets: dict[Row, Counts] = {}
        self._profiles: dict[Row, Counts] = {}
        self._destinations: dict[Row, Counts] = {}
        self._named: dict[int, Profile] = {}
        self._threats: dict[Row, Counts] = {}
        self._severities: dict[int, int] = {}
        self._details: dict[int, dict[str, dict[Any, None]]] = {}

    def add(self, event: Event, profile: Profile, destination: int | None) -> None:
        hour, start, records = event.start // HOUR, event.start, event.count
        facet, threat, severity = profile.facet, profile.threat, profile.severity
        self._named[profile.id] = profile
        _count(self._facets, (hour, facet), records, start)
        _count(self._profiles, (hour, profile.id), records, start)
        if destination is not None:
            _count(self._destinations, (hour, destination, facet), records, start)
        self._severities[threat] = max(self._severities.get(threat, severity), severity)
        _count(self._threats, (threat,), records, start)
        _collect(self._details.setdefault(threat, {}), event)

    def rollups(self) -> Iterator[tuple[str, str, Iterable[Row]]]:
        """Give family, level and rows of each rollup; a row is key, records, events, first, last."""
        for family, hours in (
            ("facet", self._facets),
            ("profile", self._profiles),
            ("destination", self._destinations),
        ):
            yield family, "hours", _sorted(hours)
            days = _merged(hours, lambda key: (key[0] // HOURS_A_DAY, *key[1:]))
            yield family, "days", _sorted(days)
            yield family, "all", _sorted(_merged(days, lambda key: key[1:]))
            if family == "profile":
                yield from self._by_value(days)

    def _by_value(self, days: Mapping[Row, Counts]) -> Iterator[tuple[str, str, Iterable[Row]]]:
        """Add up the days of profiles by what they have in common."""
        named = self._named
        for family in ("source", "trail", "info"):
            value = attrgetter(family)
            by_day = _merged(days, partial(_by, {id_: (value(p) or 0, p.facet) for id_, p in named.items()}))
            known = {key: counts for key, counts in by_day.items() if key[1]}
            yield family, "days", _sorted(known)
            yield family, "all", _sorted(_merged(known, lambda key: key[1:]))
        threats = _merged(days, partial(_by, {id_: (p.threat, p.severity) for id_, p in named.items()}))
        yield "threat", "days", _sorted(threats)

    def threats(self) -> Iterator[Row]:
        """Give for each threat: id, severity, records, events, first, last."""
        return ((threat, self._severities[threat], *counts) for (threat,), counts in sorted(self._threats.items()))

    def details(self) -> Iterator[tuple[int, dict[str, Any]]]:
        return iter(self._details.items())


def _count(into: dict[Row, Counts], key: Row, records: int, start: int) -> None:
    known = into.get(key)
    if known is None:
        into[key] = [records, 1, start, start]
        return
    known[0] += records
    known[1] += 1
    known[2] = min(known[2], start)
    known[3] = max(known[3], start)


def _by(values: Mapping[int, Row], key: Row) -> Row:
    """Put what a profile stands for in its place."""
    period, profile = key
    return period, *values[profile]


def _merged(hours: Mapping[Row, Counts], rekey: Callable[[Row], Row]) -> dict[Row, Counts]:
    merged: dict[Row, Counts] = {}
    for key, counts in hours.items():
        coarser = rekey(key)
        known = merged.get(coarser)
        if known is None:
            merged[coarser] = counts.copy()
            continue
        known[0] += counts[0]
        known[1] += counts[1]
        known[2] = min(known[2], counts[2])
        known[3] = max(known[3], counts[3])
    return merged


def _sorted(counted: Mapping[Row, Counts]) -> Iterable[Row]:
    """Give rows in the order of the table, in which neighbours share pages."""
    return ((*key, *counts) for key, counts in sorted(counted.items()))


def _collect(into: dict[str, dict[Any, None]], event: Event) -> None:
    for name, value in (
        ("destinations", event.destination_ip),
        ("ports", event.destination_port),
        ("protocols", protocol(event)),
        ("sensors", event.sensor),
    ):
        if value:
            into.setdefault(name, {})[value] = None
    lists = into.setdefault("sources", {})
    for source in event.trail.sources:
        lists[source] = None
    if event.trail.reference:
        into["reference"] = {event.trail.reference: None}


def merge_details(stored: bytes | None, new: Mapping[str, Mapping[Any, None]]) -> bytes | None:
    """Add what a threat met to what it met before; None when there is nothing to write."""
    details: dict[str, list[Any]] = orjson.loads(stored) if stored else {}
    changed = stored is None
    for name, values in new.items():
        known = details.setdefault(name, [])
        if name == "reference":
            changed |= known != list(values)
            details[name] = list(values)
            continue
        for value in values:
            if len(known) < MOST_DETAILS and value not in known:
                known.append(value)
                changed = True
    if not changed:
        return None
    try:
        return orjson.dumps(details)
    except TypeError:
        return orjson.dumps(clean_json(details))
