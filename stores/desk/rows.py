"""What a desk is kept in: rows with a version, an audit log, and answers that may be asked for again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from stores.desk.contract import AuditEntry, AuditQuery, Noun, SavedAnswer
from trailhound.record import MICROSECONDS

DAY = 86_400 * MICROSECONDS
ANSWERS_KEPT = DAY
LEASE = 60 * MICROSECONDS
# What has ended is of use to whoever asks what has ended since; the audit log to whoever asks why.
ENDED_KEPT = 90 * DAY
AUDIT_KEPT = 2 * 365 * DAY


@dataclass(frozen=True, slots=True)
class Row:
    """One thing: `label` and `ends` are what it is found by, `body` is all of it but its version."""

    noun: Noun
    id: str
    version: int
    label: str
    changed: int
    ends: int | None
    body: Mapping[str, Any]


class Rows(Protocol):
    """As `stores.desk.contract.Desk`, without knowing what the things are."""

    def get(self, noun: Noun, ids: Collection[str]) -> Sequence[Row]: ...

    def find(
        self, noun: Noun, *, limit: int, labels: Collection[str] = (), ends_after: int | None = None
    ) -> Sequence[Row]:
        """Give rows with one of these labels (none: any), that end after then or never; the latest change first."""
        ...

    def count(self, noun: Noun, ends_after: int) -> int: ...

    def put(self, row: Row, entry: AuditEntry) -> None:
        """Write the row with the audit entry if the version before is one less. Raises `StoreConflict`."""
        ...

    def drop(self, row: Row, entry: AuditEntry) -> None:
        """Remove the row with this version. Raises `StoreConflict`."""
        ...

    def mark(self, noun: Noun) -> str: ...

    def record(self, entry: AuditEntry) -> None: ...

    def audit(self, query: AuditQuery, *, limit: int, before: str | None) -> Sequence[AuditEntry]:
        """Give entries whose id is less than `before`, the greatest first."""
        ...

    def begin(self, key: str, fingerprint: str, now: int) -> SavedAnswer: ...

    def finish(self, key: str, answer: SavedAnswer) -> None: ...

    def abandon(self, key: str) -> None: ...

    def sweep(self, now: int) -> None:
        """Let go of what nobody asks for any more."""
        ...

    def close(self) -> None: ...
