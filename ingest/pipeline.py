"""The way of a record, live: read, match, store, acknowledge, save.

A stretch of a file is taken for done only when the store has acknowledged its events and its bad lines are with the
dead letters. When either is away, reading stops: the log files are the buffer.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from ingest import positions
from ingest.deadletters import DeadLetters
from ingest.follow import Follow, Followed
from ingest.heartbeat import Heartbeats, now
from ingest.stretch import Stretch, match
from ingest.tail import Piece, shown
from ingest.watch import Watch
from matchers.engine import Engine
from matchers.events import Events
from stores.contract import Store
from trailhound.errors import SourceError, StoreUnavailable
from trailhound.event import timestamp
from trailhound.settings import Settings

CYCLE = 16 * 1024 * 1024  # Bytes that are read before what they gave is stored,
EVENTS = 10_000  # or events, whichever comes first: in a storm of detections they are what takes memory.
PIECE = 1024 * 1024  # Bytes that are read of one file before its events are counted.
SAVE_EVERY = 1.0  # Seconds between saves of positions that nothing waits for.
BEAT_EVERY = 1.0
_REST_EVERY = 10.0
FIRST_PAUSE = 0.5  # Seconds until the second try of what failed; then longer and longer.
LONGEST_PAUSE = 30.0
_log = structlog.get_logger("ingest")


@dataclass(frozen=True, slots=True)
class _Work:
    followed: Followed
    piece: Piece
    stretch: Stretch


class Pipeline:
    """Follows the folders of the settings until it is told to stop."""

    def __init__(self, settings: Settings, engine: Engine, store: Store) -> None:
        """Open what is needed. Raises `SourceError` for a folder, `SettingsError` for saved positions."""
        self._settings = settings
        self._engine = engine
        self._store = store
        self._positions_path: Path = settings.positions_path
        self._dead_letters = DeadLetters(settings.dead_letters_path)
        self._heartbeats = Heartbeats()
        # Positions, even none, say that there was a run before this one: what is new since then is no old log.
        is_first = not self._positions_path.exists()
        saved = positions.load(self._positions_path)
        logs = settings.logs
        self._watch = Watch(logs.folders, polling=logs.polling)
        wanted = {log: ("ts", *observer.probes) for log, observer in engine.observers.items()}
        self._follow = Follow(self._watch, wanted, saved, from_end=logs.start == "end" and is_first)
        self._stop = threading.Event()
        self._problem: str | None = None
        self._dirty = True
        self._noticed = False
        self._due = dict.fromkeys(("look", "discover", "save", "beat", "rest"), 0.0)

    def stop(self) -> None:
        """Ask `run` to finish what it has in hand and return. Not for signal handlers, which could block themselves."""
        self._stop.set()
        self._watch.wake()

    def take(self, engine: Engine) -> None:
        """Match with another engine from the next stretch on. May be called from another thread."""
        self._engine = engine

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Follow until stopped. Raises `StoreDamaged`; whatever may mend itself is waited for."""
        try:
            self._discover()
            self._attempt(self._save, "positions cannot be saved", tries=1)
            ready()
            while not self._stop.is_set():
                if not self.cycle():
                    self._pause()
                self._housekeeping()
            if self._dirty:
                self._attempt(self._save, "positions cannot be saved", tries=1)
            self._beat()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of folders and files. `run` does it by itself."""
        self._watch.close()
        self._follow.close()

    def _pause(self) -> None:
        """Wait for a change; after one, no longer than until folders may be looked through again."""
        seconds = min(self._settings.logs.poll_seconds, BEAT_EVERY)
        if self._noticed:
            seconds = min(seconds, max(0.0, self._due["look"] - time.monotonic()))
        self._noticed = self._watch.wait(seconds) or self._noticed

    def cycle(self) -> bool:
        """Read a share of every file that has grown, and store what it gave; tell whether there was anything."""
        work: list[_Work] = []
        budget, events = CYCLE, 0
        max_line = self._settings.logs.max_line_bytes
        for key, followed in list(self._follow.open.items()):
            try:
                piece = followed.tail.read(PIECE, max_line)
            except SourceError as error:
                self._follow.fail(key, str(error))
                continue
            if piece is None:
                continue
            followed.active = time.monotonic()
            work.append(_Work(followed, piece, self._match(followed, piece, max_line)))
            budget -= len(piece.data)
            events += len(work[-1].stretch.events)
            if budget <= 0 or events >= EVENTS:
                break
        return self._commit(work) if work else False

    def _match(self, followed: Followed, piece: Piece, max_line: int) -> Stretch:
        tail = followed.tail
        stretch = Stretch()
        if piece.data and tail.reader is not None:
            events = Events(tail.sensor, shown(tail.path), now)
            stretch = match(tail.reader, self._engine, piece.data, events, max_line=max_line)
        if piece.overlong is not None:
            stretch.bad_lines.append(piece.overlong)
        return stretch

    def _commit(self, work: list[_Work]) -> bool:
        events = [event for item in work for event in item.stretch.events]
        if events:
            for item in work:
                if item.stretch.events:
                    item.followed.tail.expect(item.piece.end)
            done = self._attempt(self._save, "positions cannot be saved") and self._attempt(
                lambda: self._store.append(events), "the store is away"
            )
            if not done:
                return False
        for item in work:
            if item.stretch.bad_lines and not self._attempt(
                partial(self._bury, item), "dead letters cannot be written"
            ):
                return False
        for item in work:
            item.followed.tail.advance(item.piece)
            self._heartbeats.note(item.followed, item.stretch)
            self._follow.turn(item.followed.tail.key)
        self._dirty = True
        return True

    def _bury(self, item: _Work) -> None:
        tail = item.followed.tail
        self._dead_letters.write(tail.sensor, shown(tail.path), item.stretch.bad_lines, timestamp(now()))

    def _save(self) -> None:
        positions.save(self._positions_path, self._follow.positions())
        self._dirty = False

    def _attempt(self, what: Callable[[], object], trouble: str, *, tries: int | None = None) -> bool:
        """Do something that may fail for a while: try again with growing, jittered pauses, until stopped."""
        pause = FIRST_PAUSE
        while True:
            try:
                what()
            except (StoreUnavailable, OSError) as error:
                self._problem = f"{trouble}: {error}"
                _log.warning("waiting", trouble=trouble, reason=str(error), pause=round(pause, 1))
            else:
                self._problem = None
                return True
            if tries == 1 or self._stop.wait(pause * random.uniform(0.75, 1.25)):  # noqa: S311 - jitter
                return False
            self._beat()
            pause = min(pause * 2, LONGEST_PAUSE)

    def _discover(self) -> None:
        moment = time.monotonic()
        self._noticed = False
        self._follow.discover()
        done = time.monotonic()
        # Looking through very many files takes its time: never more than a tenth of ours.
        self._due["look"] = done + max(0.1, 10 * (done - moment))
        self._due["discover"] = done + max(self._settings.logs.poll_seconds, 10 * (done - moment))

    def _housekeeping(self) -> None:
        moment = time.monotonic()
        if moment >= self._due["look" if self._noticed else "discover"]:
            self._discover()
        if self._dirty and moment >= self._due["save"]:
            self._attempt(self._save, "positions cannot be saved")
            self._due["save"] = moment + SAVE_EVERY
        if moment >= self._due["beat"]:
            self._beat()
            self._due["beat"] = moment + BEAT_EVERY
        if moment >= self._due["rest"]:
            self._follow.rest()
            self._due["rest"] = moment + _REST_EVERY

    def _beat(self) -> None:
        statuses = self._heartbeats.statuses(self._follow.open.values(), self._follow.refused, self._problem)
        try:
            self._store.put_sensors(statuses)
        except StoreUnavailable as error:
            # Events will tell how long it lasts; a heartbeat that was missed is no problem to be kept.
            _log.debug("heartbeats not stored", reason=str(error))
