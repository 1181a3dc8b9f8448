"""Files that nobody has seen before: new logs, or old ones that were renamed, copied or compressed meanwhile."""

import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ingest.identity import fingerprint, head_of, kind_of
from ingest.logtypes import log_of_file
from ingest.positions import Position
from ingest.remembered import Key, Remembered, key_of
from ingest.source import Source
from ingest.tail import Tail, shown, unreadable
from ingest.unpack import DAMAGE, content_size
from trailhound.errors import SourceError
from trailhound.watching import Folder

SETTLE = 5.0  # Seconds that a compressed file must not have changed before it is looked into.
_DAY = 86_400.0
_TICK = 2.0  # Seconds by which clocks of files and ours may differ.
TOO_SHORT = "the compressed log ends too early; it is read on when it is whole"
_Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as a look at its folder found it. A rotated one has a name that is followed only without its ending."""

    path: Path
    folder: Folder
    sensor: str
    status: os.stat_result
    is_rotated: bool

    @property
    def key(self) -> Key:
        return self.status.st_dev, self.status.st_ino

    @property
    def stamp(self) -> _Stamp:
        return self.status.st_size, self.status.st_mtime_ns


class Index:
    """Positions by the first bytes of their files."""

    def __init__(self, positions: Iterable[Position]) -> None:
        self._found: dict[tuple[int, str], list[Position]] = {}
        self._lengths: set[int] = set()
        for position in positions:
            self.add(position)

    def add(self, position: Position) -> None:
        if position.prefix:
            self._found.setdefault((position.prefix, position.digest), []).append(position)
            self._lengths.add(position.prefix)

    def of(self, head: bytes) -> list[Position]:
        """Give the positions of files that begin so, those that know most of the beginning first."""
        found: list[Position] = []
        for length in sorted(self._lengths, reverse=True):
            if length <= len(head):
                found += self._found.get(fingerprint(head[:length]), ())
        return found


class Newcomers:
    """Tells what a new file is: the rest of one that is gone, a copy of one that is there, or new."""

    def __init__(
        self, wanted: Mapping[str, Sequence[str]], remembered: Remembered, *, since: float, begin: bool
    ) -> None:
        """Take rotated logs that were written after `since` (seconds since the epoch) for unread.

        Without `begin` all rotated logs are left alone.
        """
        self._wanted = wanted
        self._remembered = remembered
        self._since = since
        self._begin = begin
        self._gone = Index(())
        self._there = Index(())
        self._oldest = math.inf
        self.is_waiting = False  # Some file is not to be judged yet, since it is still being written.
        # What was found out about a file, for as long as it looks the same.
        self._old: dict[Path, _Stamp] = {}
        self._heads: dict[Path, tuple[_Stamp, str, bytes]] = {}
        self._verdicts: dict[tuple[Path, Key], tuple[_Stamp, bool]] = {}

    def settle(self, looked: float) -> None:
        """Take note that of all files there were at a time (seconds since the epoch) it is known what they are."""
        self._since = max(self._since, looked - _DAY)

    def look(self, open_: Iterable[Position], paths: set[Path]) -> None:
        """Begin a look at all folders, in which `paths` are there."""
        self.is_waiting = False
        gone = self._remembered.gone()
        self._gone = Index(gone)
        self._oldest = min((position.touched / 1e9 for position in gone), default=math.inf)
        self._there = Index((*self._remembered.resting(), *open_))
        self._old = {path: stamp for path, stamp in self._old.items() if path in paths}
        self._heads = {path: known for path, known in self._heads.items() if path in paths}
        self._verdicts = {pair: verdict for pair, verdict in self._verdicts.items() if pair[0] in paths}

    def is_archive(self, seen: Seen) -> bool:
        """Tell whether a file is one that is left to be scanned, unless it goes on with one that is gone."""
        return seen.is_rotated and seen.status.st_mtime + _TICK < self._since

    def cut(self, position: Position) -> None:
        """Take note that a file does not hold what was read of it any more."""
        self._remembered.cut(position)
        self._gone.add(position)

    def tail(self, seen: Seen) -> Tail | None:
        """Open a file where it is to be read from; None for one that is not, or not yet. Raises `SourceError`."""
        if seen.is_rotated and not self._begin:
            return None
        # Of archives there may be very many, so that nothing is kept of them.
        if self.is_archive(seen) and seen.status.st_mtime + _TICK < self._oldest:
            return None
        if self._old.get(seen.path) == seen.stamp:
            return None
        kind, head = self._first(seen)
        if kind and 0 <= time.time() - seen.status.st_mtime < SETTLE:
            self.is_waiting = True
            return None
        candidates = [position for position in self._gone.of(head) if _may_be(seen, position)]
        for position in candidates:
            moved = msgspec.structs.replace(position, device=seen.key[0], inode=seen.key[1], cut=False)
            if kind and _is_done(seen.path, kind, position):
                moved.size, moved.modified = seen.stamp
                self._remembered.pop(position)
                self._remembered.put(moved)
                return None
            tail = Tail(seen.path, seen.sensor, self._wanted, moved)
            if tail.position is moved:
                self._remembered.pop(position)
                return tail
            tail.close()
        if any(self._is_copy(seen, position) for position in self._there.of(head)):
            return None
        if not seen.is_rotated or (head and not self.is_archive(seen)):
            return self._begun(seen, candidates)
        if head:
            self._old[seen.path] = seen.stamp
        return None

    def _begun(self, seen: Seen, candidates: Sequence[Position]) -> Tail:
        """Open a file to be read from its beginning."""
        tail = Tail(seen.path, seen.sensor, self._wanted, None)
        if tail.is_packed and candidates:
            try:
                is_short = not any(tail.reaches(position.offset) for position in candidates)
            except SourceError:
                tail.close()
                raise
            if is_short:
                tail.close()
                # What is there was read from a file that is gone; what is to be read may still come.
                raise SourceError(f"{shown(seen.path)}: {TOO_SHORT}")
        return tail

    def _first(self, seen: Seen) -> tuple[str, bytes]:
        """Give how a file is compressed, if it is, and its first bytes."""
        known = self._heads.get(seen.path)
        if known is None or known[0] != seen.stamp:
            self._heads[seen.path] = known = (seen.stamp, kind_of(seen.path), head_of(seen.path))
        return known[1], known[2]

    def _is_copy(self, seen: Seen, position: Position) -> bool:
        """Tell whether a file has, or may come to have, what was read of another that is there."""
        if position.cut or key_of(position) == seen.key:
            return False
        pair = (seen.path, key_of(position))
        stamp, verdict = self._verdicts.get(pair, ((-1, -1), False))
        if stamp != seen.stamp:
            verdict = self._compare(seen, position)
            self._verdicts[pair] = seen.stamp, verdict
        return verdict

    def _compare(self, seen: Seen, position: Position) -> bool:
        try:
            source = Source(seen.path)
            try:
                if source.reaches(position.offset):
                    return source.holds(position)
                # A copy that is being written is short only for a while.
                return source.is_packed or time.time() - seen.status.st_mtime < SETTLE
            finally:
                source.close()
        except DAMAGE as error:
            raise unreadable(seen.path, error) from error


def _may_be(seen: Seen, position: Position) -> bool:
    """Tell whether a new file may have what was read of one that is gone: first bytes may be just a header."""
    return seen.is_rotated or (position.offset > 0 and position.log == log_of_file(seen.path.name))


def _is_done(path: Path, kind: str, position: Position) -> bool:
    """Tell whether a compressed file has no more than what was read, by what it says of itself."""
    if position.unread or position.pending is not None or not position.offset:
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        told = content_size(descriptor, kind)
    finally:
        os.close(descriptor)
    return told is not None and told == (position.offset % (1 << 32) if kind == "gzip" else position.offset)
