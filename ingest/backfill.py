"""What archives gave, taken to the store, and where reading of each file stands, remembered.

The order is that of a live run: where a stretch ends is saved, its events go to the store, then its bad lines to the
dead letters; then it is done, and that is saved with what comes next. So whatever breaks it off, it can be begun again.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from ingest import positions
from ingest.archive import is_there
from ingest.batch import BadLine
from ingest.deadletters import DeadLetters
from ingest.heartbeat import now
from ingest.identity import fingerprint, head_of
from ingest.positions import Position
from ingest.tail import shown
from stores.contract import Store
from trailhound.errors import SettingsError, SourceError, StoreUnavailable
from trailhound.event import Event, timestamp

EVENTS = 10_000  # Events that wait to be stored together,
SECONDS = 1.0  # and how long at most: what waits was not read, should it end here.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # Seconds between the tries at a store that does not answer.


@dataclass(slots=True)
class Stored:
    """Events that were new to the store, and events that it had."""

    new: int = 0
    known: int = 0


@dataclass(slots=True)
class Waiting:
    """A stretch that is not stored yet, and where reading of its file stands after it."""

    sensor: str
    position: Position
    events: Sequence[Event] = ()
    bad_lines: Sequence[BadLine] = ()

    @property
    def is_bare(self) -> bool:
        return not self.events and not self.bad_lines


@dataclass(slots=True)
class _Place:
    """Where the position of a file stands in the list; `other` is whose it is when this file is a copy of one there."""

    number: int
    other: Position | None = None
    is_ours: bool = False  # No live run has read it before.


@dataclass(slots=True)
class Backfill:
    """Takes stretches of files in their order. Only one process may hold the positions; `flush` ends it well."""

    store: Store
    positions_path: Path
    letters: DeadLetters
    stored: Stored = field(default_factory=Stored)
    sleep: Callable[[float], None] = time.sleep
    _saved: positions.Saved = field(init=False)
    _by_head: dict[tuple[int, str], list[int]] = field(init=False, default_factory=dict)
    _places: dict[Path, _Place] = field(init=False, default_factory=dict)
    _fresh: dict[Path, Position] = field(init=False, default_factory=dict)
    _waiting: dict[Path, Waiting] = field(init=False, default_factory=dict)
    _since: float = field(init=False, default_factory=time.monotonic)
    _dirty: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        """Read the saved positions. Raises `SettingsError`."""
        self._saved = positions.load(self.positions_path)
        for number, position in enumerate(self._saved):
            self._by_head.setdefault((position.prefix, position.digest), []).append(number)

    def known(self, path: Path) -> tuple[Position, ...]:
        """Give the saved positions that may be those of a file, by its first bytes; what was read furthest first."""
        numbers = self._numbers(path)
        return tuple(sorted((self._saved[number] for number in numbers), key=lambda saved: -saved.offset))

    def done(self, path: Path) -> Position | None:
        """Give the position of a file that is as it was when all of it had been read; None for any other."""
        try:
            status = path.stat()
        except OSError:
            return None
        now = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        for saved in self.known(path):
            if (saved.device, saved.inode, saved.size, saved.modified) == now and not saved.cut:
                return saved if saved.format and saved.pending is None else None
        return None

    def _numbers(self, path: Path) -> list[int]:
        try:
            head = head_of(path)
        except SourceError:
            return []
        lengths = {prefix for prefix, _ in self._by_head if 0 < prefix <= len(head)}
        return [number for length in lengths for number in self._by_head.get(fingerprint(head[:length]), ())]

    def begin(self, path: Path, position: Position) -> None:
        """Note where reading of a file begins: at a saved position, or at a new one."""
        facts = (position.digest, position.offset, position.check)
        for number in self._numbers(path):
            saved = self._saved[number]
            if (saved.digest, saved.offset, saved.check) == facts:
                is_other = is_there(saved) and (saved.device, saved.inode) != (position.device, position.inode)
                self._places[path] = _Place(number, msgspec.structs.replace(saved) if is_other else None)
                return
        self._fresh[path] = position

    def take(self, path: Path, waiting: Waiting) -> None:
        """Take a stretch and where reading stands after it. Raises `StoreError`, and `SettingsError` for our files."""
        before = self._waiting.get(path)
        if before is not None and not (before.is_bare and waiting.is_bare):
            self.flush()
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting[path] = waiting
        if time.monotonic() - self._since > SECONDS or self._events() >= EVENTS:
            self.flush()

    def _events(self) -> int:
        return sum(len(waiting.events) for waiting in self._waiting.values())

    def flush(self) -> None:
        """Take to the store what waits."""
        events: list[Event] = []
        for path, waiting in self._waiting.items():
            if waiting.events:
                place = self._place(path)
                self._saved[place.number].pending = waiting.position.offset
                events += waiting.events
        if events:
            self.save()
            self._attempt(lambda: self._append(events))
        for path, waiting in self._waiting.items():
            if waiting.bad_lines:
                self._bury(path, waiting)
        for path, waiting in self._waiting.items():
            self._put(self._place(path), waiting.position)
        self._waiting.clear()

    def finish(self) -> None:
        """Take to the store what waits, and save that it is done."""
        self.flush()
        if self._dirty:
            self.save()

    def add(self, events: Sequence[Event]) -> None:
        """Store what was found of all that was read. Raises `StoreUnavailable` as `flush` does."""
        if events:
            self._attempt(partial(self._append, events))

    def save(self) -> None:
        """Save where reading stands. Raises `SettingsError`."""
        try:
            positions.save(self.positions_path, self._saved)
        except OSError as error:
            raise SettingsError(f"{self.positions_path}: the positions cannot be saved: {error.strerror}") from error
        self._dirty = False

    def _place(self, path: Path) -> _Place:
        place = self._places.get(path)
        if place is None:
            place = self._places[path] = _Place(len(self._saved), is_ours=True)
            position = self._fresh.pop(path)
            self._claim(position)
            self._saved.append(position)
            self._by_head.setdefault((position.prefix, position.digest), []).append(place.number)
        return place

    def _put(self, place: _Place, position: Position) -> None:
        position.seen = time.time()
        if place.is_ours:
            position.known = position.offset  # What is unread of an archive is not lost when a run does not find it.
        other = place.other
        if other is not None:
            position = msgspec.structs.replace(position, path=other.path, device=other.device, inode=other.inode)
        before = self._saved[place.number]
        if (before.device, before.inode, before.cut) != (position.device, position.inode, position.cut):
            self._claim(position)
        self._saved[place.number] = position
        self._dirty = True

    def _claim(self, position: Position) -> None:
        """Take an inode from the file that had it before; what was read of that may be somewhere else by now."""
        for saved in self._saved:
            if (saved.device, saved.inode) == (position.device, position.inode):
                saved.cut = True

    def _append(self, events: Sequence[Event]) -> None:
        acknowledged = self.store.append(events)
        self.stored.new += acknowledged.stored
        self.stored.known += acknowledged.known

    def _attempt(self, what: Callable[[], None]) -> None:
        """Ask a store that does not answer again, for a while."""
        for pause in PAUSES:
            try:
                what()
            except StoreUnavailable:
                self.sleep(pause)
            else:
                return
        what()

    def _bury(self, path: Path, waiting: Waiting) -> None:
        try:
            self.letters.write(waiting.sensor, shown(path), waiting.bad_lines, timestamp(now()))
        except OSError as error:
            raise SettingsError(f"dead letters cannot be written: {error.strerror}") from error
