"""All files that are followed: found, opened, let go when nothing comes any more, and remembered."""

import resource
import socket
import stat
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from ingest.positions import UNSEEN, Position, Saved
from ingest.remembered import FORGET, Key, Loss, Remembered
from ingest.rotated import TOO_SHORT, Newcomers, Seen
from ingest.tail import Tail, shown
from ingest.watch import Watch, is_followed, is_rotated
from trailhound.errors import SourceError
from trailhound.watching import Folder

IDLE = 30.0  # Seconds after which a file that does not grow is let go; it is opened again when it does.
MOST_OPEN = 512  # Files that are open at the same time; others wait until one of these has nothing more to read.
RETRY = 10.0  # Seconds after which a file that failed while it was read is opened again.
_log = structlog.get_logger("ingest")


@dataclass(slots=True)
class Followed:
    """An open file, the place of its log in the overview of sensors, and when it last grew."""

    tail: Tail
    folder: Path
    active: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file or folder that cannot be read, and why.

    It is left alone until a time (by the monotonic clock), and for as long as it has this size and time of change.
    """

    path: Path
    folder: Path
    sensor: str
    reason: str
    until: float = 0.0
    stamp: tuple[int, int] | None = None


class Follow:
    """Keeps the set of open files in step with what is on disk.

    `looked` is when (seconds since the epoch) all that is there was last known to be open or remembered.
    """

    def __init__(
        self,
        watch: Watch,
        wanted: Mapping[str, Sequence[str]],
        positions: Iterable[Position],
        *,
        from_end: bool,
        since: float | None = None,
        compressed: bool = True,
        most_open: int = MOST_OPEN,
    ) -> None:
        """Know the saved positions. `from_end` says that what the first look finds is old and not to be read.

        `since` (seconds since the epoch) says from when on records count in files that are new to us. `compressed` says
        that rotated logs which were written since the last run, and read by nobody, are read.
        """
        self._watch = watch
        self._wanted = wanted
        self._from_end = from_end
        self._since = since
        # Half of what this process may open is left for the store and all others.
        self._most_open = max(1, min(most_open, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2))
        self.looked = positions.looked if isinstance(positions, Saved) else 0.0
        self._remembered = Remembered(positions)
        self._newcomers = Newcomers(wanted, self._remembered, since=self.looked or time.time(), begin=compressed)
        self._refused: dict[Path, Refusal] = {}
        self.open: dict[Key, Followed] = {}

    def discover(self) -> bool:
        """Open files that are new or have changed, follow the others under their present names.

        Tell whether any was opened.
        """
        now = time.time()
        refused = {folder.path: _missing(folder) for folder in self._watch.missing()}
        self._keep_cuts()
        changed = self._changed(now)
        opened = full = False
        for seen in changed:
            refusal = self._refused.get(seen.path)
            if refusal is not None and (refusal.until > time.monotonic() or refusal.stamp == seen.stamp):
                refused[seen.path] = refusal
                continue
            full = full or not self._has_room()
            if full:
                continue
            outcome = self._open(seen)
            opened = opened or outcome is True
            if isinstance(outcome, Refusal):
                refused[seen.path] = outcome
        self._refuse(refused)
        self._from_end = False
        # As long as anything could not be looked into, all stays as it was: new, or not.
        if self._watch.is_complete and not (full or refused or self._newcomers.is_waiting):
            self.looked = now
            self._newcomers.settle(now)
        return opened

    def _changed(self, now: float) -> list[Seen]:
        """Give the files that may have to be opened; note which of the others are still there, and where."""
        changed: list[Seen] = []
        found: set[Key] = set()
        paths: set[Path] = set()
        is_complete = True
        for path, folder, is_rotated_ in self._watch.listing():
            try:
                seen = Seen(path, folder, _sensor(folder), path.stat(), is_rotated_)
            except FileNotFoundError:
                continue  # Gone between listing and looking.
            except OSError:
                is_complete = False
                continue
            found.add(seen.key)
            paths.add(path)
            if seen.key in self.open:
                self.open[seen.key].tail.path = path
            elif self._is_changed(seen, now):
                changed.append(seen)
        if is_complete and self._watch.is_complete:
            self._remembered.look(found, self._watch.devices)
        self._newcomers.look((followed.tail.position for followed in self.open.values()), paths)
        # What is followed by its own name is opened first: then what it was before is known for gone, or not.
        return sorted(changed, key=lambda seen: seen.is_rotated)

    def _is_changed(self, seen: Seen, now: float) -> bool:
        resting = self._remembered.get(seen.key)
        if resting is not None:
            resting.seen = now
            if resting.pending is None and seen.stamp == (resting.size, resting.modified):
                if seen.status.st_mtime < now - FORGET and self._newcomers.is_archive(seen):
                    self._remembered.pop(resting)  # By now an archive like any other.
                return False
        return stat.S_ISREG(seen.status.st_mode)

    def _open(self, seen: Seen) -> Refusal | bool:
        """Open a file if it is to be read, and tell whether it is; or why it cannot be."""
        try:
            tail = self._tail(seen)
            if tail is None:
                return False
            if tail.key != seen.key:
                tail.close()  # Rotated between the two looks; the next round sees things as they are.
                return False
        except FileNotFoundError:
            return False
        except (OSError, SourceError) as error:
            # What is damaged stays so until it is written anew.
            stamp = seen.stamp if seen.is_rotated and not isinstance(error.__cause__, OSError) else None
            return Refusal(seen.path, seen.folder.path, seen.sensor, str(error), stamp=stamp)
        self.open[seen.key] = Followed(tail, seen.folder.path, time.monotonic())
        _log.info("log followed", path=shown(seen.path), sensor=seen.sensor, offset=tail.position.offset)
        return True

    def _tail(self, seen: Seen) -> Tail | None:
        resting = self._remembered.get(seen.key)
        if resting is None:
            tail = self._newcomers.tail(seen)
            if tail is not None and not tail.position.offset:
                self._start(tail, seen)
            return tail
        tail = Tail(seen.path, seen.sensor, self._wanted, resting)
        self._remembered.pop(resting)
        if tail.position is resting:
            return tail
        # It was cut, or the inode is another file's by now: which may be one that we know.
        tail.close()
        _log.info("log holds something else", path=shown(seen.path), sensor=seen.sensor, read=resting.offset)
        self._newcomers.cut(resting)
        return self._newcomers.tail(seen)

    def _start(self, tail: Tail, seen: Seen) -> None:
        """Leave out what is too old in a file that is new to us."""
        if self._from_end or (self._since is not None and seen.status.st_mtime < self._since):
            tail.skip_to_end()
        elif self._since is not None:
            tail.position.since = int(self._since * 1_000_000)

    def _refuse(self, refused: dict[Path, Refusal]) -> None:
        for path, refusal in refused.items():
            known = self._refused.get(path)
            if known is None or known.reason != refusal.reason:
                _log.warning("log cannot be read", path=shown(path), reason=refusal.reason)
        self._refused = refused

    def fail(self, key: Key, reason: str) -> None:
        """Let go of a file that fails while it is read; it is tried again after a while, a damaged one when changed."""
        tail, folder = self.open[key].tail, self.open[key].folder
        position = self._let_go(key)
        stamp = (position.size, position.modified) if tail.is_damaged else None
        position.size = UNSEEN
        refusal = Refusal(tail.path, folder, tail.sensor, reason, time.monotonic() + RETRY, stamp)
        self._refuse({**self._refused, tail.path: refusal})

    def rest(self) -> None:
        """Let go of files that are read to their end and have not grown for a while."""
        now = time.monotonic()
        for key, followed in list(self.open.items()):
            tail = followed.tail
            if tail.is_done:
                self._let_go(key)
            elif not tail.stalled or now - followed.active <= IDLE:
                continue
            elif tail.is_packed:
                tail.is_damaged = True
                self.fail(key, f"{shown(tail.path)}: {TOO_SHORT}")
            # One that is stuck (no log, half a line) stays in sight; but a deleted one must give its disk space back.
            elif not tail.lag or tail.is_deleted:
                self._let_go(key)
        self._remembered.forget()

    def _has_room(self) -> bool:
        """Tell whether one more file may be opened, after letting go of some that have nothing to read."""
        if len(self.open) < self._most_open:
            return True
        stalled = [key for key, followed in self.open.items() if followed.tail.stalled]
        stalled.sort(key=lambda key: self.open[key].active)
        for key in stalled[: max(1, len(stalled) // 4)]:
            self._let_go(key)
        return len(self.open) < self._most_open

    def _let_go(self, key: Key) -> Position:
        tail = self.open.pop(key).tail
        position = tail.let_go()
        self._remembered.put(position)
        for cut in tail.cuts:
            self._remembered.cut(cut)
        return position

    def _keep_cuts(self) -> None:
        """Remember contents that were cut off: a copy of them may turn up."""
        for followed in self.open.values():
            while followed.tail.cuts:
                self._remembered.cut(followed.tail.cuts.pop())

    def go_by(self, watch: Watch, folders: Iterable[Folder]) -> None:
        """Follow other folders; let go of the files of those that are gone, or are others now."""
        self._watch = watch
        kept = {(folder.path, _sensor(folder)): folder for folder in folders}
        for key, followed in list(self.open.items()):
            folder = kept.get((followed.folder, followed.tail.sensor))
            name = followed.tail.path.name
            if folder is None or not (is_followed(name, folder) or is_rotated(name, folder)):
                self._let_go(key).size = UNSEEN

    def losses(self) -> list[Loss]:
        """Give what was lost unread since the last time: its file is gone, and nothing has turned up that goes on."""
        losses = []
        for position in self._remembered.overdue():
            path = Path(position.path)
            folder = next((folder for folder in self._watch.folders if path.is_relative_to(folder.path)), None)
            if folder is not None:
                losses.append(Loss(_sensor(folder), folder.path, path, position.offset, position.known))
            position.known = position.offset
        return losses

    @property
    def refused(self) -> Collection[Refusal]:
        """Give the files and folders that cannot be read."""
        return self._refused.values()

    def turn(self, key: Key) -> None:
        """Put a file at the end of the line, so that it does not keep the others waiting."""
        self.open[key] = self.open.pop(key)

    def positions(self) -> Iterator[Position]:
        # Contents that were cut off since the last look, too: else, after a kill, a copy of them is read anew.
        self._keep_cuts()
        yield from self._remembered
        now = time.time()
        for followed in self.open.values():
            followed.tail.position.seen = now
            yield followed.tail.noted()

    def close(self) -> None:
        for followed in self.open.values():
            followed.tail.close()
        self.open.clear()


def _sensor(folder: Folder) -> str:
    return folder.sensor or socket.gethostname()


def _missing(folder: Folder) -> Refusal:
    reason = f"{shown(folder.path)}: this folder of logs is not there or cannot be read (logs.folders)"
    return Refusal(folder.path, folder.path, _sensor(folder), reason)
