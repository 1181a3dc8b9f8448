"""The file of the outbox: its tables, and how it is opened."""

import os
import sqlite3
from pathlib import Path

from trailhound.errors import StoreDamaged

APPLICATION_ID = 0x5472_4F62
VERSION = 1
_PATIENCE = 10.0
_MODE = 0o600  # Events of all networks stand in it.
_TABLES = f"""
CREATE TABLE targets (
    name TEXT PRIMARY KEY, delivered INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0,
    quiet INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0, buried INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0, last_delivery INTEGER, problem TEXT NOT NULL DEFAULT '', problem_at INTEGER,
    resume INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE waiting (
    id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, event TEXT NOT NULL, made INTEGER NOT NULL,
    due INTEGER NOT NULL, tries INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (target, event)
) STRICT;
CREATE INDEX waiting_due ON waiting (target, due, id);
CREATE INDEX waiting_made ON waiting (target, made);
CREATE TABLE dead (
    id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, event TEXT NOT NULL, made INTEGER NOT NULL,
    died INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX dead_target ON dead (target, id);
CREATE TABLE told (
    target TEXT NOT NULL, threat TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (target, threat)
) STRICT, WITHOUT ROWID;
CREATE TABLE progress (cursor TEXT, event TEXT NOT NULL, ingested INTEGER NOT NULL, begun INTEGER NOT NULL) STRICT;
CREATE TABLE shown (
    collection TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, version TEXT NOT NULL, custom INTEGER NOT NULL,
    added INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (collection, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX shown_added ON shown (collection, added);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for all threads of a process, which take turns; make it when it is not there."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE))
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        # What a power cut takes from the end is read from the store, or sent, once more.
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -4096", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new file, and refuse one that is not ours."""
    connection.execute("BEGIN IMMEDIATE")
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    is_new = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if is_new:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
    connection.execute("COMMIT")
    if not is_new and application != APPLICATION_ID:
        raise StoreDamaged(f"{path}: this is a database of another program, the outbox was expected")
    if not is_new and version != VERSION:
        raise StoreDamaged(
            f"{path}: the outbox has version {version}, this Trailhound knows version {VERSION}: move it away"
        )
