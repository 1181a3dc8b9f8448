"""Gathering the observable memory: every name, address and hash that passes, once for each hour and sensor.

The loop asks about each distinct cell of a column anyway; what is new in it costs one difference of sets. Reading,
sorting and writing what is new is done beside the loop, once a minute.
"""

import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence

import structlog

from ingest.batch import PlacedBatch
from ingest.hours import SECONDS, Hours
from matchers.asked import LONGEST_REMEMBERED, length
from matchers.engine import Look
from matchers.observer import Probe
from matchers.observers.ssl import common_name
from stores.observables import ObservableMemory, Place
from trailhound import canonical
from trailhound.errors import StoreError
from trailhound.record import MICROSECONDS

FLUSH_SECONDS = 60.0
WAITING = 200_000  # Facts that may wait; then they are written at once, and whoever reads waits for it.
KNOWN = 131_072  # Cells that are known to be written in their hour, with 100 bytes each.
_RETRY_SECONDS = 30.0
_REVERSED = (".in-addr.arpa", ".ip6.arpa")
_log = structlog.get_logger("observables")


def _host(text: str) -> str | None:
    if not text[-1:].isdigit() and text[:1] != "[":  # The usual case: a name, or a bare address of version 6.
        return canonical.name(text) or canonical.address(text)
    host = canonical.host_port(text)[0]
    return canonical.address(text) or canonical.address(host) or canonical.name(host)


def _name(text: str) -> str | None:
    return _host(text.removeprefix("*."))


def _subject(text: str) -> str | None:
    name = common_name(text)
    return _host(name) if name is not None else None


# How a text of a column is read. What a client claims of others (referrers, forwarded addresses) was not seen.
_READ: Mapping[Probe, Callable[[str], str | None]] = {
    Probe.ADDRESS: canonical.address,
    Probe.NAME: _name,
    Probe.HOST: _host,
    Probe.SUBJECT: _subject,
    Probe.HASH: canonical.fingerprint,
}
_Column = tuple[str, str, Probe, Hashable]


class Gatherer:
    """Takes in what passes, and has it written. `look` may be called by one thread only, the others by any."""

    def __init__(self, memory: ObservableMemory) -> None:
        self._memory = memory
        self._known: dict[_Column, dict[int, set[Hashable]]] = {}
        self._size = 0
        self._facts: dict[Place, set[str]] = {}
        self._waiting = 0
        self._turn = threading.Lock()
        self._writing = threading.Lock()
        self._retry_at = 0.0
        self._lost = 0

    def look(self, batch: PlacedBatch, sensor: str, since: int = 0) -> Look | None:
        """Give what is to be shown the columns of a batch; records of hours before `since` are not looked at."""
        found = batch.hours()
        if found is None:
            return None
        first = since // (SECONDS * MICROSECONDS)

        def look(name: str, probe: Probe, column: Sequence[Hashable], distinct: set[Hashable]) -> None:
            if probe in _READ:
                key = (sensor, batch.log, probe, batch.dialect(name))
                for hour, cells in self._fresh(key, found, column, distinct):
                    if hour >= first:
                        texts, _ = batch.texts(name, cells)
                        if len(texts) != len(cells) or max(map(len, texts)) > LONGEST_REMEMBERED:
                            # Long ones must not be kept: a client could fill the memory with them.
                            self._known[key][hour] -= {cell for cell in cells if length(cell) > LONGEST_REMEMBERED}
                        self._add(hour, sensor, _values(probe, texts))

        return look

    def run(self, stop: threading.Event) -> None:
        """Write every minute until stopped, and once more then."""
        while not stop.wait(FLUSH_SECONDS):
            self.flush()
        self.flush()

    def flush(self) -> None:
        """Write what has come; what cannot be written waits, as far as there is room."""
        with self._writing:
            with self._turn:
                facts, self._facts, self._waiting = self._facts, {}, 0
            if not facts:
                return
            try:
                self._memory.keep(facts)
            except StoreError as error:
                self._retry_at = time.monotonic() + _RETRY_SECONDS
                for (hour, sensor), values in facts.items():
                    self._wait(hour, sensor, values)
                _log.warning("observables cannot be remembered", reason=str(error), waiting=self._waiting)

    def _fresh(
        self, key: _Column, found: Hours, column: Sequence[Hashable], distinct: set[Hashable]
    ) -> Iterator[tuple[int, set[Hashable]]]:
        """Give the cells that are new in an hour."""
        if self._size > KNOWN:
            self._known.clear()
            self._size = 0
        known = self._known.setdefault(key, {})
        fresh = distinct - known.get(found.main, _NONE)
        if found.odd:
            odd: dict[int, set[Hashable]] = {}
            for row, hour in found.odd:
                odd.setdefault(hour, set()).add(column[row])
            doubtful = fresh & set[Hashable]().union(*odd.values())
            if doubtful:
                rows = dict(found.odd)
                fresh -= doubtful.difference(cell for row, cell in enumerate(column) if row not in rows)
            for hour, cells in odd.items():
                yield from self._note(known, hour, cells - known.get(hour, _NONE))
        yield from self._note(known, found.main, fresh)

    def _note(
        self, known: dict[int, set[Hashable]], hour: int, fresh: set[Hashable]
    ) -> Iterator[tuple[int, set[Hashable]]]:
        if fresh:
            known.setdefault(hour, set()).update(fresh)
            self._size += len(fresh)
            yield hour, fresh

    def _add(self, hour: int, sensor: str, values: Collection[str]) -> None:
        self._wait(hour, sensor, values)
        if self._waiting <= WAITING:
            return
        if time.monotonic() >= self._retry_at:
            self.flush()
        with self._turn:
            if self._waiting > 2 * WAITING:
                # The file cannot be written for long; detection goes on.
                self._lost += self._waiting
                self._facts, self._waiting = {}, 0
                _log.error("observables are lost: they could not be remembered", lost=self._lost)

    def _wait(self, hour: int, sensor: str, values: Collection[str]) -> None:
        with self._turn:
            waiting = self._facts.setdefault((hour, sensor), set())
            self._waiting -= len(waiting)
            waiting.update(values)
            self._waiting += len(waiting)


_NONE: frozenset[Hashable] = frozenset()


def _values(probe: Probe, texts: Iterable[str]) -> list[str]:
    """Read texts; those that are nothing of the sort are left out, as names of reverse look-ups are."""
    return [value for value in map(_READ[probe], texts) if value is not None and not value.endswith(_REVERSED)]
