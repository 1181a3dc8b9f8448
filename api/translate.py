"""From the types inside to the answers outside."""

from collections.abc import Mapping
from typing import Any, Literal

from api.answers import (
    CheckedValue,
    Period,
    Reading,
    SensorAnswer,
    SeverityWord,
    ThreatAnswer,
    Totals,
    TrailFound,
)
from api.lookup import Explanation, FoundTrail
from stores.contract import Dimension, Query, SensorStatus, Summary, Threat
from trailhound.event import timestamp
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity

_WORDS: Mapping[Severity, SeverityWord] = {
    Severity.LOW: "low",
    Severity.MEDIUM: "medium",
    Severity.HIGH: "high",
    Severity.CRITICAL: "critical",
}
SUMMARY_DIMENSIONS = (
    Dimension.SEVERITY,
    Dimension.GROUP,
    Dimension.CLASS,
    Dimension.PROTOCOL,
    Dimension.SENSOR,
    Dimension.DIRECTION,
)

ESTIMATED: tuple[Literal["threats", "sources", "trails"], ...] = ("threats", "sources", "trails")


def severity_word(severity: Severity) -> SeverityWord:
    return _WORDS[severity]


def iso(time: int | None) -> str | None:
    """Write microseconds since the epoch."""
    return None if time is None else timestamp(time)


def iso_seconds(seconds: int | None) -> str | None:
    """Write seconds since the epoch."""
    return None if seconds is None else timestamp(seconds * MICROSECONDS)


def period(query: Query) -> Period:
    return Period(since=iso(query.since), until=iso(query.until))


def totals(summary: Summary) -> Totals:
    return Totals(
        records=summary.records,
        events=summary.events,
        threats=summary.threats,
        sources=summary.sources,
        trails=summary.trails,
        first=iso(summary.first),
        last=iso(summary.last),
        approximate=tuple(name for name in ESTIMATED if name in summary.approximate),
    )


def breakdown(summary: Summary) -> Mapping[str, Mapping[str, int]]:
    """Give the counts of a summary by the names of its dimensions."""
    return {dimension.value: dict(summary.by.get(dimension, {})) for dimension in SUMMARY_DIMENSIONS}


def threat(found: Threat) -> ThreatAnswer:
    return ThreatAnswer(
        id=found.id,
        source=found.source,
        kind=found.kind,
        trail=found.trail,
        info=found.info,
        class_=found.class_,
        severity=severity_word(found.severity),
        risk=found.risk,
        count=found.count,
        events=found.events,
        first=timestamp(found.first),
        last=timestamp(found.last),
        direction=found.direction,
        destinations=tuple(found.destinations),
        ports=tuple(found.ports),
        protocols=tuple(found.protocols),
        sensors=tuple(found.sensors),
        sources=tuple(found.sources),
        reference=found.reference,
    )


def sensor(status: SensorStatus, now: int) -> SensorAnswer:
    silent = None if status.last_read is None else round(max(0, now - status.last_read) / MICROSECONDS, 3)
    return SensorAnswer(
        sensor=status.sensor,
        log=status.log,
        path=status.path,
        records=status.records,
        matches=status.matches,
        unreadable=status.unreadable,
        lag_bytes=status.lag_bytes,
        lag_seconds=status.lag_seconds,
        lost_bytes=status.lost_bytes,
        retries=status.retries,
        last_record=iso(status.last_record),
        last_read=iso(status.last_read),
        updated=timestamp(status.updated),
        silent_seconds=silent,
        clock_skew_seconds=None if status.clock_skew is None else status.clock_skew / MICROSECONDS,
        problem=status.problem,
        warning=status.warning,
    )


def checked(explanation: Explanation) -> CheckedValue:
    return CheckedValue(**said_of(explanation))


def said_of(explanation: Explanation) -> dict[str, Any]:
    """Give the fields of a `CheckedValue`, which other answers have too."""
    return {
        "value": explanation.value,
        "found": explanation.found,
        "whitelisted": explanation.whitelisted,
        "readings": tuple(Reading(kind=kind, canonical=value) for kind, value in explanation.readings),
        "matches": tuple(_found(match) for match in explanation.matches),
    }


def _found(match: FoundTrail) -> TrailFound:
    trail = match.trail
    return TrailFound(
        key=match.key,
        kind=trail.kind,
        trail=trail.value,
        info=trail.info,
        class_=trail.class_,
        sources=trail.sources,
        reference=trail.reference,
        confidence=trail.confidence,
        first_seen=iso_seconds(trail.first_seen),
        expires=iso_seconds(trail.expires),
        custom=trail.custom,
        hidden=match.hidden or None,
    )
