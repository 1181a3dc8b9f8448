"""Stores as older versions made them: their tables, letter by letter, with the events of today's factory."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import zstandard

from stores.embedded import open_embedded
from stores.embedded.bodies import pack
from stores.embedded.codes import key_of
from trailhound.event import Event

_TABLES_3 = """
CREATE TABLE texts (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE, folded TEXT) STRICT;
CREATE TABLE addresses (
    id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, packed TEXT
) STRICT;
CREATE INDEX addresses_packed ON addresses (packed);
CREATE TABLE wordings (
    id INTEGER PRIMARY KEY, digest INTEGER NOT NULL, observed TEXT NOT NULL, message TEXT NOT NULL, folded TEXT
) STRICT;
CREATE INDEX wordings_digest ON wordings (digest);

CREATE TABLE facets (
    id INTEGER PRIMARY KEY, severity INTEGER NOT NULL, kind INTEGER NOT NULL, class INTEGER NOT NULL,
    direction INTEGER NOT NULL, protocol INTEGER, sensor INTEGER, dataset INTEGER,
    custom INTEGER NOT NULL
) STRICT;
CREATE TABLE threats (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, source INTEGER, kind INTEGER NOT NULL, trail INTEGER,
    severity INTEGER NOT NULL, records INTEGER NOT NULL, events INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL
) STRICT;
CREATE TABLE threat_details (threat INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE profiles (
    id INTEGER PRIMARY KEY, threat INTEGER NOT NULL, facet INTEGER NOT NULL, severity INTEGER NOT NULL, info INTEGER,
    source INTEGER, trail INTEGER, attacker INTEGER NOT NULL
) STRICT;
CREATE INDEX profiles_threat ON profiles (threat);
CREATE INDEX profiles_source ON profiles (source);
CREATE INDEX profiles_trail ON profiles (trail);
CREATE INDEX profiles_info ON profiles (info);
CREATE INDEX profiles_attacker ON profiles (source, facet, info, severity) WHERE attacker;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY, id ANY NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, count INTEGER NOT NULL,
    profile INTEGER NOT NULL, destination INTEGER, wording INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_id ON events (id);
CREATE INDEX events_start ON events (start, profile, count, destination, wording);
CREATE INDEX events_profile ON events (profile, start, count, destination);
CREATE INDEX events_destination ON events (destination, start, profile, count);

CREATE TABLE compressions (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE sensors (
    sensor TEXT NOT NULL, path TEXT NOT NULL, log TEXT NOT NULL, records INTEGER NOT NULL, matches INTEGER NOT NULL,
    unreadable INTEGER NOT NULL, lag_bytes INTEGER NOT NULL, lost_bytes INTEGER NOT NULL, last_record INTEGER,
    last_read INTEGER, updated INTEGER NOT NULL, problem TEXT, warning TEXT, lag_seconds REAL NOT NULL,
    retries INTEGER NOT NULL, clock_skew INTEGER, usual_gap INTEGER NOT NULL, PRIMARY KEY (sensor, path)
) STRICT, WITHOUT ROWID;
"""
_CUSTOM = """dataset INTEGER,
    custom INTEGER NOT NULL
"""
_ROLLUPS = {
    "facet": ("facet", ("all", "days", "hours")),
    "profile": ("profile", ("all", "days", "hours")),
    "destination": ("destination facet", ("all", "days", "hours")),
    "source": ("source facet", ("all", "days")),
    "trail": ("trail facet", ("all", "days")),
    "info": ("info facet", ("all", "days")),
    "threat": ("threat severity", ("days",)),
}
_COUNTS = "records INTEGER NOT NULL, events INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL"


def make_old(path: Path, version: int, events: Sequence[Event]) -> None:
    """Make a store of version 2 or 3 that holds these events."""
    today = path.with_name("today.sqlite")
    # Version 2 told trails of the site's own only in the bodies.
    store = open_embedded(today)
    store.append([replace(one, trail=replace(one.trail, custom=version > 2 and one.trail.custom)) for one in events])
    store.close()
    old = sqlite3.connect(path, isolation_level=None)
    tables = _TABLES_3 if version > 2 else _TABLES_3.replace(_CUSTOM, "dataset INTEGER\n")
    old.executescript(f"PRAGMA application_id = {0x54724864}; PRAGMA user_version = {version}; {tables} {_rollups()}")
    old.execute("ATTACH ? AS today", (str(today),))
    for (table,) in old.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
        columns = ", ".join(row[1] for row in old.execute(f"PRAGMA main.table_info({table})"))
        old.execute(f"INSERT INTO main.{table} SELECT {columns} FROM today.{table}")
    squeeze = zstandard.ZstdCompressor().compress
    old.executemany(
        "UPDATE main.events SET body = ? WHERE id = ?", [(squeeze(pack(one)), key_of(one.id)) for one in events]
    )
    old.execute("DETACH today")
    old.execute("PRAGMA journal_mode = WAL")
    old.close()
    today.unlink()


def _rollups() -> str:
    made = []
    for family, (key, levels) in _ROLLUPS.items():
        for level in levels:
            names = key.split() if level == "all" else ["period", *key.split()]
            columns = ", ".join(f"{name} INTEGER NOT NULL" for name in names)
            made.append(
                f"CREATE TABLE {family}_{level} ({columns}, {_COUNTS}, PRIMARY KEY ({', '.join(names)})) "
                "STRICT, WITHOUT ROWID;"
            )
    return " ".join(made)
