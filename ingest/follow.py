"""All files that are followed: found, opened, let go when nothing comes any more, and remembered."""

import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from ingest.positions import Position
from ingest.tail import Tail
from ingest.watch import Watch
from trailhound.errors import SourceError

IDLE = 30.0  # Seconds after which a file that does not grow is let go; it is opened again when it does.
FORGET = 14 * 86_400.0  # Seconds after which the position of a file that is gone is forgotten.
_log = structlog.get_logger("ingest")
Key = tuple[int, int]


@dataclass(slots=True)
class Followed:
    """An open file, the place of its log in the overview of sensors, and when it last grew."""

    tail: Tail
    folder: Path
    active: float


class Follow:
    """Keeps the set of open files in step with what is on disk."""

    def __init__(
        self,
        watch: Watch,
        wanted: Mapping[str, Sequence[str]],
        positions: Iterable[Position],
        *,
        from_end: bool,
    ) -> None:
        self._watch = watch
        self._wanted = wanted
        # Only what is there before anything was ever read counts as old.
        self._from_end = from_end and not positions
        self._resting: dict[Key, Position] = {(saved.device, saved.inode): saved for saved in positions}
        self._refused: dict[Path, str] = {}
        self.open: dict[Key, Followed] = {}

    def discover(self) -> None:
        """Open files that are new or have grown, follow the others under their present names."""
        now = time.time()
        for path, folder in self._watch.files():
            try:
                status = path.stat()
            except OSError:
                continue  # Gone between listing and looking.
            key = (status.st_dev, status.st_ino)
            if key in self.open:
                self.open[key].tail.path = path
                continue
            resting = self._resting.get(key)
            if resting is not None:
                resting.seen = now
                if status.st_size == resting.offset and resting.pending is None and status.st_mtime < now - 1:
                    continue
            self._open(path, folder.path, folder.sensor or socket.gethostname(), key)
        self._from_end = False

    def _open(self, path: Path, folder: Path, sensor: str, key: Key) -> None:
        resting = self._resting.get(key)
        try:
            tail = Tail(path, sensor, self._wanted, resting)
        except SourceError as error:
            if self._refused.get(path) != str(error):
                _log.warning("log cannot be read", path=str(path), reason=str(error))
            self._refused[path] = str(error)
            return
        self._refused.pop(path, None)
        self._resting.pop(key, None)
        if resting is None and self._from_end:
            tail.skip_to_end()
        self.open[tail.key] = Followed(tail, folder, time.monotonic())
        _log.info("log followed", path=str(path), sensor=sensor, offset=tail.position.offset)

    def rest(self) -> None:
        """Let go of files that are read to their end and have not grown for a while."""
        now = time.monotonic()
        for key, followed in list(self.open.items()):
            if now - followed.active > IDLE and not followed.tail.lag:
                followed.tail.position.seen = time.time()
                self._resting[key] = followed.tail.position
                followed.tail.close()
                del self.open[key]
        horizon = time.time() - FORGET
        for key in [key for key, saved in self._resting.items() if 0 < saved.seen < horizon]:
            del self._resting[key]

    @property
    def refused(self) -> Mapping[Path, str]:
        """Files that cannot be opened, with the reason."""
        return self._refused

    def positions(self) -> Iterator[Position]:
        yield from self._resting.values()
        for followed in self.open.values():
            yield followed.tail.position

    def close(self) -> None:
        for followed in self.open.values():
            followed.tail.close()
        self.open.clear()
