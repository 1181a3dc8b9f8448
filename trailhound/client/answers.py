"""What the API answers, as far as the client gives it typed. `docs/api.md` says what each field means."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """What all answers share: what is not known here is passed over."""


class Period(Struct, frozen=True, kw_only=True):
    since: datetime | None
    until: datetime | None


class Totals(Struct, frozen=True, kw_only=True):
    records: int
    events: int
    threats: int
    sources: int
    trails: int
    first: datetime | None
    last: datetime | None
    approximate: tuple[str, ...]


class PastTotals(Struct, frozen=True, kw_only=True):
    period: Period
    totals: Totals


class Summary(Struct, frozen=True, kw_only=True):
    period: Period
    totals: Totals
    by: Mapping[str, Mapping[str, int]]
    before: PastTotals | None


class Bucket(Struct, frozen=True, kw_only=True):
    start: datetime
    counts: Mapping[str, int]


class Timeline(Struct, frozen=True, kw_only=True):
    by: str
    interval_seconds: int
    buckets: tuple[Bucket, ...]


class Events(Struct, frozen=True, kw_only=True):
    events: list[Mapping[str, Any]]
    next: str | None


class Assessment(Struct, frozen=True, kw_only=True):
    state: str
    reopened: bool
    note: str
    tags: tuple[str, ...]
    assignee: str
    by: str
    at: datetime | None
    version: int


class Threat(Struct, frozen=True, kw_only=True):
    id: str
    source: str | None
    kind: str
    trail: str
    info: str
    class_: str = msgspec.field(name="class")
    severity: str
    risk: float
    count: int
    events: int
    first: datetime
    last: datetime
    direction: str
    destinations: tuple[str, ...]
    ports: tuple[int, ...]
    protocols: tuple[str, ...]
    sensors: tuple[str, ...]
    sources: tuple[str, ...]
    reference: str
    country: str | None = None
    triage: Assessment | None = None
    sparkline: tuple[int, ...] | None = None


class Reason(Struct, frozen=True, kw_only=True):
    relation: str
    value: str


class RelatedThreat(Struct, frozen=True, kw_only=True):
    threat: Threat
    reasons: tuple[Reason, ...]


class HistoryEntry(Struct, frozen=True, kw_only=True):
    at: datetime
    by: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class Triage(Struct, frozen=True, kw_only=True):
    threat: str
    triage: Assessment
    history: tuple[HistoryEntry, ...]


class Host(Struct, frozen=True, kw_only=True):
    address: str
    risk: float
    severity: str | None
    threats: int
    count: int
    first: datetime | None
    last: datetime | None
    tactics: tuple[str, ...]
    steps: int


class HostThreat(Struct, frozen=True, kw_only=True):
    id: str
    kind: str
    trail: str
    info: str
    severity: str
    points: float
    count: int
    first: datetime
    last: datetime


class HostPart(Struct, frozen=True, kw_only=True):
    tactic: str | None
    points: float
    threats: int
    count: int
    first: datetime
    last: datetime
    heaviest: tuple[HostThreat, ...]


class HostStep(Struct, frozen=True, kw_only=True):
    tactic: str
    at: datetime
    threat: str


class HostRisk(Host, frozen=True, kw_only=True):
    at: datetime
    half_life_hours: float
    parts: tuple[HostPart, ...]
    chain: tuple[HostStep, ...]
    chain_points: float


class Source(Struct, frozen=True, kw_only=True):
    source: str
    count: int
    severity: str
    protocols: Mapping[str, int]
    country: str | None = None


class Country(Struct, frozen=True, kw_only=True):
    country: str | None
    records: int
    events: int
    threats: int
    sources: int
    addresses: int
    severity: str
    first: datetime
    last: datetime


class SeenTrail(Struct, frozen=True, kw_only=True):
    trail: str
    count: int
    severity: str


class Reading(Struct, frozen=True, kw_only=True):
    kind: str
    canonical: str


class TrailFound(Struct, frozen=True, kw_only=True):
    key: str
    kind: str
    trail: str
    info: str
    class_: str = msgspec.field(name="class")
    sources: tuple[str, ...]
    reference: str
    confidence: int
    first_seen: datetime | None
    expires: datetime | None
    custom: bool
    hidden: str | None


class SeenValue(Struct, frozen=True, kw_only=True):
    as_: str = msgspec.field(name="as")
    value: str
    records: int
    events: int
    first: datetime
    last: datetime


class SensorSightings(Struct, frozen=True, kw_only=True):
    sensor: str
    first: datetime
    last: datetime
    hours: int


class Observable(Struct, frozen=True, kw_only=True):
    value: str
    kind: str | None
    seen: bool
    first: datetime | None
    last: datetime | None
    hours: int
    sensors: tuple[SensorSightings, ...]


class LookedUp(Struct, frozen=True, kw_only=True):
    value: str
    found: bool
    whitelisted: str | None
    readings: tuple[Reading, ...]
    matches: tuple[TrailFound, ...]
    seen: tuple[SeenValue, ...]
    country: str | None = None
    observed: Observable | None = None


class Memory(Struct, frozen=True, kw_only=True):
    enabled: bool
    since: datetime | None
    forgotten: int
    forgotten_until: datetime | None


class Observables(Struct, frozen=True, kw_only=True):
    observables: tuple[Observable, ...]
    memory: Memory


class Decision(Struct, frozen=True, kw_only=True):
    id: str
    verdict: str
    scope: str
    value: str
    reason: str
    by: str
    made: datetime
    until: datetime | None
    lifted_by: str | None
    in_force: bool
    version: int


class Cleared(Struct, frozen=True, kw_only=True):
    address: str
    reason: str
    by: str
    at: datetime
    version: int


class CustomTrail(Struct, frozen=True, kw_only=True):
    id: str
    kind: str
    trail: str
    info: str
    class_: str = msgspec.field(name="class")
    confidence: int
    reference: str
    reason: str
    by: str
    made: datetime
    until: datetime | None
    removed_by: str | None
    in_force: bool
    version: int


class ExceptionEntry(Struct, frozen=True, kw_only=True):
    id: int
    value: str | None = None
    trail: str | None = None
    source: str | None = None
    level: str
    reason: str
    by: str
    added: datetime
    until: datetime | None
    in_force: bool
    version: str


class AuditEntry(Struct, frozen=True, kw_only=True):
    id: str
    at: datetime
    who: str
    address: str
    action: str
    object: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class Sensor(Struct, frozen=True, kw_only=True):
    sensor: str
    log: str
    path: str
    records: int
    matches: int
    unreadable: int
    lag_bytes: int
    lag_seconds: float
    lost_bytes: int
    retries: int
    last_record: datetime | None
    last_read: datetime | None
    updated: datetime
    silent_seconds: float | None
    clock_skew_seconds: float | None
    problem: str | None
    warning: str | None


class Health(Struct, frozen=True, kw_only=True):
    status: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
