"""How heuristics are doing in the process that reads: written by it now and then, read by whoever serves metrics."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import structlog

from matchers.heuristics.running import Heuristics

_FILE = Path("rules", "status.json")  # In the state directory.
EVERY = 15.0  # Seconds.
_log = structlog.get_logger("heuristics")


class Status(msgspec.Struct, frozen=True):
    """Keys that each heuristic holds, and how often each that did has failed since the start, by name."""

    held: Mapping[str, int] = {}
    failures: Mapping[str, int] = {}


def load(state_dir: Path) -> Status:
    """Give the latest; an empty one when there is none that can be read."""
    try:
        return msgspec.json.decode((state_dir / _FILE).read_bytes(), type=Status)
    except (OSError, msgspec.MsgspecError):
        return Status()


def save(state_dir: Path, status: Status) -> None:
    """Write in one step. May raise `OSError`."""
    path = state_dir / _FILE
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    unborn = path.with_name(f"{path.name}.unborn")
    unborn.write_bytes(msgspec.json.encode(status))
    unborn.replace(path)


class Telling:
    """Writes the status every `EVERY` seconds, when it is called by the thread that matches."""

    def __init__(self, state_dir: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._state_dir = state_dir
        self._clock = clock
        self._due = 0.0

    def __call__(self, heuristics: Heuristics | None) -> None:
        if self._clock() < self._due:
            return
        self._due = self._clock() + EVERY
        status = Status(heuristics.held(), dict(heuristics.failures)) if heuristics is not None else Status()
        try:
            save(self._state_dir, status)
        except OSError as error:
            _log.warning("how heuristics are doing cannot be written", reason=error.strerror)
