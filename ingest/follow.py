"""All files that are followed: found, opened, let go when nothing comes any more, and remembered."""

import resource
import socket
import stat
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from ingest.positions import UNSEEN, Position
from ingest.tail import Tail, shown
from ingest.watch import Watch
from trailhound.errors import SourceError
from trailhound.settings import Folder

IDLE = 30.0  # Seconds after which a file that does not grow is let go; it is opened again when it does.
FORGET = (
    3 * 86_400.0
)  # Seconds after which the position of a file that is gone is forgotten; all are written at each save.
MOST_OPEN = 512  # Files that are open at the same time; others wait until one of these has nothing more to read.
RETRY = 10.0  # Seconds after which a file that failed while it was read is opened again.
_log = structlog.get_logger("ingest")
Key = tuple[int, int]


@dataclass(slots=True)
class Followed:
    """An open file, the place of its log in the overview of sensors, and when it last grew."""

    tail: Tail
    folder: Path
    active: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file or folder that cannot be read, why, and until when (by the monotonic clock) it is left alone."""

    path: Path
    folder: Path
    sensor: str
    reason: str
    until: float = 0.0


class Follow:
    """Keeps the set of open files in step with what is on disk."""

    def __init__(
        self,
        watch: Watch,
        wanted: Mapping[str, Sequence[str]],
        positions: Iterable[Position],
        *,
        from_end: bool,
        most_open: int = MOST_OPEN,
    ) -> None:
        """Know the saved positions. `from_end` says that what the first look finds is old and not to be read."""
        self._watch = watch
        self._wanted = wanted
        self._from_end = from_end
        # Half of what this process may open is left for the store and all others.
        self._most_open = max(1, min(most_open, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2))
        self._resting: dict[Key, Position] = {(saved.device, saved.inode): saved for saved in positions}
        self._refused: dict[Path, Refusal] = {}
        self.open: dict[Key, Followed] = {}

    def discover(self) -> bool:
        """Open files that are new or have changed, follow the others under their present names.

        Tell whether any was opened.
        """
        now = time.time()
        opened = False
        full = False
        refused = {folder.path: _missing(folder) for folder in self._watch.missing()}
        for path, folder in self._watch.files():
            key = self._changed(path, now)
            if key is None:
                continue
            refusal = self._refused.get(path)
            if refusal is not None and refusal.until > time.monotonic():
                refused[path] = refusal
                continue
            full = full or not self._has_room()
            if full:
                continue
            problem = self._open(path, folder)
            if problem is None:
                opened = True
            else:
                refused[path] = problem
        self._refuse(refused)
        self._from_end = False
        return opened

    def _changed(self, path: Path, now: float) -> Key | None:
        """Give the key of a file that should be opened; note that all others are still there."""
        try:
            status = path.stat()
        except OSError:
            return None  # Gone between listing and looking.
        key = (status.st_dev, status.st_ino)
        if key in self.open:
            self.open[key].tail.path = path
            return None
        resting = self._resting.get(key)
        if resting is not None:
            resting.seen = now
            if resting.pending is None and (status.st_size, status.st_mtime_ns) == (resting.size, resting.modified):
                return None
        return key if stat.S_ISREG(status.st_mode) else None

    def _open(self, path: Path, folder: Folder) -> Refusal | None:
        sensor = _sensor(folder)
        try:
            status = path.stat()
            key = (status.st_dev, status.st_ino)
            resting = self._resting.get(key)
            tail = Tail(path, sensor, self._wanted, resting)
            if tail.key != key:
                tail.close()  # Rotated between the two looks; the next round sees things as they are.
                return None
            if resting is None and self._from_end:
                tail.skip_to_end()
        except FileNotFoundError:
            return None
        except (OSError, SourceError) as error:
            return Refusal(path, folder.path, sensor, str(error))
        self._resting.pop(key, None)
        self.open[key] = Followed(tail, folder.path, time.monotonic())
        _log.info("log followed", path=shown(path), sensor=sensor, offset=tail.position.offset)
        return None

    def _refuse(self, refused: dict[Path, Refusal]) -> None:
        for path, refusal in refused.items():
            known = self._refused.get(path)
            if known is None or known.reason != refusal.reason:
                _log.warning("log cannot be read", path=shown(path), reason=refusal.reason)
        self._refused = refused

    def fail(self, key: Key, reason: str) -> None:
        """Let go of a file that fails while it is read; it is tried again after a while."""
        followed = self.open[key]
        self._let_go(key)
        self._resting[key].size = UNSEEN
        path, until = followed.tail.path, time.monotonic() + RETRY
        refusal = Refusal(path, followed.folder, followed.tail.sensor, reason, until)
        self._refuse({**self._refused, path: refusal})

    def rest(self) -> None:
        """Let go of files that are read to their end and have not grown for a while."""
        now = time.monotonic()
        for key, followed in list(self.open.items()):
            if not followed.tail.stalled or now - followed.active <= IDLE:
                continue
            # One that is stuck (no log, half a line) stays in sight; but a deleted one must give its disk space back.
            if not followed.tail.lag or followed.tail.is_deleted:
                self._let_go(key)
        horizon = time.time() - FORGET
        for key in [key for key, saved in self._resting.items() if saved.seen < horizon]:
            del self._resting[key]

    def _has_room(self) -> bool:
        """Tell whether one more file may be opened, after letting go of some that have nothing to read."""
        if len(self.open) < self._most_open:
            return True
        stalled = [key for key, followed in self.open.items() if followed.tail.stalled and not followed.tail.lost]
        stalled.sort(key=lambda key: self.open[key].active)
        for key in stalled[: max(1, len(stalled) // 4)]:
            self._let_go(key)
        return len(self.open) < self._most_open

    def _let_go(self, key: Key) -> None:
        tail = self.open.pop(key).tail
        if tail.is_deleted and tail.lag and tail.reader is not None:
            _log.warning("log deleted in the middle of a line", path=shown(tail.path), lost_bytes=tail.lag)
        position = tail.let_go()
        position.seen = time.time()
        self._resting[key] = position

    @property
    def refused(self) -> Collection[Refusal]:
        """Give the files and folders that cannot be read."""
        return self._refused.values()

    def turn(self, key: Key) -> None:
        """Put a file at the end of the line, so that it does not keep the others waiting."""
        self.open[key] = self.open.pop(key)

    def positions(self) -> Iterator[Position]:
        yield from self._resting.values()
        now = time.time()
        for followed in self.open.values():
            followed.tail.position.seen = now
            yield followed.tail.position

    def close(self) -> None:
        for followed in self.open.values():
            followed.tail.close()
        self.open.clear()


def _sensor(folder: Folder) -> str:
    return folder.sensor or socket.gethostname()


def _missing(folder: Folder) -> Refusal:
    reason = f"{shown(folder.path)}: this folder of logs is not there or cannot be read (logs.folders)"
    return Refusal(folder.path, folder.path, _sensor(folder), reason)
