"""What every store of events promises.

One writer appends; any number of readers, in other processes too, ask at the same time. All times are microseconds
since the epoch. All answers are exact unless a field says otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from stores.search.expression import Expression
from trailhound.event import Event
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailClass, TrailGroup, TrailKind


@dataclass(frozen=True, slots=True)
class Query:
    """Which events: every condition that is set must hold; several values of one condition are alternatives.

    `since` is inclusive, `until` exclusive, both compare with the start of an event. `source` and `destination`
    take addresses and CIDRs. `within` narrows all of it to events whose source or destination is in one of these
    networks. `where` is a search (`stores.search`) that has to hold too. Without `custom`, events of trails that
    the site has on a list of its own are left out. `threats` are those that are meant, by their ids, `not_threats`
    those that are not. `text` is looked for, whatever its case, in trail, info, observed value, message, addresses
    and sensor.
    """

    since: int | None = None
    until: int | None = None
    severities: tuple[Severity, ...] = ()
    groups: tuple[TrailGroup, ...] = ()
    kinds: tuple[TrailKind, ...] = ()
    classes: tuple[TrailClass, ...] = ()
    directions: tuple[Direction, ...] = ()
    sources: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    trails: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    sensors: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    text: str | None = None
    within: tuple[str, ...] = ()
    custom: bool = True
    where: Expression | None = None
    threats: tuple[str, ...] = ()
    not_threats: tuple[str, ...] = ()


class EventOrder(StrEnum):
    """How events are sorted. `INGESTED` is the order of arrival, in which nothing late is missed.

    In that order every page that holds events has a cursor, the last one too: with it, whoever follows the store asks
    for what has arrived since.
    """

    NEWEST = "newest"
    OLDEST = "oldest"
    INGESTED = "ingested"


class ThreatOrder(StrEnum):
    """How threats are sorted, the most of it first."""

    RISK = "risk"
    LAST = "last"
    FIRST = "first"
    COUNT = "count"
    SEVERITY = "severity"


class Dimension(StrEnum):
    """What events can be counted by.

    The protocol is `network.protocol`, or the transport where there is none; `Query.protocols` compares with the same.
    An event without a value (no source, say) is left out of what is counted by it.
    """

    SEVERITY = "severity"
    GROUP = "group"
    KIND = "kind"
    CLASS = "class"
    DIRECTION = "direction"
    PROTOCOL = "protocol"
    SENSOR = "sensor"
    DATASET = "dataset"
    SOURCE = "source"
    DESTINATION = "destination"
    TRAIL = "trail"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What is now durable: events that are new, and events that the store already had."""

    stored: int
    known: int


