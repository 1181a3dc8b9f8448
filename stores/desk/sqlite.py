"""Rows of a desk in one SQLite file, for all processes of this host."""

import json
import secrets
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from stores.desk.contract import AuditEntry, AuditQuery, Noun, SavedAnswer
from stores.desk.rows import ANSWERS_KEPT, AUDIT_KEPT, ENDED_KEPT, LEASE, Row
from stores.embedded.connections import explained
from stores.files import Kind, transaction
from trailhound.errors import StoreConflict, StoreDamaged, StoreUnavailable

_PATIENCE = 5.0
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "cache_size = -2048")
_FOREVER = 2**63 - 1
_TABLES = """
CREATE TABLE things (
    noun TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, label TEXT NOT NULL, changed INTEGER NOT NULL,
    ends INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (noun, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX things_label ON things (noun, label, changed);
CREATE INDEX things_ends ON things (noun, ends);
CREATE TABLE marks (noun TEXT PRIMARY KEY, changes INTEGER NOT NULL) STRICT;
CREATE TABLE audit (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, address TEXT NOT NULL, action TEXT NOT NULL,
    object TEXT NOT NULL, before TEXT, after TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_object ON audit (object, id);
CREATE INDEX audit_who ON audit (who, id);
CREATE TABLE answers (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, id TEXT NOT NULL, made INTEGER NOT NULL, leased INTEGER NOT NULL,
    status INTEGER NOT NULL, body TEXT NOT NULL, headers TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""
DESK = Kind(
    name="the desk",
    application_id=0x5472446B,
    version=1,
    tables=_TABLES,
    mode=0o640,
    remedy="run the Trailhound that wrote it",
)


class SqliteRows:
    """`stores.desk.rows.Rows` in a file that is made when it is first used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = RLock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    def get(self, noun: Noun, ids: Collection[str]) -> Sequence[Row]:
        asked = json.dumps(list(ids))
        with self._open() as connection:
            found = connection.execute(
                "SELECT * FROM things WHERE noun = ? AND id IN (SELECT value FROM json_each(?))", (noun, asked)
            )
            return [self._row(row) for row in found]

    def find(
        self, noun: Noun, *, limit: int, labels: Collection[str] = (), ends_after: int | None = None
    ) -> Sequence[Row]:
        conditions, values = ["noun = ?"], [str(noun)]
        if labels:
            conditions.append("label IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(labels)))
        given: list[str | int] = [*values]
        if ends_after is not None:
            conditions.append("ends > ?")
            given.append(ends_after)
        where = " AND ".join(conditions)
        with self._open() as connection:
            found = connection.execute(
                f"SELECT * FROM things WHERE {where} ORDER BY changed DESC, id LIMIT ?",  # noqa: S608 - words of ours
                (*given, limit),
            )
            return [self._row(row) for row in found]

    def count(self, noun: Noun, ends_after: int) -> int:
        with self._open() as connection:
            asked = connection.execute("SELECT count(*) FROM things WHERE noun = ? AND ends > ?", (noun, ends_after))
            return int(asked.fetchone()[0])

    def put(self, row: Row, entry: AuditEntry) -> None:
        ends = _FOREVER if row.ends is None else row.ends
        with self._change(row.noun) as connection:
            if row.version == 1:
                done = connection.execute(
                    "INSERT INTO things VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (row.noun, row.id, row.label, row.changed, ends, _json(row.body)),
                )
            else:
                done = connection.execute(
                    "UPDATE things SET version = ?, label = ?, changed = ?, ends = ?, body = ?"
                    " WHERE noun = ? AND id = ? AND version = ?",
                    (row.version, row.label, row.changed, ends, _json(row.body), row.noun, row.id, row.version - 1),
                )
            _expect(done, row)
            _log(connection, entry)

    def drop(self, row: Row, entry: AuditEntry) -> None:
        with self._change(row.noun) as connection:
            done = connection.execute(
                "DELETE FROM things WHERE noun = ? AND id = ? AND version = ?", (row.noun, row.id, row.version - 1)
            )
            _expect(done, row)
            _log(connection, entry)

    def mark(self, noun: Noun) -> str:
        with self._open() as connection:
            found = connection.execute("SELECT changes FROM marks WHERE noun = ?", (noun,)).fetchone()
        return str(found[0] if found else 0)

    def record(self, entry: AuditEntry) -> None:
        with self._open() as connection:
            _log(connection, entry)

    def audit(self, query: AuditQuery, *, limit: int, before: str | None) -> Sequence[AuditEntry]:
        wanted = {
            "at >= ?": query.since,
            "at < ?": query.until,
            "who = ?": query.who,
            "action = ?": query.action,
            "object = ?": query.object,
            "id < ?": before,
        }
        given = {condition: value for condition, value in wanted.items() if value is not None}
        where = " AND ".join(given) or "TRUE"
        with self._open() as connection:
            found = connection.execute(
                f"SELECT who, address, at, action, object, before, after, id FROM audit WHERE {where}"  # noqa: S608
                " ORDER BY id DESC LIMIT ?",
                (*given.values(), limit),
            )
            return [_entry(row) for row in found]

    def begin(self, key: str, fingerprint: str, now: int) -> SavedAnswer:
        with self._change() as connection:
            connection.execute("DELETE FROM answers WHERE key = ? AND made < ?", (key, now - ANSWERS_KEPT))
            first = (key, fingerprint, secrets.token_hex(8), now, now + LEASE)
            done = connection.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?, 0, '', '{}') ON CONFLICT DO NOTHING", first
            )
            mine = (
                done.rowcount
                or connection.execute(
                    "UPDATE answers SET leased = ? WHERE key = ? AND fingerprint = ? AND status = 0 AND leased < ?",
                    (now + LEASE, key, fingerprint, now),
                ).rowcount
            )
            asked = connection.execute(
                "SELECT fingerprint, id, status, body, headers FROM answers WHERE key = ?", (key,)
            )
            known, id_, status, body, headers = asked.fetchone()
            return SavedAnswer(known, id_, status, body, json.loads(headers), is_taken=not mine and not status)

    def finish(self, key: str, answer: SavedAnswer) -> None:
        with self._open() as connection:
            connection.execute(
                "UPDATE answers SET status = ?, body = ?, headers = ? WHERE key = ? AND id = ?",
                (answer.status, answer.body, _json(answer.headers), key, answer.id),
            )

    def abandon(self, key: str) -> None:
        with self._open() as connection:
            connection.execute("UPDATE answers SET leased = 0 WHERE key = ? AND status = 0", (key,))

    def sweep(self, now: int) -> None:
        with self._change() as connection:
            connection.execute("DELETE FROM answers WHERE made < ?", (now - ANSWERS_KEPT,))
            connection.execute("DELETE FROM things WHERE ends < ?", (now - ENDED_KEPT,))
            connection.execute("DELETE FROM audit WHERE at < ?", (now - AUDIT_KEPT,))

    def close(self) -> None:
        with self._turn:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._turn, explained(self._path):
            if self._closed:
                raise StoreUnavailable(f"{self._path}: the desk is closed")
            if self._connection is None:
                self._connection = DESK.connect(self._path, _PRAGMAS, _PATIENCE)
            yield self._connection

    @contextmanager
    def _change(self, noun: Noun | None = None) -> Iterator[sqlite3.Connection]:
        """Do all or nothing, and count it as a change of things of this kind."""
        with self._open() as connection, transaction(connection):
            yield connection
            if noun is not None:
                connection.execute(
                    "INSERT INTO marks VALUES (?, 1) ON CONFLICT (noun) DO UPDATE SET changes = changes + 1",
                    (noun,),
                )

    def _row(self, row: Sequence[str | int]) -> Row:
        noun, id_, version, label, changed, ends, body = row
        try:
            return Row(
                Noun(str(noun)),
                str(id_),
                int(version),
                str(label),
                int(changed),
                None if ends == _FOREVER else int(ends),
                json.loads(str(body)),
            )
        except ValueError as error:
            raise StoreDamaged(f"{self._path}: the {noun} {id_} cannot be read: {error}") from error


def _expect(done: sqlite3.Cursor, row: Row) -> None:
    if not done.rowcount:
        raise StoreConflict(f"{row.noun.value} {row.id}: somebody else has changed it; look at it again")


def _log(connection: sqlite3.Connection, entry: AuditEntry) -> None:
    before = None if entry.before is None else _json(entry.before)
    after = None if entry.after is None else _json(entry.after)
    facts = (entry.id, entry.at, entry.who, entry.address, entry.action, entry.object, before, after)
    connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)", facts)


def _entry(row: tuple[str, str, int, str, str, str | None, str | None, str]) -> AuditEntry:
    who, address, at, action, object_, before, after, id_ = row
    return AuditEntry(who, address, at, action, object_, json.loads(before or "null"), json.loads(after or "null"), id_)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
