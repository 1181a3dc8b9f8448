"""The file of users, sessions and keys: for our own user only, and for all processes of this state directory."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock

from stores.embedded.connections import explained
from trailhound.errors import StoreDamaged, StoreUnavailable

APPLICATION_ID = 0x54726841
VERSION = 1
_MODE = 0o600
_PATIENCE = 5.0
_TABLES = """
CREATE TABLE users (
    name TEXT PRIMARY KEY, password TEXT NOT NULL, role TEXT NOT NULL, networks TEXT NOT NULL,
    sees_custom INTEGER NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sessions (
    digest BLOB PRIMARY KEY, id TEXT NOT NULL UNIQUE, user TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    csrf TEXT NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL, address TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user, created);
CREATE TABLE keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, digest BLOB NOT NULL UNIQUE, scopes TEXT NOT NULL,
    networks TEXT NOT NULL, sees_custom INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER, used INTEGER,
    creator TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE VIEW people AS SELECT name, role, networks, sees_custom, created, changed FROM users;
CREATE VIEW shown_keys AS
SELECT id, name, scopes, networks, sees_custom, created, expires, used, creator FROM keys;
"""


class AccountsFile:
    """One connection, lent to one thread at a time; the file is made when it is first used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn = RLock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    def close(self) -> None:
        with self._turn:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self._turn, explained(self.path):
            yield self._open()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection inside a transaction of its own: all or nothing."""
        with self._turn, explained(self.path):
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreUnavailable(f"{self.path}: the accounts are closed")
        if self._connection is None:
            self._make_private()
            connection = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
            try:
                _prepare(connection, self.path)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _make_private(self) -> None:
        """Make the file before SQLite does, which would let others read it; its -wal takes over the mode."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _MODE))
            self.path.chmod(_MODE)
        except OSError as error:
            raise StoreUnavailable(f"{self.path}: the accounts cannot be opened: {error.strerror}") from error


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        _make_tables(connection, path)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _make_tables(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if found == 0 and not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in filter(str.strip, _TABLES.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    elif (found, version) != (APPLICATION_ID, VERSION):
        raise StoreDamaged(
            f"{path}: accounts of version {VERSION} were expected: move the file away, or run the Trailhound that"
            " wrote it"
        )
