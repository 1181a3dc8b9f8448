"""The file of users, sessions and keys: for our own user only, and for all processes of this state directory."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from stores.embedded.connections import explained
from stores.files import Kind, transaction
from trailhound.errors import StoreUnavailable

_PATIENCE = 5.0
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")
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
ACCOUNTS = Kind(
    name="the file of accounts",
    application_id=0x54726841,
    version=1,
    tables=_TABLES,
    mode=0o600,
    remedy="move the file away, or run the Trailhound that wrote it",
)


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
            with transaction(connection):
                yield connection

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreUnavailable(f"{self.path}: the accounts are closed")
        if self._connection is None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._connection = ACCOUNTS.connect(self.path, _PRAGMAS, _PATIENCE)
                # What others were given in between, as by a restored backup, is taken from them.
                self.path.chmod(ACCOUNTS.mode)
            except OSError as error:
                raise StoreUnavailable(f"{self.path}: the accounts cannot be opened: {error.strerror}") from error
        return self._connection
