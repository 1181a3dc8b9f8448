"""Trails, whitelists and switches that change while Trailhound runs: checked, and taken up without a pause."""

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog

from feeds import build, switches
from feeds.hygiene import CANARY_ADDRESSES, CANARY_NAMES
from matchers.engine import Engine
from matchers.exceptions import Kept, in_force, path_in, utc_now
from matchers.trailset import TrailSet
from stores.desk import Desk
from trailhound.commands import prepare, suspicions
from trailhound.commands.desks import Watched
from trailhound.errors import TrailhoundError, TrailSetError
from trailhound.settings import Settings

CHECK_SECONDS = 2.0
_log = structlog.get_logger("trails")
_Mark = tuple[object, ...]


class Reload:
    """Hands a new engine to `take` whenever trails, whitelists, exceptions or switches of heuristics have changed.

    With `compiles`, changed trail files are compiled; without, it is left to another process to do that. What cannot be
    taken up is reported once, and what was in force stays so. `desk` is where people add trails; `clock` says when
    exceptions run out.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        take: Callable[[Engine], None],
        *,
        compiles: bool,
        desk: Desk | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._take = take
        self._compiles = compiles
        self._clock = clock
        self._exceptions = Kept(path_in(settings.state_dir))
        self._own = Watched(desk) if desk is not None else None
        self._turn = threading.Lock()
        self._mark = self._look()

    def run(self, stop: threading.Event) -> None:
        """Look until stopped."""
        while not stop.wait(CHECK_SECONDS):
            self.check()

    def check(self) -> bool:
        """Take up what has changed; tell whether there was anything."""
        with self._turn:
            mark = self._look()
            if mark == self._mark:
                return False
            self._mark = mark
            try:
                self._take_up()
            except TrailhoundError as error:
                _log.error("the trails in force stay in force", reason=str(error))
                return False
        return True

    @property
    def settings(self) -> Settings:
        return self._settings

    def take_settings(self, settings: Settings) -> None:
        """Go by other settings, and make everything anew whether it has changed or not.

        Raises `TrailhoundError` when that cannot be done; then all stays as it was.
        """
        with self._turn:
            old, self._settings = self._settings, settings
            try:
                self._take_up()
            except TrailhoundError:
                self._settings = old
                raise

    def _take_up(self) -> None:
        try:
            engine = self._renewed()
        finally:
            self._mark = self._look()  # Compiling changes the set, and that is no news.
        self._engine = engine
        self._take(engine)
        _log.info("trails taken up", trails=len(engine.rules.trails))

    def _renewed(self) -> Engine:
        settings = self._settings
        trails = prepare.trail_set(settings) if self._compiles else TrailSet.open(settings.trail_set_path)
        refuse_worse(trails, self._engine.rules.trails, settings.trails.min_ratio)
        return prepare.engine(settings, trails, self._engine, self._clock())

    def _look(self) -> _Mark:
        settings = self._settings
        try:
            made_of = build.stamp(settings) if self._compiles and settings.compiles_trails else None
        except TrailhoundError as error:
            made_of = {"reason": str(error)}
        return (
            str(made_of),
            _identity(settings.trail_set_path),
            _identity(switches.path_in(suspicions.switches_in(settings))),
            self._excepted(),
            self._own.mark() if self._own is not None else "",
            *map(_identity, settings.trails.whitelist),
        )

    def _excepted(self) -> _Mark:
        """Mark the content of the exceptions and which of them are in force: one that runs out is a change."""
        try:
            entries = in_force(self._exceptions.entries(), self._clock())
        except TrailhoundError as error:
            return (self._exceptions.identity(), str(error))
        return (self._exceptions.identity(), *(entry.id for entry in entries))


def refuse_worse(new: TrailSet, old: TrailSet | None, min_ratio: float) -> None:
    """Raise `TrailSetError` for a set that lost too much of the one before, or that holds what nobody means."""
    if old is not None and len(new) < len(old) * min_ratio:
        raise TrailSetError(
            f"{new.path}: the new trail set holds {len(new):,} trails, the one in force {len(old):,};"
            f" less than trails.min_ratio = {min_ratio} of it is not taken up before a restart"
        )
    for name in CANARY_NAMES:
        if new.domains(name) and not (old and old.domains(name)):
            raise TrailSetError(f"{new.path}: the new trail set holds {name}, so something is wrong with its sources")
    for address in CANARY_ADDRESSES:
        if new.has_address(address) and not (old and old.has_address(address)):
            raise TrailSetError(
                f"{new.path}: the new trail set holds {address}, so something is wrong with its sources"
            )


def _identity(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
