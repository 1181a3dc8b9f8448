"""What the API answers with. All times are ISO 8601 in UTC, with microseconds."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from api.answer import COUNTRY, Answer, Time, example
from api.assessment import Assessment
from trailhound.severity import Direction
from trailhound.trail import TrailClass, TrailKind

SeverityWord = Literal["low", "medium", "high", "critical"]
Counts = Mapping[str, int]
_APPROXIMATE = "Whether there are so many that the store estimated `total`."
_TIME = "2026-02-01T12:00:00.000000Z"
_LATER = "2026-02-02T12:00:00.000000Z"


class Period(Answer):
    """A stretch of time: `since` belongs to it, `until` does not; null is open."""

    since: Time | None
    until: Time | None


class Totals(Answer):
    """How much a query found."""

    records: int = Field(description="True count: every record that matched, repeats included.")
    events: int = Field(description="Stored documents.")
    threats: int = Field(description="Distinct pairs of source and trail.")
    sources: int
    trails: int
    first: Time | None
    last: Time | None
    approximate: tuple[Literal["threats", "sources", "trails"], ...] = Field(
        description="Which of these are so many that the store estimated them."
    )


class PastTotals(Answer):
    """The totals of the period before, which is as long and ends where the asked one begins."""

    period: Period
    totals: Totals


class SummaryAnswer(Answer):
    """Totals, and true counts by severity, group, class, protocol, sensor and direction."""

    model_config = example(
        period={"since": _TIME, "until": _LATER},
        totals={
            "records": 1520, "events": 48, "threats": 12, "sources": 9, "trails": 11, "first": _TIME, "last": _LATER,
            "approximate": [],
        },
        by={"severity": {"low": 1500, "critical": 20}, "group": {"IP": 1500, "DNS": 20}},
        before={
            "period": {"since": "2026-01-31T12:00:00.000000Z", "until": _TIME},
            "totals": {
                "records": 3, "events": 2, "threats": 1, "sources": 1, "trails": 1,
                "first": "2026-01-31T13:00:00.000000Z", "last": "2026-01-31T14:00:00.000000Z", "approximate": [],
            },
        },
    )  # fmt: skip

    period: Period
    totals: Totals
    by: Mapping[str, Counts]
    before: PastTotals | None = Field(description="Only with `compare=true`.")


class TimelineBucket(Answer):
    """One step; values that did not occur are left out of `counts`."""

    start: Time
    counts: Counts


class TimelineAnswer(Answer):
    """True counts in equal steps without gaps."""

    model_config = example(
        by="group",
        interval_seconds=3600,
        buckets=[
            {"start": _TIME, "counts": {"DNS": 3, "IP": 7}},
            {"start": "2026-02-01T13:00:00.000000Z", "counts": {}},
        ],
    )

    by: str
    interval_seconds: int
    buckets: tuple[TimelineBucket, ...]


class EventsAnswer(Answer):
    """ECS documents, and the cursor for those that follow (null at the end)."""

    model_config = example(
        events=[
            {
                "@timestamp": _TIME,
                "event": {"id": "697f3bc0a1b2c3d4e5f60718293a4b5c", "kind": "alert", "severity": 99},
                "source": {"ip": "192.168.1.10"},
                "trailhound": {"trail": "evil.example", "kind": "domain", "class": "c2", "count": 1},
            }
        ],
        next="WyJuZXdlc3QiLDE3Njk5NDcyMDBd",
    )

    events: tuple[Mapping[str, Any], ...]
    next: str | None


class ThreatAnswer(Answer):
    """The events of one source that met one trail."""

    id: str
    source: str | None
    kind: TrailKind
    trail: str
    info: str
    class_: TrailClass = Field(alias="class")
    severity: SeverityWord
    risk: float = Field(description="Severity times 1,000 plus the bounded logarithm of the count.")
    count: int = Field(description="True count of records.")
    events: int
    first: Time
    last: Time
    direction: Direction
    destinations: tuple[str, ...]
    ports: tuple[int, ...]
    protocols: tuple[str, ...]
    sensors: tuple[str, ...]
    sources: tuple[str, ...] = Field(description="The lists that have the trail.")
    reference: str
    country: str | None = Field(default=None, description=COUNTRY)
    triage: Assessment | None = Field(default=None, description="What people made of it; null when nobody has.")
    sparkline: tuple[int, ...] | None = Field(
        default=None, description="True counts in equal steps; only with `sparkline=true`."
    )


class SparklineSteps(Answer):
    """When the steps of all sparklines of an answer begin, and how long each is."""

    start: Time
    interval_seconds: int


class ThreatsAnswer(Answer):
    """Threats, how many there are in all, and the cursor for those that follow (null at the end)."""

    model_config = example(
        threats=[
            {
                "id": "0f2a", "source": "192.168.1.10", "kind": "domain", "trail": "evil.example", "info": "emotet",
                "class": "c2", "severity": "critical", "risk": 99001.0, "count": 20, "events": 2, "first": _TIME,
                "last": _LATER, "direction": "outbound", "destinations": ["192.168.1.1"], "ports": [53],
                "protocols": ["dns"], "sensors": ["sensor-1"], "sources": ["urlhaus"], "reference": "",
            }
        ],
        total=1,
        approximate=False,
        next="WyJuZXdlc3QiLDE3Njk5NDcyMDBd",
    )  # fmt: skip

    threats: tuple[ThreatAnswer, ...]
    total: int
    approximate: bool = Field(description=_APPROXIMATE)
    sparkline: SparklineSteps | None = Field(default=None, description="Only with `sparkline=true`.")
    next: str | None


class SourceAnswer(Answer):
    """A source with the true count of its records, in all and by protocol."""

    source: str
    count: int
    severity: SeverityWord = Field(description="The highest that it had.")
    protocols: Counts = Field(description="The commonest protocols; what is left is under `other`.")
    country: str | None = Field(default=None, description=COUNTRY)


class SourcesAnswer(Answer):
    """The sources with the most records, and how many there are in all."""

    model_config = example(
        sources=[
            {"source": "45.155.205.233", "count": 1500, "severity": "low", "protocols": {"ssh": 1499, "other": 1}}
        ],
        total=1,
        approximate=False,
    )

    sources: tuple[SourceAnswer, ...]
    total: int
    approximate: bool = Field(description=_APPROXIMATE)


class SeenTrail(Answer):
    """A trail that was met, with the true count of records."""

    trail: str
    count: int
    severity: SeverityWord = Field(description="The highest that it had.")


class SeenTrailsAnswer(Answer):
    """The trails with the most records, and how many were met in all."""

    model_config = example(
        trails=[{"trail": "evil.example", "count": 20, "severity": "critical"}], total=1, approximate=False
    )

    trails: tuple[SeenTrail, ...]
    total: int
    approximate: bool = Field(description=_APPROXIMATE)


class Reading(Answer):
    """One thing that a value can be, in its canonical form."""

    kind: TrailKind
    canonical: str


class TrailFound(Answer):
    """A trail, and the key it was found by."""

    key: str
    kind: TrailKind
    trail: str
    info: str
    class_: TrailClass = Field(alias="class")
    sources: tuple[str, ...]
    reference: str
    confidence: int
    first_seen: Time | None
    expires: Time | None
    custom: bool = Field(description="Whether it is on a list of the site's own.")
    hidden: str | None = Field(description="Why it does not count; null when it does.")


class CheckedValue(Answer):
    """What the trail set says of one value."""

    value: str
    found: bool = Field(description="Whether a record with this value makes an event.")
    whitelisted: str | None = Field(description="Why it makes none although a trail may match.")
    readings: tuple[Reading, ...]
    matches: tuple[TrailFound, ...]


class CheckAnswer(Answer):
    """One result for each value, in the order asked."""

    model_config = example(
        results=[
            {
                "value": "www.Evil.example", "found": False, "whitelisted": "evil.example is on the whitelist",
                "readings": [{"kind": "domain", "canonical": "www.evil.example"}],
                "matches": [
                    {
                        "key": "evil.example", "kind": "domain", "trail": "evil.example", "info": "emotet",
                        "class": "c2", "sources": ["urlhaus"], "reference": "", "confidence": 80,
                        "first_seen": _TIME, "expires": _LATER, "custom": False,
                        "hidden": "whitelisted by evil.example (built in, line 12)",
                    }
                ],
            }
        ]
    )  # fmt: skip

    results: tuple[CheckedValue, ...]


class TrailsInfoAnswer(Answer):
    """The trail set in force."""

    model_config = example(
        trails=1_630_000,
        by_kind={"domain": 1_400_000},
        by_class={"malware": 1_200_000},
        built=_TIME,
        checksum="9f86d081",
    )

    trails: int
    by_kind: Counts
    by_class: Counts
    built: Time | None
    checksum: str


class SensorAnswer(Answer):
    """The heartbeat of one log of one sensor."""

    sensor: str
    log: str
    path: str
    records: int
    matches: int
    unreadable: int = Field(description="Lines that went to the dead letters.")
    lag_bytes: int = Field(description="What is written and not yet read.")
    lag_seconds: float = Field(description="How far reading is behind; 0 when it is at the end.")
    lost_bytes: int = Field(description="What was cut off, rotated away or deleted unread, over restarts.")
    retries: int = Field(description="How often events had to be given to the store once more.")
    last_record: Time | None = Field(description="Time of the newest record, by the record's own clock.")
    last_read: Time | None = Field(description="When something was last read.")
    updated: Time = Field(description="When the heartbeat was written.")
    silent_seconds: float | None = Field(description="How long nothing has been read; null: nothing ever was.")
    clock_skew_seconds: float | None = Field(
        description="How far the clock of the sensor is ahead of ours (below 0: behind), when that is too much."
    )
    problem: str | None = Field(description="What keeps the log from being read.")
    warning: str | None = Field(description="What a person should look at: the log is silent, or its clock is wrong.")


class SensorsAnswer(Answer):
    """The heartbeats of all logs."""

    model_config = example(
        sensors=[
            {
                "sensor": "sensor-1", "log": "dns", "path": "/var/log/zeek/dns.log", "records": 1000, "matches": 2,
                "unreadable": 0, "lag_bytes": 0, "lag_seconds": 0.0, "lost_bytes": 0, "retries": 0,
                "last_record": _TIME, "last_read": _TIME, "updated": _TIME, "silent_seconds": 0.7,
                "clock_skew_seconds": -412.0, "problem": "permission denied", "warning": "silent for 75 min",
            }
        ]
    )  # fmt: skip

    sensors: tuple[SensorAnswer, ...]


class FeedState(Answer):
    """One feed: where it comes from, how old it is, what it gave, what went wrong."""

    name: str
    enabled: bool
    title: str = Field(description="Name of the threat where the list does not say.")
    format: str
    class_: TrailClass | None = Field(alias="class")
    licence: str
    reference: str
    origin: str = Field(description="Who describes it: the catalogue, your file, a plug-in.")
    interval_seconds: int
    age_seconds: int | None = Field(description="How long ago we knew that this is what the source has; null: never.")
    stale: bool = Field(description="Whether it is on and older than three intervals.")
    bytes: int = Field(description="What is kept of it, as it came.")
    trails: int
    absent: int = Field(description="No longer listed, and kept for a while.")
    added: int = Field(description="What the last change brought.")
    removed: int = Field(description="What the last change took.")
    refused: int = Field(description="Values that did not become trails.")
    changed: Time | None
    tried: Time | None
    due: Time | None = Field(description="When it is to be tried again; null: at once, or never when it is off.")
    error: str | None = Field(description="Why the last try left all as it was.")
    failures: int = Field(description="How often that happened in a row.")


class FeedsAnswer(Answer):
    """What is known of feeds."""

    model_config = example(
        feeds=[
            {
                "name": "openphish", "enabled": True, "title": "phishing", "format": "lines", "class": "phishing",
                "licence": "free for personal use", "reference": "https://openphish.com", "origin": "catalogue",
                "interval_seconds": 21600, "age_seconds": 840, "stale": False, "bytes": 15840, "trails": 298,
                "absent": 12, "added": 31, "removed": 4, "refused": 2, "changed": _TIME, "tried": _TIME, "due": _LATER,
                "error": "the answer is 503", "failures": 1,
            }
        ],
        updates=True,
    )  # fmt: skip

    feeds: tuple[FeedState, ...]
    updates: bool = Field(description="Whether feeds are updated by themselves (`feeds.update`).")


class HealthAnswer(Answer):
    """Whether everything works, and if not, what does not."""

    model_config = example(
        status="degraded",
        reasons=["ingest is not running: its last heartbeat is 620 s old"],
        warnings=["sensor-1, dns: silent for 75 min"],
    )

    status: Literal["ok", "degraded"]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = Field(description="What a person should look at, though everything works.")
