"""The desk: things with their versions, kept in rows of whatever kind."""

import itertools
import secrets
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from stores import cursors
from stores.desk import contract
from stores.desk.contract import (
    AuditEntry,
    AuditPage,
    AuditQuery,
    Author,
    Cleared,
    CustomTrail,
    Decision,
    Noun,
    SavedAnswer,
    Triage,
    TriageState,
)
from stores.desk.rows import DAY, Row, Rows
from trailhound.errors import StoreConflict, StoreDamaged, StoreFull

_Thing = TypeVar("_Thing", Triage, Decision, CustomTrail, Cleared)
_MOST = {
    Noun.DECISION: contract.MAX_DECISIONS,
    Noun.TRAIL: contract.MAX_TRAILS,
    Noun.CLEARED: contract.MAX_CLEARED,
}
# Of decisions, with those that ended.
_MOST_READ = 2 * contract.MAX_DECISIONS
_ORDER = "audit"
_COUNT = itertools.count()


@dataclass(frozen=True, slots=True)
class _Decisions:
    """All decisions that had not ended at a time, as long as none changes. There can be many, and lists are polled."""

    mark: str
    since: int
    found: Sequence[Decision]


class KeptDesk:
    """`stores.desk.contract.Desk` over rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._decisions: _Decisions | None = None
        self._swept = 0
        self._sweeping = threading.Lock()

    def triage(self, threat: str) -> Triage:
        return self._one(Noun.TRIAGE, threat, Triage) or Triage(threat)

    def triages(self, threats: Collection[str]) -> Mapping[str, Triage]:
        return {row.id: _thing(row, Triage) for row in self._rows.get(Noun.TRIAGE, threats)} if threats else {}

    def triaged(self, states: Collection[TriageState], *, limit: int = contract.MAX_TRIAGED) -> Sequence[Triage]:
        return [_thing(row, Triage) for row in self._rows.find(Noun.TRIAGE, labels=states, limit=limit)]

    def put_triage(self, triage: Triage, author: Author) -> Triage:
        triage = replace(triage, by=author.who, at=author.at)
        before = self.triage(triage.threat)
        row = _row(Noun.TRIAGE, triage.threat, triage, triage.state, author)
        return self._put(row, triage, before if before.version else None, "triage.set", author)

    def decision(self, id_: str) -> Decision | None:
        return self._one(Noun.DECISION, id_, Decision)

    def decisions(self, *, now: int, ended_since: int | None = None) -> Sequence[Decision]:
        since = now if ended_since is None else min(now, ended_since)
        mark = self._rows.mark(Noun.DECISION)
        kept = self._decisions
        if kept is None or kept.mark != mark or kept.since > since:
            rows = self._rows.find(Noun.DECISION, ends_after=since, limit=_MOST_READ)
            found = sorted((_thing(row, Decision) for row in rows), key=lambda one: (one.made, one.id))
            kept = self._decisions = _Decisions(mark, since, found)
        return [one for one in kept.found if one.ends is None or one.ends > since]

    def add_decision(self, decision: Decision, author: Author) -> Decision:
        decision = replace(decision, by=author.who, made=author.at, version=contract.ABSENT)
        row = _row(Noun.DECISION, decision.id, decision, decision.verdict, author, decision.ends)
        return self._add(row, decision, "decision.add", author)

    def change_decision(self, decision: Decision, author: Author) -> Decision:
        before = self.decision(decision.id)
        row = _row(Noun.DECISION, decision.id, decision, decision.verdict, author, decision.ends)
        return self._put(row, decision, before, "decision.change", author)

    def lift_decision(self, id_: str, version: int, author: Author) -> Decision | None:
        before = self.decision(id_)
        if before is None:
            return None
        if not before.in_force(author.at):
            return before
        lifted = replace(before, ends=author.at, lifted_by=author.who, version=version)
        row = _row(Noun.DECISION, id_, lifted, before.verdict, author, author.at)
        return self._put(row, lifted, before, "decision.lift", author)

    def trail(self, id_: str) -> CustomTrail | None:
        return self._one(Noun.TRAIL, id_, CustomTrail)

    def trails(self, *, now: int, expired_since: int | None = None) -> Sequence[CustomTrail]:
        rows = self._rows.find(
            Noun.TRAIL, ends_after=now if expired_since is None else min(now, expired_since), limit=_MOST[Noun.TRAIL]
        )
        found = (_thing(row, CustomTrail) for row in rows)
        return sorted((one for one in found if not one.removed_by), key=lambda one: (one.made, one.id))

    def add_trail(self, trail: CustomTrail, author: Author) -> CustomTrail:
        trail = replace(trail, by=author.who, made=author.at, version=contract.ABSENT)
        return self._add(
            _row(Noun.TRAIL, trail.id, trail, trail.kind, author, trail.expires), trail, "trail.add", author
        )

    def change_trail(self, trail: CustomTrail, author: Author) -> CustomTrail:
        before = self.trail(trail.id)
        row = _row(Noun.TRAIL, trail.id, trail, trail.kind, author, trail.expires)
        return self._put(row, trail, before, "trail.change", author)

    def remove_trail(self, id_: str, version: int, author: Author) -> CustomTrail | None:
        before = self.trail(id_)
        if before is None or before.removed_by:
            return before
        removed = replace(before, removed_by=author.who, version=version)
        row = _row(Noun.TRAIL, id_, removed, before.kind, author, author.at)
        return self._put(row, removed, before, "trail.remove", author)

    def cleared(self, address: str) -> Cleared | None:
        return self._one(Noun.CLEARED, address, Cleared)

    def all_cleared(self) -> Sequence[Cleared]:
        rows = self._rows.find(Noun.CLEARED, limit=_MOST[Noun.CLEARED])
        return sorted((_thing(row, Cleared) for row in rows), key=lambda one: one.address)

    def clear(self, cleared: Cleared, author: Author) -> Cleared:
        cleared = replace(cleared, by=author.who, at=author.at)
        before = self.cleared(cleared.address)
        if before is None:
            self._expect_room(Noun.CLEARED, author.at)
        row = _row(Noun.CLEARED, cleared.address, cleared, "", author)
        return self._put(row, cleared, before, "cleared.set", author)

    def unclear(self, address: str, version: int, author: Author) -> Cleared | None:
        before = self.cleared(address)
        if before is not None:
            row = _row(Noun.CLEARED, address, replace(before, version=version), "", author)
            self._rows.drop(row, _entry(Noun.CLEARED, address, "cleared.forget", author, _body(before), None))
        return before

    def mark(self, noun: Noun) -> str:
        return self._rows.mark(noun)

    def record(self, entry: AuditEntry) -> None:
        self._rows.record(replace(entry, id=_new_id(entry.at)))

    def audit(self, query: AuditQuery, *, limit: int = 100, cursor: str | None = None) -> AuditPage:
        before = str(cursors.read(cursor, _ORDER, (str,))[0]) if cursor is not None else None
        found = self._rows.audit(query, limit=limit + 1, before=before)
        more = len(found) > limit
        return AuditPage(found[:limit], cursors.write(_ORDER, (found[limit - 1].id,)) if more else None)

    def begin(self, key: str, fingerprint: str, now: int) -> SavedAnswer:
        self._sweep(now)
        return self._rows.begin(key, fingerprint, now)

    def finish(self, key: str, answer: SavedAnswer) -> None:
        self._rows.finish(key, answer)

    def abandon(self, key: str) -> None:
        self._rows.abandon(key)

    def close(self) -> None:
        self._rows.close()

    def _one(self, noun: Noun, id_: str, what: type[_Thing]) -> _Thing | None:
        found = self._rows.get(noun, (id_,))
        return _thing(found[0], what) if found else None

    def _add(self, row: Row, thing: _Thing, action: str, author: Author) -> _Thing:
        there = self._one(row.noun, row.id, type(thing))
        if there is not None:
            return there
        self._expect_room(row.noun, author.at)
        try:
            return self._put(row, thing, None, action, author)
        except StoreConflict:
            there = self._one(row.noun, row.id, type(thing))
            if there is None:
                raise
            return there

    def _put(self, row: Row, thing: _Thing, before: _Thing | None, action: str, author: Author) -> _Thing:
        self._sweep(author.at)
        # The log says what was changed, and that is what the author saw: another version is refused anyway.
        was = _body(before) if before is not None and before.version == thing.version else None
        self._rows.put(row, _entry(row.noun, row.id, action, author, was, row.body))
        return replace(thing, version=row.version)

    def _expect_room(self, noun: Noun, now: int) -> None:
        most = _MOST[noun]
        if self._rows.count(noun, now) >= most:
            raise StoreFull(f"there are {most:,} of the kind {noun.value!r}, and there may not be more")

    def _sweep(self, now: int) -> None:
        with self._sweeping:
            if abs(now - self._swept) < DAY // 24:
                return
            self._swept = now
        self._rows.sweep(now)


def _row(noun: Noun, id_: str, thing: Any, label: str, author: Author, ends: int | None = None) -> Row:
    return Row(noun, id_, thing.version + 1, str(label), author.at, ends, _body(thing))


def _body(thing: Any) -> Mapping[str, Any]:
    """Give what a thing is, without its version and what is unknown of it."""
    body: dict[str, Any] = msgspec.to_builtins(thing)
    return {name: value for name, value in body.items() if name != "version" and value is not None}


def _thing(row: Row, what: type[_Thing]) -> _Thing:
    try:
        return msgspec.convert({**row.body, "version": row.version}, type=what)
    except msgspec.ValidationError as error:
        raise StoreDamaged(f"desk: the {row.noun.value} {row.id} cannot be read: {error}") from error


def _entry(
    noun: Noun,
    id_: str,
    action: str,
    author: Author,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> AuditEntry:
    object_ = f"{noun.value}/{id_}"
    return AuditEntry(author.who, author.address, author.at, action, object_, before, after, _new_id(author.at))


def _new_id(at: int) -> str:
    """Name an entry so that names sort as entries were made, those of one moment by their order in this process."""
    return f"{max(at, 0):016x}{next(_COUNT) & 0xFFFFFFFF:08x}{secrets.token_hex(4)}"
