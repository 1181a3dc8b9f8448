"""What stands in the outbox, as types."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class New:
    """An event for a target, and the threat that it belongs to."""

    target: str
    event: str
    threat: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """An event that waits for a target. `made` is when it was put there (µs), `tries` how often it was refused."""

    id: int
    event: str
    made: int
    tries: int
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that a target did not get, and why. Times are microseconds since the epoch."""

    id: int
    target: str
    event: str
    made: int
    died: int
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the store was followed. Times are microseconds since the epoch.

    `event` is the last one that was looked at, `ingested` the latest time at which one was. What was there before
    `begun` is of no interest.
    """

    cursor: str | None
    event: str
    ingested: int
    begun: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What a target is queued by: how many may wait, and how long further events of a threat are left out (µs)."""

    max_waiting: int
    quiet: int


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """How a target does. Counts are of all time, times microseconds since the epoch.

    `skipped` events were of no use to it, `quiet` ones followed another of their threat, `dropped` ones found the queue
    full, `buried` ones went to the dead letters. `failures` is how often it failed in a row, `resume` when it is tried
    again.
    """

    name: str
    waiting: int
    dead: int
    oldest: int | None
    delivered: int
    skipped: int
    quiet: int
    dropped: int
    buried: int
    failures: int
    last_delivery: int | None
    problem: str
    problem_at: int | None
    resume: int


@dataclass(frozen=True, slots=True)
class Shown:
    """An object of the TAXII server. `added` (µs) is a moment of its own; `custom`: a custom trail is in it."""

    collection: str
    id: str
    type: str
    version: str
    custom: bool
    body: bytes
    added: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """Which objects of the TAXII server: all conditions hold, an empty one always does.

    They were added later than `after` (µs). Without `custom` none of custom trails is given.
    """

    collection: str
    after: int = 0
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    custom: bool = True
