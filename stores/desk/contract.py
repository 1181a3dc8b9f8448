"""What every desk promises: what people make of events, and do about them.

All times are microseconds since the epoch. Many processes use one desk at the same time. Every change stands in the
audit log, and is refused when somebody else was quicker: whoever changes a thing says which version of it they saw.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from trailhound.trail import TrailClass, TrailKind

ABSENT = 0  # The version of what is not there yet.
MAX_NOTE = 4000
MAX_REASON = 1000
MAX_TAGS = 20
MAX_TAG = 64
MAX_NAME = 255
# More do not belong on a desk but on a list: `trails.custom`, a feed.
MAX_DECISIONS = 100_000
MAX_TRAILS = 10_000
MAX_CLEARED = 100_000
MAX_TRIAGED = 50_000


class TriageState(StrEnum):
    """How far a person has come with a threat."""

    NEW = "new"
    INVESTIGATING = "investigating"
    RESOLVED = "resolved"
    FALSE_POSITIVE = "false positive"


class Verdict(StrEnum):
    """What a decision says of a value: it is to be blocked, or never to be."""

    BLOCK = "block"
    ALLOW = "allow"


class DecisionScope(StrEnum):
    """What a decision is about."""

    ADDRESS = "address"
    RANGE = "range"
    DOMAIN = "domain"


class Noun(StrEnum):
    """The kinds of things on a desk, as the audit log names them."""

    TRIAGE = "triage"
    DECISION = "decision"
    TRAIL = "trail"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes something: a name, from which address (empty at the command line of this host), when."""

    who: str
    address: str
    at: int


@dataclass(frozen=True, slots=True)
class Triage:
    """What people make of a threat. `version` 0: nobody has said anything of it yet."""

    threat: str
    state: TriageState = TriageState.NEW
    note: str = ""
    tags: tuple[str, ...] = ()
    assignee: str = ""
    by: str = ""
    at: int = 0
    version: int = ABSENT


@dataclass(frozen=True, slots=True)
class Decision:
    """Block or allow a value, because of a reason. `value` is canonical.

    It is in force from `made` until `ends` (None: for good). `ends` is when it runs out or, with `lifted_by`, when it
    was lifted.
    """

    id: str
    verdict: Verdict
    scope: DecisionScope
    value: str
    reason: str
    by: str
    made: int
    ends: int | None = None
    lifted_by: str = ""
    version: int = ABSENT

    def in_force(self, now: int) -> bool:
        return self.ends is None or now < self.ends


@dataclass(frozen=True, slots=True)
class CustomTrail:
    """A trail that a person added. `value` is canonical; `expires` and `removed` as `ends` and `lifted` of decisions.

    What happened before `expires` meets it still; one that was removed is met by nothing.
    """

    id: str
    kind: TrailKind
    value: str
    info: str
    class_: TrailClass
    confidence: int
    reference: str
    reason: str
    by: str
    made: int
    expires: int | None = None
    removed_by: str = ""
    version: int = ABSENT

    def in_force(self, now: int) -> bool:
        return not self.removed_by and (self.expires is None or now < self.expires)


@dataclass(frozen=True, slots=True)
class Cleared:
    """A host that was found clean at a time: only what it does after that puts it on a block list again."""

    address: str
    reason: str
    by: str
    at: int
    version: int = ABSENT


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change: who, from where, when, what (`decision.add`), of which object, before and after (None: nothing)."""

    who: str
    address: str
    at: int
    action: str
    object: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries: every condition that is set must hold. `since` is inclusive, `until` exclusive."""

    since: int | None = None
    until: int | None = None
    who: str | None = None
    action: str | None = None
    object: str | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, the latest first, and the cursor that goes on after the last of them (None at the end)."""

    entries: Sequence[AuditEntry]
    next: str | None


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """A request that may come again, and what was answered to it.

    `fingerprint` tells it from any other request. `id` is for what the request makes: the same each time, so that what
    was made before somebody died is not made twice. `status` 0: there is no answer yet. `is_taken`: somebody else is at
    work on it.
    """

    fingerprint: str
    id: str
    status: int = 0
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_taken: bool = False


class Desk(Protocol):
    """What people made. Every method may raise `StoreUnavailable` or `StoreDamaged`.

    A change takes the version that its author saw. It raises `StoreConflict` when the thing has another by now, and
    `StoreFull` when there are too many things already; it gives the thing as it is then, with its new version.
    """

    def triage(self, threat: str) -> Triage: ...

    def triages(self, threats: Collection[str]) -> Mapping[str, Triage]:
        """Give what was said of some threats; those of which nothing was said are left out."""
        ...

    def triaged(self, states: Collection[TriageState], *, limit: int = MAX_TRIAGED) -> Sequence[Triage]:
        """Give what is in one of these states because a person said so, the latest first."""
        ...

    def put_triage(self, triage: Triage, author: Author) -> Triage: ...

    def decision(self, id_: str) -> Decision | None: ...

    def decisions(self, *, now: int, ended_since: int | None = None) -> Sequence[Decision]:
        """Give the decisions in force, the oldest first; also those that ended since then, when that is asked for."""
        ...

    def add_decision(self, decision: Decision, author: Author) -> Decision:
        """Add a decision; one whose id is there already is given as it is."""
        ...

    def change_decision(self, decision: Decision, author: Author) -> Decision:
        """Give a decision another end or reason."""
        ...

    def lift_decision(self, id_: str, version: int, author: Author) -> Decision | None:
        """End a decision; None when there is none of this id."""
        ...

    def trail(self, id_: str) -> CustomTrail | None: ...

    def trails(self, *, now: int, expired_since: int | None = None) -> Sequence[CustomTrail]:
        """Give the trails in force, the oldest first; also those that expired (and were not removed) since then."""
        ...

    def add_trail(self, trail: CustomTrail, author: Author) -> CustomTrail:
        """Add a trail; one whose id is there already is given as it is."""
        ...

    def change_trail(self, trail: CustomTrail, author: Author) -> CustomTrail:
        """Give a trail another end, or other words."""
        ...

    def remove_trail(self, id_: str, version: int, author: Author) -> CustomTrail | None:
        """Remove a trail; None when there is none of this id."""
        ...

    def cleared(self, address: str) -> Cleared | None: ...

    def all_cleared(self) -> Sequence[Cleared]:
        """Give all hosts that were cleared, by address."""
        ...

    def clear(self, cleared: Cleared, author: Author) -> Cleared: ...

    def unclear(self, address: str, version: int, author: Author) -> Cleared | None:
        """Forget that a host was cleared; None when it was not."""
        ...

    def mark(self, noun: Noun) -> str:
        """Give a word that is another one after each change of such things; cheap to ask for."""
        ...

    def record(self, entry: AuditEntry) -> None:
        """Put a change that was made elsewhere into the audit log."""
        ...

    def audit(self, query: AuditQuery, *, limit: int = 100, cursor: str | None = None) -> AuditPage: ...

    def begin(self, key: str, fingerprint: str, now: int) -> SavedAnswer:
        """Take up a request that may come again: the answer to it, or, without one, leave to make it.

        Whoever has leave finishes or abandons; after a minute without either, somebody else has leave.
        """
        ...

    def finish(self, key: str, answer: SavedAnswer) -> None:
        """Keep the answer for 24 hours."""
        ...

    def abandon(self, key: str) -> None:
        """Give leave to the next request of this key."""
        ...

    def close(self) -> None: ...
