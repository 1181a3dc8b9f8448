"""From the tables of older versions to those of today, in one transaction: a file is of one version or of the next.

A step is frozen: it makes the tables that its version had, whatever `schema` says by now.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import orjson

from stores.embedded.bodies import Unsqueezer
from stores.embedded.codes import grams, port, wording_text
from stores.embedded.recount import recount
from stores.embedded.schema import VERSION
from trailhound.errors import StoreDamaged

_SECONDS_BETWEEN_WORDS = 10.0
_BATCH = 5_000
_Row = TypeVar("_Row")
_log = logging.getLogger(__name__)


def upgrade(path: Path, connection: sqlite3.Connection) -> None:
    """Bring a store to this version. Whoever calls has the right to write, and has seen that it is old."""
    # What is sorted here may be larger than memory.
    connection.execute("PRAGMA temp_store = FILE")
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        begin = time.monotonic()
        for step in range(version, VERSION):
            _log.info("%s: upgrading the store from version %d to %d", path, step, step + 1)
            _STEPS[step](_Upgrade(path, connection))
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    # Whoever opens the file looks for its version in the file itself, not in the log beside it.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if version < VERSION:
        _log.info("%s: the store has version %d now, after %.0f s", path, VERSION, time.monotonic() - begin)


class _Upgrade:
    """A store on its way, and how far it is."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._unsqueezer = Unsqueezer()
        self.connection = connection

    def followed(self, what: str, table: str, rows: Iterable[_Row]) -> Iterator[_Row]:
        """Give rows of a table, and tell now and then how many there were."""
        (every,) = self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - names of ours
        told = time.monotonic()
        for done, row in enumerate(rows):
            if done % _BATCH == 0 and time.monotonic() - told > _SECONDS_BETWEEN_WORDS:
                told = time.monotonic()
                _log.info("%s: %s: %d of %d", self._path, what, done, every)
            yield row

    def facts(self, seq: int, body: bytes) -> list[Any] | None:
        """Read a body; None for one that cannot be read, of which nothing gets lost that was not lost before."""
        try:
            found: list[Any] = orjson.loads(self._unsqueezer.unsqueeze(self.connection, body))
        except (StoreDamaged, orjson.JSONDecodeError) as error:
            _log.warning("%s: event %d cannot be read: %s", self._path, seq, error)
            return None
        return found


def _tell_own_trails(work: _Upgrade) -> None:
    """Give facets the word whether the trail is one of the site's own, as bodies have always had it."""
    connection = work.connection
    connection.execute("ALTER TABLE facets ADD COLUMN custom INTEGER NOT NULL DEFAULT 0")
    profiles: dict[int, int] = {}
    moved = []
    rows = connection.execute("SELECT seq, profile, body FROM events ORDER BY seq")
    for seq, profile, body in work.followed("events looked through", "events", rows):
        facts = work.facts(seq, body)
        if facts is not None and facts[4][4]:
            if profile not in profiles:
                profiles[profile] = _own_profile(connection, profile)
            moved.append((profiles[profile], seq))
    if moved:
        connection.executemany("UPDATE events SET profile = ? WHERE seq = ?", moved)
        connection.execute("DELETE FROM profiles WHERE id NOT IN (SELECT profile FROM events)")
        recount(connection)


def _own_profile(connection: sqlite3.Connection, profile: int) -> int:
    """Make the profile that differs in that alone."""
    rest = "severity, kind, class, direction, protocol, sensor, dataset"
    (facet,) = connection.execute("SELECT facet FROM profiles WHERE id = ?", (profile,)).fetchone()
    known = connection.execute(
        "SELECT own.id FROM facets own JOIN facets f ON f.id = ? WHERE own.custom = 1 AND "  # noqa: S608 - names of ours
        + " AND ".join(f"own.{name} IS f.{name}" for name in rest.split(", ")),
        (facet,),
    ).fetchone()
    if known is None:
        sql = f"INSERT INTO facets ({rest}, custom) SELECT {rest}, 1 FROM facets WHERE id = ?"  # noqa: S608 - names of ours
        known = (connection.execute(sql, (facet,)).lastrowid,)
    rest = "severity, info, source, trail, attacker"
    sql = f"INSERT INTO profiles (threat, facet, {rest}) SELECT threat, ?, {rest} FROM profiles WHERE id = ?"  # noqa: S608 - names of ours
    return int(connection.execute(sql, (*known, profile)).lastrowid or 0)


_EVENTS = """
CREATE TABLE events_4 (
    seq INTEGER PRIMARY KEY, id ANY NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, count INTEGER NOT NULL,
    profile INTEGER NOT NULL, destination INTEGER, wording INTEGER NOT NULL, body BLOB NOT NULL,
    source_port INTEGER, destination_port INTEGER
) STRICT
"""
_INDEXES = (
    "CREATE UNIQUE INDEX events_id ON events (id)",
    "CREATE INDEX events_start ON events (start, profile, count, destination, wording, source_port, destination_port)",
    "CREATE INDEX events_wording ON events (wording)",
    "CREATE INDEX events_profile ON events (profile, start, count, destination)",
    "CREATE INDEX events_destination ON events (destination, start, profile, count)",
    "CREATE INDEX threats_numbers ON threats (severity, records, last, first)",
    "CREATE INDEX profiles_facet ON profiles (facet, threat, source, trail)",
)
_GRAMS = """
CREATE VIRTUAL TABLE wordings_grams USING fts5 (
    text, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1'
)
"""


def _keep_ports_and_grams(work: _Upgrade) -> None:
    """Take ports out of bodies, and take words apart, for searches."""
    connection = work.connection
    connection.execute(_EVENTS)
    rows = connection.execute("SELECT seq, id, start, end, count, profile, destination, wording, body FROM events")
    connection.executemany(
        "INSERT INTO events_4 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((*row, *_ports(work.facts(row[0], row[-1]))) for row in work.followed("events", "events", rows)),
    )
    connection.execute("DROP TABLE events")
    connection.execute("ALTER TABLE events_4 RENAME TO events")
    connection.execute(_GRAMS)
    words = connection.execute("SELECT id, coalesce(folded, ''), observed, message FROM wordings ORDER BY id")
    connection.executemany(
        "INSERT INTO wordings_grams (rowid, text) VALUES (?, ?)",
        (
            (id_, grams(folded or wording_text(observed, message).lower()))
            for id_, folded, observed, message in work.followed("words", "wordings", words)
        ),
    )
    for statement in _INDEXES:
        connection.execute(statement)


def _ports(facts: list[Any] | None) -> tuple[int | None, int | None]:
    if facts is None:
        return None, None
    _, source, _, destination = facts[1]
    return port(source), port(destination)


_STEPS: Mapping[int, Callable[[_Upgrade], None]] = {2: _tell_own_trails, 3: _keep_ports_and_grams}
