"""The observable memory: which values were ever seen in traffic, in which hours, by which sensors.

What is kept are facts of the form "in this hour, this sensor saw this value". To be told one again changes nothing, so
records that are read twice do not count twice. Of the facts of one value and sensor only the first and the last hour
and their number are kept; a fact that comes late, for an hour between the two, cannot be told from one that is known,
and does not count. So the number of hours is never too large.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from threading import Lock

from stores.embedded.connections import explained
from stores.files import Kind, transaction

FILE = "observables.sqlite"
_PATIENCE = 5.0
# What a power cut takes is at most what came since the last checkpoint; the file stays whole.
_PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -16384")
_ROOM = 20  # One part in so many is forgotten at once, so that it need not be done each time.
_TABLES = """
CREATE TABLE seen (
    value TEXT NOT NULL, sensor INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    hours INTEGER NOT NULL, PRIMARY KEY (value, sensor)
) STRICT, WITHOUT ROWID;
CREATE TABLE sensors (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE memory (made INTEGER NOT NULL, forgotten INTEGER NOT NULL, forgotten_until INTEGER) STRICT;
INSERT INTO memory VALUES (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), 0, NULL);
"""
_MEMORY = Kind(
    name="the observable memory",
    application_id=0x54724D65,
    version=1,
    tables=_TABLES,
    mode=0o640,  # It tells where people went.
    remedy="run the Trailhound that wrote it, or delete the file",
)
_KEEP = """
INSERT INTO seen VALUES (?1, ?2, ?3, ?3, 1) ON CONFLICT DO UPDATE SET
    first = min(first, excluded.first), last = max(last, excluded.last), hours = hours + 1
WHERE excluded.last > last OR excluded.first < first
"""
_FORGET = """
DELETE FROM seen WHERE (value, sensor) IN (SELECT value, sensor FROM seen ORDER BY last, hours, value LIMIT ?)
RETURNING last
"""


# An hour (since the epoch), and a sensor that saw something in it.
Place = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Sightings:
    """In which hours (since the epoch) a sensor saw a value first and last, and in how many at least."""

    sensor: str
    first: int
    last: int
    hours: int


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the memory reaches: since when (microseconds since the epoch; None: nothing is remembered yet).

    `forgotten` counts pairs of value and sensor that it had no room for, none of them seen after `forgotten_until`
    (an hour).
    """

    since: int | None = None
    forgotten: int = 0
    forgotten_until: int | None = None


class ObservableMemory:
    """The memory of this host, in one SQLite file: one process writes, any number ask.

    Every method may raise `StoreUnavailable` or `StoreDamaged`.
    """

    def __init__(self, path: Path, max_rows: int) -> None:
        self._path = path
        self._max_rows = max_rows
        self._turn = Lock()
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._sensors: dict[str, int] = {}
        self._rows = 0

    def keep(self, facts: Mapping[Place, Collection[str]]) -> None:
        """Remember which canonical values were seen where; all of them or none."""
        with self._turn, explained(self._path):
            connection = self._writer or self._open_writer()
            with transaction(connection):
                # In the order of the hours, so that each counts; by value, since neighbours stand on one page.
                for hour, sensor in sorted(facts):
                    rows = zip(sorted(facts[hour, sensor]), repeat(self._sensor(connection, sensor)), repeat(hour))
                    connection.executemany(_KEEP, rows)
                    self._rows += len(facts[hour, sensor])  # At most: some were known.
                if self._rows > self._max_rows:
                    self._make_room(connection)

    def seen(self, values: Collection[str]) -> Mapping[str, Sequence[Sightings]]:
        """Give what is known of canonical values, by sensor; of those never seen nothing."""
        found: dict[str, list[Sightings]] = {}
        with self._asking() as connection:
            for value, sensor, first, last, hours in (
                connection.execute(
                    "SELECT value, name, first, last, hours FROM seen JOIN sensors ON id = sensor"
                    " WHERE value IN (SELECT value FROM json_each(?)) ORDER BY value, name",
                    (json.dumps(list(values)),),
                )
                if connection is not None
                else ()
            ):
                found.setdefault(value, []).append(Sightings(sensor, first, last, hours))
        return found

    def extent(self) -> Extent:
        with self._asking() as connection:
            row = connection.execute("SELECT * FROM memory").fetchone() if connection is not None else None
        return Extent(*row) if row is not None else Extent()

    def close(self) -> None:
        with self._turn:
            for connection in (self._writer, self._reader):
                if connection is not None:
                    connection.close()
            self._writer = self._reader = None

    def _sensor(self, connection: sqlite3.Connection, name: str) -> int:
        number = self._sensors.get(name)
        if number is None:
            connection.execute("INSERT INTO sensors (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            number = int(connection.execute("SELECT id FROM sensors WHERE name = ?", (name,)).fetchone()[0])
            self._sensors[name] = number
        return number

    def _make_room(self, connection: sqlite3.Connection) -> None:
        self._rows = _count(connection)
        if self._rows <= self._max_rows:
            return
        surplus = self._rows - self._max_rows + self._max_rows // _ROOM
        until = [last for (last,) in connection.execute(_FORGET, (surplus,))]
        connection.execute(
            "UPDATE memory SET forgotten = forgotten + ?1, forgotten_until = max(ifnull(forgotten_until, 0), ?2)",
            (len(until), max(until)),
        )
        self._rows -= len(until)

    def _open_writer(self) -> sqlite3.Connection:
        connection = _MEMORY.connect(self._path, _PRAGMAS, _PATIENCE)
        self._rows = _count(connection)
        self._sensors.clear()
        self._writer = connection
        return connection

    @contextmanager
    def _asking(self) -> Iterator[sqlite3.Connection | None]:
        """Lend the connection for reading; None while nothing was ever remembered."""
        with self._turn, explained(self._path):
            if self._reader is None and self._path.exists():
                address = f"{self._path.absolute().as_uri()}?mode=ro"
                connection = sqlite3.connect(
                    address, uri=True, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
                )
                if not _MEMORY.is_ours(connection, self._path):
                    connection.close()
                    yield None
                    return
                self._reader = connection
            yield self._reader


def _count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM seen").fetchone()[0])
