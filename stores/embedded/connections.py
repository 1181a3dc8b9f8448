"""The file of the embedded store: who may open it, and how."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from stores.embedded.schema import APPLICATION_ID, OLDEST, VERSION, create
from trailhound.errors import StoreDamaged, StoreUnavailable

_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_PATIENCE = 5.0
_IDLE_READERS = 8
# Codes of SQLite for a file that will not get better by waiting. A statement that fails on a table or column of ours
# (ERROR) means that somebody changed the file.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA})
_REASONS = {
    sqlite3.SQLITE_FULL: "there is no space left for it",
    sqlite3.SQLITE_READONLY: "it may not be written to",
    sqlite3.SQLITE_BUSY: "another process holds it",
    sqlite3.SQLITE_LOCKED: "another process holds it",
    sqlite3.SQLITE_CANTOPEN: "it, or its folder, may not be opened",
    sqlite3.SQLITE_IOERR: "the disk does not read or write",
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into errors of ours."""
    try:
        yield
    except sqlite3.ProgrammingError as error:
        if "closed" not in str(error):
            raise
        raise StoreUnavailable(f"{path}: the store is closed") from error
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _DAMAGE:
            raise StoreDamaged(
                f"{path}: the file is damaged ({error}): move it away with its -wal and -shm files, or restore a backup"
            ) from error
        raise StoreUnavailable(f"{path}: {_REASONS.get(code, 'it does not answer')} ({error})") from error


def check(path: Path, *, oldest: int = VERSION) -> int:
    """Give the version of a store, without touching the file; refuse one that is not ours, or older than `oldest`.

    Raises `FileNotFoundError` for none, or an empty one.
    """
    try:
        with path.open("rb") as stream:
            header = stream.read(_HEADER)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreUnavailable(f"{path}: the store cannot be read: {error.strerror}") from error
    if not header:
        raise FileNotFoundError(path)
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        raise StoreDamaged(
            f"{path}: this is no store of Trailhound but some other file: name another path in `store.path`"
        )
    version, application = (int.from_bytes(header[place : place + 4], "big") for place in (60, 68))
    if application != APPLICATION_ID:
        raise StoreDamaged(f"{path}: this is a database of another program: name another path in `store.path`")
    if version > VERSION or version < OLDEST:
        raise StoreDamaged(
            f"{path}: the store has version {version}, this Trailhound knows versions {OLDEST} to {VERSION}: "
            "run the Trailhound that wrote it, or name another path in `store.path`"
        )
    if version < oldest:
        raise StoreUnavailable(
            f"{path}: the store has version {version} still: it is upgraded to version {VERSION} when "
            "`trailhound run` or `trailhound scan` starts"
        )
    return version


class WriterLock:
    """Hold the right to write to a store, from opening until `release`; the kernel gives it up when we die."""

    def __init__(self, path: Path) -> None:
        beside = path.with_name(f"{path.name}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(beside, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreUnavailable(f"{path}: the store cannot be opened for writing: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise StoreUnavailable(
                f"{path}: another Trailhound is writing to this store: stop it, or open the store for reading only"
            ) from error

    def release(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def make(path: Path) -> None:
    """Make an empty store. Readers see it whole or not at all."""
    unborn = path.with_name(f"{path.name}.new")
    with suppress(FileNotFoundError):
        unborn.unlink()
    connection = sqlite3.connect(unborn, isolation_level=None)
    try:
        connection.execute("PRAGMA page_size = 4096")
        create(connection)
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    unborn.replace(path)


def connect_writer(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    for pragma in (
        "journal_mode = WAL",
        # FULL syncs the log at each commit: what is acknowledged outlives a power cut.
        "synchronous = FULL",
        # Random pages of the totals are written again and again: a longer log lets them meet there first.
        "wal_autocheckpoint = 16384",
        "journal_size_limit = 134217728",
        "cache_size = -8192",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    for pragma in ("query_only = ON", "cache_size = -8192", "mmap_size = 8589934592", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class Readers:
    """Lend connections for reading, one to a thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one state of the store throughout."""
        with explained(self._path):
            connection = self._take()
            healthy = False
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
                healthy = True
            finally:
                self._give_back(connection, healthy=healthy)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreUnavailable(f"{self._path}: the store is closed")
            if self._idle:
                return self._idle.pop()
        return connect_reader(self._path)

    def _give_back(self, connection: sqlite3.Connection, *, healthy: bool) -> None:
        with self._lock:
            if healthy and not self._closed and len(self._idle) < _IDLE_READERS:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