@dataclass(frozen=True, slots=True)
class EventPage:
    """ECS documents, and the cursor that continues after the last of them (None at the end)."""

    events: Sequence[Mapping[str, Any]]
    next: str | None


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals. `records` adds up the true counts, `events` counts documents, `threats` distinct (source, trail).

    `approximate` names those of `threats`, `sources` and `trails` that are so many that the store estimated them.
    """

    records: int
    events: int
    threats: int
    sources: int
    trails: int
    first: int | None
    last: int | None
    by: Mapping[Dimension, Mapping[str, int]] = field(default_factory=dict)
    approximate: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Distinct:
    """How many different values there are; a store may estimate what is many, and says so."""

    count: int
    is_approximate: bool = False


@dataclass(frozen=True, slots=True)
class Bucket:
    """One step of a timeline: true counts by the value of the dimension asked for."""

    start: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Top:
    """One value of a dimension with the true count of its records and the highest severity."""

    value: str
    count: int
    severity: Severity


@dataclass(frozen=True, slots=True)
class Threat:
    """The events of one source that met one trail: the unit a person works on.

    `risk` is severity times 1,000 plus the bounded logarithm of the count, so that severity decides and repetition
    breaks the tie. Severity, counts and times are those of the events that the query found; info, class and direction
    those of the most severe of them, the latest if there are several. Destinations, ports, protocols, sensors and
    sources are the first ones of the threat's whole life, a bounded number of them.
    """

    id: str
    source: str | None
    kind: TrailKind
    trail: str
    info: str
    class_: TrailClass
    severity: Severity
    risk: float
    count: int
    events: int
    first: int
    last: int
    direction: Direction
    destinations: Sequence[str]
    ports: Sequence[int]
    protocols: Sequence[str]
    sensors: Sequence[str]
    sources: Sequence[str]
    reference: str


@dataclass(frozen=True, slots=True)
class ThreatPage:
    """Threats, how many there are in all, and the cursor that continues (None at the end).

    `is_total_approximate`: there are so many that the store estimated how many.
    """

    threats: Sequence[Threat]
    total: int
    next: str | None
    is_total_approximate: bool = False


@dataclass(frozen=True, slots=True)
class Attacker:
    """A public address that attacked a home network, for block lists.

    `days` is on how many days (UTC) it did; 1 when that was not asked for.
    """

    address: str
    severity: Severity
    count: int
    first: int
    last: int
    infos: Sequence[str]
    days: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """How often events had a value: true count of records, documents, the first and the last time."""

    records: int
    events: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class SensorStatus:
    """The heartbeat of one log of one sensor. Times are microseconds since the epoch, sizes bytes.

    `records`, `matches`, `unreadable`, `lost_bytes` and `retries` add up over restarts. `lag_seconds` says how far
    reading is behind. `clock_skew` is how many microseconds the sensor's clock is ahead (below 0: behind) when that is
    more than it may be. `usual_gap` is how many microseconds the log usually is without records at most. A `problem` is
    what keeps the log from being read, a `warning` what a person should look at.
    """

    sensor: str
    log: str
    path: str
    records: int
    matches: int
    unreadable: int
    lag_bytes: int
    lost_bytes: int
    last_record: int | None
    last_read: int | None
    updated: int
    problem: str | None = None
    warning: str | None = None
    lag_seconds: float = 0.0
    retries: int = 0
    clock_skew: int | None = None
    usual_gap: int = 0


class Store(Protocol):
    """Events at rest. Every method may raise `StoreUnavailable` or `StoreDamaged`.

    After `StoreUnavailable` it is not known whether events of an `append` are kept: whoever gave them gives them again.
    """

    def append(self, events: Sequence[Event]) -> Acknowledgement:
        """Keep events durably; one whose id is known already is left as it is.

        All of them or none, unless it raises `StorePartly`: then all but those that the error names are kept, and only
        those need be given again.
        """
        ...

    def event(self, event_id: str) -> Mapping[str, Any] | None: ...

    def events(
        self, query: Query, *, order: EventOrder = EventOrder.NEWEST, limit: int = 100, cursor: str | None = None
    ) -> EventPage: ...

    def count(self, query: Query) -> int:
        """Count the documents that a query finds."""
        ...

    def summary(self, query: Query) -> Summary: ...

    def timeline(self, query: Query, *, by: Dimension, step: int) -> Sequence[Bucket]:
        """Add up counts in steps of `step` microseconds, aligned to the epoch; empty steps are left out."""
        ...

    def top(self, query: Query, dimension: Dimension, *, limit: int = 10) -> Sequence[Top]: ...

    def distinct(self, query: Query, dimension: Dimension) -> Distinct: ...

    def threats(
        self, query: Query, *, order: ThreatOrder = ThreatOrder.RISK, limit: int = 50, cursor: str | None = None
    ) -> ThreatPage: ...

    def lasts(self, threats: Sequence[str]) -> Mapping[str, int]:
        """Tell when some threats, by their ids, happened last in their whole life; unknown ones are left out."""
        ...

    def sparklines(self, query: Query, threats: Sequence[str], *, step: int) -> Mapping[str, Mapping[int, int]]:
        """Add up counts of some threats, by their ids, in steps as those of a timeline: counts by the begin of a step.

        A threat of which the query finds nothing is left out.
        """
        ...

    def seen(self, query: Query, dimension: Dimension, values: Sequence[str]) -> Mapping[str, Seen]:
        """Tell of some sources, destinations or trails how often they were met; what never was is left out."""
        ...

    def latest(self) -> str | None:
        """Give the cursor at the end of the order of arrival: what comes after it has not arrived yet.

        None for a store in which nothing has.
        """
        ...

    def attackers(self, query: Query, *, limit: int = 100_000, by_day: bool = False) -> Sequence[Attacker]:
        """Give public sources of inbound events, strongest first: severity, then the latest.

        Only addresses that are globally routable; internal hosts never. With `by_day` their days are counted, which
        takes longer.
        """
        ...

    def put_sensors(self, statuses: Sequence[SensorStatus]) -> None:
        """Replace the heartbeats of these (sensor, path) pairs."""
        ...

    def sensors(self) -> Sequence[SensorStatus]: ...

    def close(self) -> None: ...
