"""Matches to events: like matches of one stretch of a log become one event with a true count."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matchers.findings import SOURCE, Finding
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
            _mark(meeting),
        )
        group = self._groups.get(key)
        if group is None:
            self._groups[key] = _group(record, meeting, observer, direction, answered=answered)
            return
        other = _group(record, meeting, observer, direction, answered=answered)
        group.count += other.count
        group.end = max(group.end, other.end)
        if (record.time, record.identity) < (group.record.time, group.record.identity):
            group.record, group.meeting, group.start = record, meeting, min(group.start, other.start)

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
            id=_id(self.sensor, group),
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
                # What became of the last record of many says nothing; the heuristic has weighed what matters.
                answered=group.answered if group.meeting.finding is None else None,
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
        if group.meeting.finding is not None:
            ecs |= _found(group.meeting.finding)
        return {name: _bounded(value) for name, value in ecs.items()}


def _group(
    record: Record, meeting: Meeting, observer: Observer, direction: Direction, *, answered: bool | None
) -> _Group:
    if meeting.finding is None:
        return _Group(record, meeting, observer, direction, answered, 1, record.time, record.time)
    found = meeting.finding.found
    start = record.time if found.start is None else found.start
    end = record.time if found.end is None else found.end
    return _Group(record, meeting, observer, direction, answered, found.count, start, max(start, end))


def _mark(meeting: Meeting) -> tuple[str, str] | None:
    """Tell what a heuristic found from what a trail met, and its finds from each other."""
    finding = meeting.finding
    return (finding.heuristic.name, finding.found.key) if finding is not None else None


def _id(sensor: str, group: _Group) -> str:
    record, trail, finding = group.record, group.meeting.trail, group.meeting.finding
    if finding is None:
        return event_id(sensor, record.dataset, record.identity, record.time, trail.kind, trail.value)
    name, found = finding.heuristic.name, finding.found
    identity, time = f"{name}\x1e{record.identity}", record.time
    if found.key:
        # Which record was the last straw depends on what was seen before, which a crash may have taken.
        identity, time = f"{name}\x1e{found.key}", group.end - group.end % max(found.window, 1)
    return event_id(sensor, SOURCE, identity, time, trail.kind, trail.value)


def _found(finding: Finding) -> dict[str, Any]:
    """Say in ECS which heuristic it was, by which technique of ATT&CK, and what its score is made of."""
    heuristic, found = finding.heuristic, finding.found
    ecs: dict[str, Any] = {
        "rule.name": heuristic.name,
        "rule.category": SOURCE,
        "rule.description": heuristic.about,
        "trailhound.score": found.score,
        "trailhound.parts": [{"name": part.name, "points": part.points, "said": part.said} for part in found.parts],
    }
    technique = heuristic.technique
    if technique is not None:
        ecs |= {
            "threat.framework": "MITRE ATT&CK",
            "threat.technique.id": [technique.id],
            "threat.technique.name": [technique.name],
            "threat.technique.reference": [technique.reference],
            "threat.tactic.name": [technique.tactic],
        }
    return ecs


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
    if meeting.finding is not None:
        return f"{source or 'a host'} {meeting.said}: {meeting.trail.info}"
    if meeting.trail.kind is TrailKind.RULE:
        said = f"{meeting.trail.value}: {meeting.said or meeting.trail.info}"
        return f"{source} set off {said}" if source else said
    if meeting.sighting.role == "source.ip":
        sentence = f"{source} connected to {destination}"
    else:
        verb = _VERBS.get(meeting.sighting.role, "showed")
        sentence = f"{source or 'a host'} {verb} {meeting.observed}"
    return f"{sentence}: {meeting.trail.info}"
