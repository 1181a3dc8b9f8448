"""The file of the outbox: its tables, and how it is opened."""

import sqlite3
from pathlib import Path

from stores.files import Kind

_PATIENCE = 10.0
# What a power cut takes from the end is read from the store, or sent, once more.
_PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -4096", "temp_store = MEMORY")
_TABLES = """
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
"""
OUTBOX = Kind(
    name="the outbox",
    application_id=0x5472_4F62,
    version=1,
    tables=_TABLES,
    mode=0o600,  # Events of all networks stand in it.
    remedy="move it away",
)


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for all threads of a process, which take turns; make it when it is not there."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    return OUTBOX.connect(path, _PRAGMAS, _PATIENCE)
