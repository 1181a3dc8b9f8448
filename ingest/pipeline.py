"""The way of a record, live: read, match, store, acknowledge, save.

A stretch of a file is taken for done only when the store has acknowledged its events and its bad lines are with the
dead letters. When either is away, reading stops: the log files are the buffer.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import structlog

from ingest import positions
from ingest.deadletters import DeadLetters
from ingest.follow import Follow, Followed
from ingest.handing import Handing, Work
from ingest.heartbeat import Heartbeats, now
from ingest.observables import Gatherer
from ingest.pulse import Pulse, Troubles
from ingest.stretch import Stretch, match
from ingest.tail import Piece, shown
from ingest.watch import Watch
from ingest.windows import Collector
from matchers.engine import Engine
from matchers.events import Events
from stores.contract import SensorStatus, Store
from trailhound.errors import SourceError, StoreUnavailable
from trailhound.event import Event, timestamp
from trailhound.settings import Settings
from trailhound.start import END, start_of

CYCLE = 16 * 1024 * 1024  # Bytes that are read before what they gave is stored,
EVENTS = 10_000  # or events, whichever comes first: in a storm of detections they are what takes memory.
PIECE = 1024 * 1024  # Bytes that are read of one file before its events are counted.
SAVE_EVERY = 1.0  # Seconds between saves of positions that nothing waits for.
BEAT_EVERY = 1.0
_REST_EVERY = 10.0
FIRST_PAUSE = 0.5  # Seconds until the second try of what failed; then longer and longer.
LONGEST_PAUSE = 30.0
AWAY = "the store is away"
_UNSAVED = "positions cannot be saved"
_UNBURIED = "dead letters cannot be written"
_log = structlog.get_logger("ingest")


class Pipeline:
    """Follows the folders of the settings until it is told to stop; a `gatherer` is shown all that passes.

    What a `collector` has is written before positions are saved.
    """

    gatherer: Gatherer | None = None
    collector: Collector | None = None

    def __init__(
        self, settings: Settings, engine: Engine, store: Store, *, on_beat: Callable[[Pulse], None] = lambda _: None
    ) -> None:
        """Open what is needed. Raises `SourceError` for a folder, `SettingsError` for saved positions.

        `on_beat` is called about every `BEAT_EVERY` seconds by whoever calls `run`, also while something is waited for.
        """
        self._settings = self._asked = settings
        self._engine = engine
        self._store = store
        self._on_beat = on_beat
        self._positions_path: Path = settings.positions_path
        self._dead_letters = DeadLetters(settings.dead_letters_path)
        # Positions, even none, say that there was a run before this one: what is new since then is no old log.
        is_first = not self._positions_path.exists()
        saved = positions.load(self._positions_path)
        logs = settings.logs
        self._watch = Watch(logs.folders, polling=logs.polling)
        wanted = engine.wanted()
        self._follow = Follow(
            self._watch,
            wanted,
            saved,
            from_end=logs.start == END and is_first,
            since=start_of(logs.start, time.time()) if is_first else None,
            compressed=logs.compressed == "continue",
        )
        self._heartbeats = Heartbeats(logs)
        self._recalled = False
        self._stop = threading.Event()
        self._troubles = Troubles()
        self._given: tuple[Settings, Watch | None] | None = None
        self._giving = threading.Lock()
        self._found: list[Event] = []
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

    @property
    def engine(self) -> Engine:
        return self._engine

    def give(self, events: Sequence[Event]) -> None:
        """Store what was found beside the loop, before long. May be called from another thread.

        When we are stopped before, it is left out: whoever found it finds it again.
        """
        with self._giving:
            self._found += events
        self._watch.wake()

    def take_settings(self, settings: Settings) -> None:
        """Go by other settings for logs, before long. May be called from another thread.

        Raises `SourceError` for a folder that is not there; then all stays as it was.
        """
        logs = settings.logs
        watch = Watch(logs.folders, polling=logs.polling) if logs.folders != self._asked.logs.folders else None
        self._asked = settings
        with self._giving:
            waiting = self._given[1] if self._given is not None else None
            self._given = (settings, watch or waiting)
        if watch is not None and waiting is not None:
            waiting.close()
        self._watch.wake()

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Follow until stopped. Raises `StoreDamaged`; whatever may mend itself is waited for."""
        try:
            self._discover()
            self._attempt(self._save, _UNSAVED, tries=1)
            ready()
            while not self._stop.is_set():
                if not self.cycle():
                    self._pause()
                self._housekeeping()
            if self._dirty:
                self._attempt(self._save, _UNSAVED, tries=1)
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
        work: list[Work] = []
        budget, events = CYCLE, 0
        max_line = self._settings.logs.max_line_bytes
        for key, followed in list(self._follow.open.items()):
            live = followed.tail.stalled
            try:
                piece = followed.tail.read(PIECE, max_line)
            except SourceError as error:
                self._follow.fail(key, str(error))
                continue
            if piece is None:
                self._heartbeats.at_end(followed)
                continue
            followed.active = time.monotonic()
            work.append(Work(followed, piece, self._match(followed, piece, max_line), live))
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
            stretch = match(
                tail.reader,
                self._engine,
                piece.data,
                events,
                max_line=max_line,
                since=tail.position.since,
                gatherer=self.gatherer,
            )
        if piece.overlong is not None:
            stretch.bad_lines.append(piece.overlong)
        return stretch

    def _commit(self, work: list[Work]) -> bool:
        """Give what was found to the store until it has all of it; False when stopped before.

        A file all of whose events are stored is done and saved, whatever others wait for.
        """
        for item in work:
            if item.stretch.events:
                item.followed.tail.expect(item.piece.end)
        handing = Handing(work)
        if handing.events and not self._attempt(self._save, _UNSAVED):
            return False
        while handing.left:
            if not self._attempt(partial(handing.offer, self._store), AWAY, handing=handing):
                return False
            if not all(map(self._finish, handing.done())):
                return False
            self._dirty = True
            if handing.left:
                self._attempt(self._save, _UNSAVED, tries=1)
                self._trouble(AWAY, handing.reason, FIRST_PAUSE, handing)
                if not self._wait(FIRST_PAUSE):
                    return False
        return True

    def _finish(self, item: Work) -> bool:
        if item.stretch.bad_lines and not self._attempt(partial(self._bury, item), _UNBURIED):
            return False
        item.followed.tail.advance(item.piece)
        self._heartbeats.note(item.followed, item.stretch, live=item.live)
        self._follow.turn(item.followed.tail.key)
        return True

    def _bury(self, item: Work) -> None:
        tail = item.followed.tail
        self._dead_letters.write(tail.sensor, shown(tail.path), item.stretch.bad_lines, timestamp(now()))

    def _store_found(self) -> None:
        with self._giving:
            found, self._found = self._found, []
        if found:
            self._attempt(partial(self._store.append, found), AWAY)

    def _save(self) -> None:
        if self.collector is not None:
            self.collector.flush()
        positions.save(self._positions_path, self._follow.positions(), self._follow.looked)
        self._dirty = False

    def _attempt(
        self, what: Callable[[], object], trouble: str, *, tries: int | None = None, handing: Handing | None = None
    ) -> bool:
        """Do something that may fail for a while: try again with growing, jittered pauses, until stopped."""
        pause = FIRST_PAUSE
        while True:
            try:
                what()
            except (StoreUnavailable, OSError) as error:
                self._trouble(trouble, str(error), pause, handing)
            else:
                self._troubles.over(trouble)
                return True
            if tries == 1 or not self._wait(pause):
                return False
            pause = min(pause * 2, LONGEST_PAUSE)

    def _trouble(self, trouble: str, reason: str, pause: float, handing: Handing | None) -> None:
        self._troubles.note(trouble, reason)
        _log.warning("waiting", trouble=trouble, reason=reason, pause=round(pause, 1))
        for item in handing.left if handing is not None else ():
            if item.stretch.events:
                self._heartbeats.retried(item.followed)

    def _wait(self, seconds: float) -> bool:
        """Wait about so long, and tell meanwhile that we are alive; False when stopped."""
        end = time.monotonic() + seconds * random.uniform(0.75, 1.25)  # noqa: S311 - jitter
        while (left := end - time.monotonic()) > 0:
            if self._stop.wait(min(left, BEAT_EVERY)):
                return False
            self._beat()
        return True

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
        self._resettle()
        self._store_found()
        if moment >= self._due["look" if self._noticed else "discover"]:
            self._discover()
        if self._dirty and moment >= self._due["save"]:
            self._attempt(self._save, _UNSAVED)
            self._due["save"] = moment + SAVE_EVERY
        if moment >= self._due["beat"]:
            self._beat()
            self._due["beat"] = moment + BEAT_EVERY
        if moment >= self._due["rest"]:
            self._follow.rest()
            self._due["rest"] = moment + _REST_EVERY

    def _resettle(self) -> None:
        """Go by settings that were given meanwhile; nothing is in hand now."""
        with self._giving:
            given, self._given = self._given, None
        if given is None:
            return
        self._settings, watch = given
        self._heartbeats.logs = self._settings.logs
        if watch is not None:
            old, self._watch = self._watch, watch
            old.close()
            self._follow.go_by(watch, self._settings.logs.folders)
            self._discover()

    def _beat(self) -> None:
        for followed in self._follow.open.values():
            followed.tail.glance()
        for loss in self._follow.losses():
            self._heartbeats.lose(loss.sensor, loss.folder, loss.path, loss.bytes)
            extent = {"start": loss.start, "end": loss.end, "lost_bytes": loss.bytes}
            _log.warning("log lost unread", path=shown(loss.path), sensor=loss.sensor, **extent)
        statuses: list[SensorStatus] = []
        try:
            if not self._recalled:
                self._heartbeats.recall(self._store.sensors())
                self._recalled = True
            statuses = self._heartbeats.statuses(
                self._follow.open.values(), self._follow.refused, self._troubles.stopped
            )
            self._store.put_sensors(statuses)
        except StoreUnavailable as error:
            # Events will tell how long it lasts; a heartbeat that was missed is no problem to be kept.
            self._troubles.missed(str(error))
            _log.debug("heartbeats not stored", reason=str(error))
        else:
            self._troubles.met()
        self._on_beat(
            Pulse(
                logs=len(statuses),
                lag_bytes=sum(status.lag_bytes for status in statuses),
                lag_seconds=max((status.lag_seconds for status in statuses), default=0.0),
                trouble=self._troubles.worst,
            )
        )
