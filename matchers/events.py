"""Matches to events: like matches of one stretch of a log become one event with a true count."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matchers.observer import Observer, Sight
from matchers.rules import Meeting
from trailhound import canonical
from trailhound.event import Event, event_id
from trailhound.record import LARGEST, Record
from trailhound.severity import Direction, severity
from trailhound.trail import TrailKind

_VERBS = {
    "dns.question.name": "asked for",
    "dns.answers.data": "was answered with",
    "tls.client.server_name": "opened TLS to",
    "tls.server.x509.subject.common_name": "was shown a certificate for",
    "tls.server.x509.alternative_names": "was shown a certificate for",
    "url.domain": "requested from",
    "url.original": "requested",
    "http.request.referrer": "came from",
    "user_agent.original": "used the user agent",
    "destination.ip": "connected to",
    "client.ip": "was the proxy of",
}
LONGEST = 8000  # Characters; Lucene takes no term of more than 32,766 bytes.
MOST = 100  # Members of a list.


@dataclass(slots=True)
class _Group:
    record: Record
    meeting: Meeting
    observer: Observer
    direction: Direction
    answered: bool | None
    count: int
    start: int
    end: int


class Events:
    """Collects matches; `drain` gives them as events and forgets them.

    The events of a stretch depend only on the records in it, not on how it was cut into batches: a replay of the same
    bytes makes the same events. `now` gives the time of ingestion in microseconds since the epoch.
    """

    def __init__(self, sensor: str, path: str = "", now: Callable[[], int] = lambda: 0) -> None:
        self.sensor = sensor
        self._path = path
        self._now = now
        self._groups: dict[tuple[object, ...], _Group] = {}

    def add(self, record: Record, meeting: Meeting, observer: Observer, direction: Direction) -> None:
        answered = observer.answered(record)
        key = (
            record.dataset,
            record.source,
            record.destination,
            record.number("id.resp_p"),
            meeting.trail.kind,
            meeting.trail.value,
            meeting.observed,
            meeting.sighting.role,
            direction,
            answered,
        )
        group = self._groups.get(key)
        if group is None:
            self._groups[key] = _Group(record, meeting, observer, direction, answered, 1, record.time, record.time)
            return
        group.count += 1
        group.end = max(group.end, record.time)
        if (record.time, record.identity) < (group.record.time, group.record.identity):
            group.record, group.meeting, group.start = record, meeting, record.time

    def drain(self) -> list[Event]:
        ingested = self._now() if self._groups else 0
        events = [self._event(group, ingested) for group in self._groups.values()]
        self._groups.clear()
        return events

    def _event(self, group: _Group, ingested: int) -> Event:
        record, trail = group.record, group.meeting.trail
        source = canonical.address(record.source or "")
        destination = canonical.address(record.destination or "")
        transport = record.text("proto")
        return Event(
            id=event_id(self.sensor, record.dataset, record.identity, record.time, trail.kind, trail.value),
            start=group.start,
            end=group.end,
            count=group.count,
            sensor=self.sensor,
            module=record.module,
            dataset=record.dataset,
            trail=trail,
            observed=group.meeting.observed,
            role=_role(group.meeting),
            severity=severity(
                trail.class_,
                trail.confidence,
                group.direction,
                answered=group.answered,
                rating=group.meeting.rating,
            ),
            direction=group.direction,
            answered=group.answered,
            source_ip=source,
            source_port=record.number("id.orig_p"),
            destination_ip=destination,
            destination_port=record.number("id.resp_p"),
            transport=transport.lower() if transport else None,
            protocol=group.observer.protocol or record.text("service") or None,
            message=_message(group, source, destination),
            ingested=ingested,
            ecs=self._ecs(group),
        )

    def _ecs(self, group: _Group) -> Mapping[str, Any]:
        record, observer = group.record, group.observer
        ecs = {name: record.fields.get(field) for name, field in observer.ecs.items()}
        ecs |= observer.derive(record)
        ecs["network.community_id"] = record.text("community_id")
        uid = record.text("uid")
        if record.module == "zeek":
            ecs["zeek.session_id"] = uid
        elif uid:
            ecs["suricata.flow_id"] = uid
        if group.meeting.sighting.sight is Sight.CERTIFICATE:
            kind = "sha1" if group.meeting.trail.kind is TrailKind.CERT_SHA1 else "sha256"
            ecs[f"tls.server.hash.{kind}"] = group.meeting.observed
        ecs["log.file.path"] = self._path or None
        return {name: _bounded(value) for name, value in ecs.items()}


def _bounded(value: Any) -> Any:
    """Cut what no store takes: texts beyond the longest term of an index, long lists, integers beyond 63 bits."""
    if isinstance(value, str):
        return value[:LONGEST]
    if isinstance(value, list):
        return [_bounded(item) for item in value[:MOST] if item is not None]
    if isinstance(value, Mapping):
        return {name: _bounded(item) for name, item in value.items()}
    return None if isinstance(value, int) and abs(value) > LARGEST else value


def _role(meeting: Meeting) -> str:
    if meeting.sighting.role == "tls.server.hash":
        return "tls.server.hash.sha1" if meeting.trail.kind is TrailKind.CERT_SHA1 else "tls.server.hash.sha256"
    return meeting.sighting.role


def _message(group: _Group, source: str | None, destination: str | None) -> str:
    meeting = group.meeting
    if meeting.trail.kind is TrailKind.RULE:
        said = f"{meeting.trail.value}: {meeting.said or meeting.trail.info}"
        return f"{source} set off {said}" if source else said
    if meeting.sighting.role == "source.ip":
        sentence = f"{source} connected to {destination}"
    else:
        verb = _VERBS.get(meeting.sighting.role, "showed")
        sentence = f"{source or 'a host'} {verb} {meeting.observed}"
    return f"{sentence}: {meeting.trail.info}"
