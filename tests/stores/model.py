"""What a store has to answer, worked out the slow and plain way over a list of events."""

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from stores.contract import Dimension, EventOrder, Query, ThreatOrder
from stores.embedded.schema import DAY
from stores.threat import threat_id
from trailhound.event import Event
from trailhound.severity import Direction


def dimension(event: Event, of: Dimension) -> str | None:
    """Give the value that an event is counted under, None when it has none."""
    values: dict[Dimension, str | None] = {
        Dimension.SEVERITY: event.severity.label,
        Dimension.GROUP: event.trail.kind.group.value,
        Dimension.KIND: event.trail.kind.value,
        Dimension.CLASS: event.trail.class_.value,
        Dimension.DIRECTION: event.direction.value,
        Dimension.PROTOCOL: event.protocol or event.transport,
        Dimension.SENSOR: event.sensor,
        Dimension.DATASET: event.dataset,
        Dimension.SOURCE: event.source_ip,
        Dimension.DESTINATION: event.destination_ip,
        Dimension.TRAIL: event.trail.value,
        Dimension.INFO: event.trail.info,
    }
    return values[of] or None


def meets(event: Event, query: Query) -> bool:
    return (
        (query.since is None or event.start >= query.since)
        and (query.until is None or event.start < query.until)
        and _one_of(event.severity, query.severities)
        and _one_of(event.trail.kind.group, query.groups)
        and _one_of(event.trail.kind, query.kinds)
        and _one_of(event.trail.class_, query.classes)
        and _one_of(event.direction, query.directions)
        and _one_of(event.trail.value, query.trails)
        and _one_of(event.trail.info, query.infos)
        and _one_of(event.sensor, query.sensors)
        and _one_of(event.dataset, query.datasets)
        and _one_of(event.protocol or event.transport, query.protocols)
        and _in_networks(event.source_ip, query.sources)
        and _in_networks(event.destination_ip, query.destinations)
        and (query.text is None or _says(event, query.text))
        and (query.custom or not event.trail.custom)
        and _one_of(_threat(event), query.threats)
        and _threat(event) not in query.not_threats
        and (
            not query.within
            or _in_networks(event.source_ip, query.within)
            or _in_networks(event.destination_ip, query.within)
        )
    )


def _one_of(value: object, wanted: Sequence[object]) -> bool:
    return not wanted or value in wanted


def _in_networks(address: str | None, networks: Sequence[str]) -> bool:
    if not networks:
        return True
    if address is None:
        return False
    parsed = ipaddress.ip_address(address)
    return any(parsed in ipaddress.ip_network(network, strict=False) for network in networks)


def _says(event: Event, text: str) -> bool:
    trail = event.trail
    places = (
        trail.value,
        trail.info,
        event.observed,
        event.message,
        event.source_ip or "",
        event.destination_ip or "",
        event.sensor,
    )
    return any(text.casefold() in place.casefold() for place in places)


class Model:
    """A store of events in a list, in the order of arrival."""

    def __init__(self, events: Sequence[Event]) -> None:
        first: dict[str, Event] = {}
        for event in events:
            first.setdefault(event.id, event)
        self.stored = list(first.values())

    def find(self, query: Query) -> list[Event]:
        return [event for event in self.stored if meets(event, query)]

    def ids(self, query: Query, order: EventOrder) -> list[str]:
        found = self.find(query)
        if order is not EventOrder.INGESTED:
            found.sort(key=lambda event: event.start)
        if order is EventOrder.NEWEST:
            found.reverse()
        return [event.id for event in found]

    def summary(self, query: Query) -> dict[str, Any]:
        found = self.find(query)
        return {
            "records": sum(event.count for event in found),
            "events": len(found),
            "threats": len({_threat(event) for event in found}),
            "sources": len({event.source_ip for event in found} - {None}),
            "trails": len({event.trail.value for event in found}),
            "first": min((event.start for event in found), default=None),
            "last": max((event.start for event in found), default=None),
        }

    def top(self, query: Query, of: Dimension) -> dict[str, tuple[int, int]]:
        """Give (true count, highest severity) by value."""
        counts: dict[str, tuple[int, int]] = {}
        for event in self.find(query):
            value = dimension(event, of)
            if value is not None:
                count, severity = counts.get(value, (0, 0))
                counts[value] = (count + event.count, max(severity, int(event.severity)))
        return counts

    def timeline(self, query: Query, by: Dimension, step: int) -> dict[int, dict[str, int]]:
        buckets: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for event in self.find(query):
            value = dimension(event, by)
            if value is not None:
                buckets[event.start // step * step][value] += event.count
        return {start: dict(counts) for start, counts in sorted(buckets.items())}

    def threats(self, query: Query) -> dict[str, dict[str, Any]]:
        grouped: dict[str, list[Event]] = defaultdict(list)
        for event in self.find(query):
            grouped[_threat(event)].append(event)
        return {name: _facts(events) for name, events in grouped.items()}

    def lasts(self) -> dict[str, int]:
        return {name: threat["last"] for name, threat in self.threats(Query()).items()}

    def attackers(self, query: Query) -> dict[str, tuple[int, int, int, int, tuple[str, ...], int]]:
        """Give (severity, true count, first, last, infos, days) by address."""
        grouped: dict[str, list[Event]] = defaultdict(list)
        for event in self.find(query):
            if event.direction is Direction.INBOUND and event.source_ip and _is_public(event.source_ip):
                grouped[event.source_ip].append(event)
        return {
            address: (
                max(int(event.severity) for event in events),
                sum(event.count for event in events),
                min(event.start for event in events),
                max(event.start for event in events),
                tuple(sorted({event.trail.info for event in events})),
                len({event.start // DAY for event in events}),
            )
            for address, events in grouped.items()
        }


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_global and not parsed.is_multicast


def _threat(event: Event) -> str:
    return threat_id(event.source_ip, event.trail.kind, event.trail.value)


def _facts(events: Sequence[Event]) -> dict[str, Any]:
    severity = max(event.severity for event in events)
    latest = max(event.start for event in events if event.severity is severity)
    # Events that are equally severe and at the same time may each speak for the threat.
    speakers = [event for event in events if event.severity is severity and event.start == latest]
    return {
        "source": events[0].source_ip,
        "kind": events[0].trail.kind,
        "trail": events[0].trail.value,
        "severity": severity,
        "count": sum(event.count for event in events),
        "events": len(events),
        "first": min(event.start for event in events),
        "last": max(event.start for event in events),
        "words": {(event.trail.info, event.trail.class_, event.direction) for event in speakers},
    }


THREAT_KEYS: dict[ThreatOrder, Callable[[dict[str, Any]], tuple[int, ...]]] = {
    ThreatOrder.RISK: lambda threat: (threat["severity"], threat["count"]),
    ThreatOrder.LAST: lambda threat: (threat["last"],),
    ThreatOrder.FIRST: lambda threat: (threat["first"],),
    ThreatOrder.COUNT: lambda threat: (threat["count"],),
    ThreatOrder.SEVERITY: lambda threat: (threat["severity"], threat["last"]),
}
