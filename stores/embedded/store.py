"""The embedded store: one file, one writer, any number of readers."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from stores.contract import (
    Acknowledgement,
    Attacker,
    Bucket,
    Dimension,
    Distinct,
    EventOrder,
    EventPage,
    Query,
    Seen,
    SensorStatus,
    Store,
    Summary,
    ThreatOrder,
    ThreatPage,
    Top,
)
from stores.embedded import pages, particular, threats, totals
from stores.embedded.bodies import Unsqueezer
from stores.embedded.connections import Readers, WriterLock, check, connect_writer, explained, make
from stores.embedded.schema import OLDEST, SENSOR_COLUMNS, VERSION
from stores.embedded.upgrade import upgrade
from stores.embedded.writer import Writer
from trailhound.errors import StoreUnavailable
from trailhound.event import Event


def open_embedded(path: Path, *, read_only: bool = False) -> Store:
    """Open the store in this file; a writer makes it when there is none.

    A writer brings a store of an older version to this one first. Raises `StoreUnavailable` when another process writes
    to it already, or when there is nothing to read yet, and `StoreDamaged` for a file that is no store, or of a version
    that is not known; such a file is left as it is.
    """
    if read_only:
        try:
            check(path)
        except FileNotFoundError as error:
            raise StoreUnavailable(
                f"{path}: there is no store yet: it is made when `trailhound run` or `trailhound scan` starts"
            ) from error
        return EmbeddedStore(path, None)
    with suppress(FileNotFoundError):
        check(path, oldest=OLDEST)
    lock = WriterLock(path)
    try:
        return EmbeddedStore(path, _writer(path, lock))
    except BaseException:
        lock.release()
        raise


def _writer(path: Path, lock: WriterLock) -> Writer:
    with explained(path):
        try:
            # Once more, now that nobody else can be making it.
            if check(path, oldest=OLDEST) < VERSION:
                _upgrade(path)
        except FileNotFoundError:
            make(path)
        return Writer(path, lock)


def _upgrade(path: Path) -> None:
    connection = connect_writer(path)
    try:
        upgrade(path, connection)
    finally:
        connection.close()


class EmbeddedStore:
    """`stores.contract.Store` in one SQLite file."""

    def __init__(self, path: Path, writer: Writer | None) -> None:
        self._path = path
        self._writer = writer
        self._readers = Readers(path)
        self._unsqueezer = Unsqueezer()
        try:
            with self._snapshot() as connection:
                connection.execute("SELECT max(seq) FROM events").fetchone()
        except BaseException:
            self.close()
            raise

    def append(self, events: Sequence[Event]) -> Acknowledgement:
        return self._writing().append(events)

    def event(self, event_id: str) -> Mapping[str, Any] | None:
        with self._snapshot() as connection:
            return pages.event(connection, event_id, self._unsqueezer)

    def events(
        self, query: Query, *, order: EventOrder = EventOrder.NEWEST, limit: int = 100, cursor: str | None = None
    ) -> EventPage:
        with self._snapshot() as connection:
            return pages.events(connection, query, self._unsqueezer, order=order, limit=limit, cursor=cursor)

    def count(self, query: Query) -> int:
        with self._snapshot() as connection:
            return totals.count(connection, query)

    def summary(self, query: Query) -> Summary:
        with self._snapshot() as connection:
            return totals.summary(connection, query)

    def timeline(self, query: Query, *, by: Dimension, step: int) -> Sequence[Bucket]:
        with self._snapshot() as connection:
            return totals.timeline(connection, query, by=by, step=step)

    def top(self, query: Query, dimension: Dimension, *, limit: int = 10) -> Sequence[Top]:
        with self._snapshot() as connection:
            return totals.top(connection, query, dimension, limit=limit)

    def distinct(self, query: Query, dimension: Dimension) -> Distinct:
        with self._snapshot() as connection:
            return Distinct(totals.distinct(connection, query, dimension))

    def threats(
        self, query: Query, *, order: ThreatOrder = ThreatOrder.RISK, limit: int = 50, cursor: str | None = None
    ) -> ThreatPage:
        with self._snapshot() as connection:
            return threats.threats(connection, query, order=order, limit=limit, cursor=cursor)

    def lasts(self, threats: Sequence[str]) -> Mapping[str, int]:
        with self._snapshot() as connection:
            return particular.lasts(connection, threats)

    def sparklines(self, query: Query, threats: Sequence[str], *, step: int) -> Mapping[str, Mapping[int, int]]:
        with self._snapshot() as connection:
            return particular.sparklines(connection, query, threats, step=step)

    def seen(self, query: Query, dimension: Dimension, values: Sequence[str]) -> Mapping[str, Seen]:
        with self._snapshot() as connection:
            return particular.seen(connection, query, dimension, values)

    def latest(self) -> str | None:
        with self._snapshot() as connection:
            return pages.latest(connection)

    def attackers(self, query: Query, *, limit: int = 100_000, by_day: bool = False) -> Sequence[Attacker]:
        with self._snapshot() as connection:
            return totals.attackers(connection, query, limit=limit, by_day=by_day)

    def put_sensors(self, statuses: Sequence[SensorStatus]) -> None:
        self._writing().put_sensors(statuses)

    def sensors(self) -> Sequence[SensorStatus]:
        with self._snapshot() as connection:
            rows = connection.execute(f"SELECT {SENSOR_COLUMNS} FROM sensors ORDER BY sensor, path")  # noqa: S608
            return [SensorStatus(*row) for row in rows]

    def close(self) -> None:
        self._readers.close()
        if self._writer is not None:
            self._writer.close()

    def _writing(self) -> Writer:
        if self._writer is None:
            raise StoreUnavailable(f"{self._path}: the store is open for reading only")
        return self._writer

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        with self._readers.snapshot() as connection:
            yield connection
