"""The tables of the embedded store. `docs/stores.md` says what each is for."""

import sqlite3

APPLICATION_ID = 0x54724864  # "TrHd" in the header of the file: how we know it for ours.
VERSION = 4
OLDEST = 2  # What can be upgraded to it.
HOUR = 3_600_000_000
DAY = 24 * HOUR

UNITS = {"hours": HOUR, "days": DAY}
# The rollups: what each counts, and over which times. `all` is all time.
_WHAT_IT_COUNTS = {
    "facet": ("facet",),
    "profile": ("profile",),
    "destination": ("destination", "facet"),
    "source": ("source", "facet"),
    "trail": ("trail", "facet"),
    "info": ("info", "facet"),
    "threat": ("threat", "severity"),
}
LEVELS = {
    "facet": ("all", "days", "hours"),
    "profile": ("all", "days", "hours"),
    "destination": ("all", "days", "hours"),
    "source": ("all", "days"),
    "trail": ("all", "days"),
    "info": ("all", "days"),
    "threat": ("days",),
}

_TABLES = """
CREATE TABLE texts (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE, folded TEXT) STRICT;
CREATE TABLE addresses (
    id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, packed TEXT
) STRICT;
CREATE INDEX addresses_packed ON addresses (packed);
CREATE TABLE wordings (
    id INTEGER PRIMARY KEY, digest INTEGER NOT NULL, observed TEXT NOT NULL, message TEXT NOT NULL, folded TEXT
) STRICT;
CREATE INDEX wordings_digest ON wordings (digest);
CREATE VIRTUAL TABLE wordings_grams USING fts5 (
    text, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1'
);

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
CREATE INDEX threats_numbers ON threats (severity, records, last, first);
CREATE TABLE threat_details (threat INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE profiles (
    id INTEGER PRIMARY KEY, threat INTEGER NOT NULL, facet INTEGER NOT NULL, severity INTEGER NOT NULL, info INTEGER,
    source INTEGER, trail INTEGER, attacker INTEGER NOT NULL
) STRICT;
CREATE INDEX profiles_threat ON profiles (threat);
CREATE INDEX profiles_source ON profiles (source);
CREATE INDEX profiles_trail ON profiles (trail);
CREATE INDEX profiles_info ON profiles (info);
CREATE INDEX profiles_facet ON profiles (facet, threat, source, trail);
CREATE INDEX profiles_attacker ON profiles (source, facet, info, severity) WHERE attacker;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY, id ANY NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, count INTEGER NOT NULL,
    profile INTEGER NOT NULL, destination INTEGER, wording INTEGER NOT NULL, body BLOB NOT NULL,
    source_port INTEGER, destination_port INTEGER
) STRICT;
CREATE UNIQUE INDEX events_id ON events (id);
CREATE INDEX events_start ON events (
    start, profile, count, destination, wording, source_port, destination_port
);
CREATE INDEX events_wording ON events (wording);
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
# As in `SensorStatus`, one after the other.
SENSOR_COLUMNS = (
    "sensor, log, path, records, matches, unreadable, lag_bytes, lost_bytes, last_record, last_read, updated, problem, "
    "warning, lag_seconds, retries, clock_skew, usual_gap"
)
_COUNTS = "records INTEGER NOT NULL, events INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL"


def statements() -> str:
    """Give the statements that make an empty store."""
    return _TABLES + "".join(
        f"CREATE TABLE {family}_{level} ({', '.join(f'{name} INTEGER NOT NULL' for name in key)}, {_COUNTS}, "
        f"PRIMARY KEY ({', '.join(key)})) STRICT, WITHOUT ROWID;\n"
        for family, levels in LEVELS.items()
        for level in levels
        for key in [rollup_key(family, level)]
    )


def rollup_key(family: str, level: str) -> tuple[str, ...]:
    """Name the key columns of a rollup: what it counts, after the number of the hour or day."""
    return _WHAT_IT_COUNTS[family] if level == "all" else ("period", *_WHAT_IT_COUNTS[family])


def upsert(family: str, level: str) -> str:
    """Give the statement that adds (key..., records, events, first, last) to a rollup."""
    key = rollup_key(family, level)
    return (
        f"INSERT INTO {family}_{level} VALUES ({', '.join('?' * (len(key) + 4))}) "  # noqa: S608 - names of ours
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET records = records + excluded.records, "
        "events = events + excluded.events, first = min(first, excluded.first), last = max(last, excluded.last)"
    )


def create(connection: sqlite3.Connection) -> None:
    """Make an empty store in an empty database."""
    connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};")
    connection.executescript(f"BEGIN; {statements()} COMMIT;")
