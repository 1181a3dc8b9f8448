"""Appending: events, rollups and threats in one transaction."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path
from threading import Lock
from typing import Any

from stores.clean import clean
from stores.contract import Acknowledgement, SensorStatus
from stores.embedded.bodies import Squeezer, pack
from stores.embedded.codes import key_of, port
from stores.embedded.connections import WriterLock, connect_writer, explained
from stores.embedded.names import Names
from stores.embedded.schema import SENSOR_COLUMNS, upsert
from stores.embedded.tally import Tally, merge_details
from trailhound.errors import StoreUnavailable
from trailhound.event import Event

_CHUNK = 500
_UPDATE_THREAT = """
UPDATE threats SET severity = max(severity, ?2), records = records + ?3, events = events + ?4, first = min(first, ?5),
    last = max(last, ?6)
WHERE id = ?1
"""


class Writer:
    """The one who writes. Every call is one transaction, from any thread, one at a time."""

    def __init__(self, path: Path, lock: WriterLock) -> None:
        self._path = path
        self._lock = lock
        self._turn = Lock()
        self._connection = connect_writer(path)
        self._names = Names(self._connection)
        self._squeezer = Squeezer()
        self._closed = False

    def append(self, events: Sequence[Event]) -> Acknowledgement:
        with self._transaction() as connection:
            fresh = self._fresh(events)
            if fresh:
                self._store(connection, fresh)
        return Acknowledgement(stored=len(fresh), known=len(events) - len(fresh))

    def put_sensors(self, statuses: Sequence[SensorStatus]) -> None:
        with self._transaction() as connection:
            connection.executemany(
                f"REPLACE INTO sensors ({SENSOR_COLUMNS}) "  # noqa: S608 - names of ours
                f"VALUES ({', '.join('?' * len(fields(SensorStatus)))})",
                [[clean(value) if isinstance(value, str) else value for value in astuple(s)] for s in statuses],
            )

    def close(self) -> None:
        with self._turn:
            if not self._closed:
                self._closed = True
                self._connection.close()
                self._lock.release()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            if self._closed:
                raise StoreUnavailable(f"{self._path}: the store is closed")
            with explained(self._path):
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    # SQLite may have rolled back by itself (disk full).
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    self._names.forget()
                    self._squeezer.forget()
                    raise

    def _fresh(self, events: Sequence[Event]) -> dict[bytes | str, Event]:
        """Keep the events whose id is new, the first of those that share one."""
        fresh: dict[bytes | str, Event] = {}
        for event in events:
            fresh.setdefault(key_of(event.id), event)
        for known in self._known(list(fresh)):
            del fresh[known]
        return fresh

    def _known(self, keys: list[bytes | str]) -> Iterator[bytes | str]:
        for begin in range(0, len(keys), _CHUNK):
            chunk = keys[begin : begin + _CHUNK]
            marks = ", ".join("?" * len(chunk))
            query = f"SELECT id FROM events WHERE id IN ({marks})"  # noqa: S608 - question marks only
            yield from [row[0] for row in self._connection.execute(query, chunk)]

    def _store(self, connection: sqlite3.Connection, fresh: dict[bytes | str, Event]) -> None:
        tally = Tally()
        names = self._names
        last = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
        bodies = self._squeezer.squeeze(connection, [pack(event) for event in fresh.values()], last)
        rows = []
        for seq, ((key, event), body) in enumerate(zip(fresh.items(), bodies, strict=True), last + 1):
            profile = names.profile(event)
            destination = names.address(event.destination_ip)
            tally.add(event, profile, destination)
            wording = names.wording(event.observed, event.message)
            ports = port(event.source_port), port(event.destination_port)
            rows.append((seq, key, event.start, event.end, event.count, profile.id, destination, wording, body, *ports))
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        for family, level, counts in tally.rollups():
            connection.executemany(upsert(family, level), counts)
        connection.executemany(_UPDATE_THREAT, tally.threats())
        self._add_details(connection, tally.details())

    def _add_details(self, connection: sqlite3.Connection, details: Iterable[tuple[int, dict[str, Any]]]) -> None:
        for threat, new in details:
            row = connection.execute("SELECT body FROM threat_details WHERE threat = ?", (threat,)).fetchone()
            merged = merge_details(row[0] if row else None, new)
            if merged is not None:
                connection.execute("REPLACE INTO threat_details VALUES (?, ?)", (threat, merged))
