"""Positions of files that are not open: those that rest, those that are gone, and contents that were cut off."""

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.positions import Position

FORGET = 3 * 86_400.0  # Seconds after which the position of a file that is gone is forgotten.
MOST_GONE = 10_000  # Positions of files that are gone; of more, those go first that were seen last the longest ago.
# Seconds that what was read of a file that is gone may turn up elsewhere, renamed, copied or compressed. Then what is
# unread of it is lost.
GRACE = 10.0
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Loss:
    """Bytes of a log that were never read and never will be: of the file at `path`, from an offset to another."""

    sensor: str
    folder: Path
    path: Path
    start: int
    end: int

    @property
    def bytes(self) -> int:
        return self.end - self.start


class Remembered:
    """What is known of files that are not open, by device and inode; and of contents that no file holds any more."""

    def __init__(self, positions: Iterable[Position]) -> None:
        self._resting: dict[Key, Position] = {}
        self._cut: list[Position] = []
        self._gone: dict[int, float] = {}  # When (monotonic) a position, by its `id`, was first found without its file.
        for position in positions:
            if position.cut:
                self.cut(position)
            else:
                self._resting[key_of(position)] = position

    def get(self, key: Key) -> Position | None:
        return self._resting.get(key)

    def put(self, position: Position) -> None:
        position.seen = time.time()
        displaced = self._resting.get(key_of(position))
        if displaced is not None and displaced is not position:
            self.cut(displaced)
        self._resting[key_of(position)] = position

    def pop(self, position: Position) -> None:
        """Forget a position: its file was opened."""
        if position.cut:
            self._cut = [other for other in self._cut if other is not position]
        else:
            self._resting.pop(key_of(position), None)
        self._gone.pop(id(position), None)

    def cut(self, position: Position) -> None:
        """Remember what was read of a content that its file holds no more."""
        position.cut = True
        position.seen = position.seen or time.time()
        self._cut.append(position)
        self._gone[id(position)] = time.monotonic()

    def look(self, found: Collection[Key], devices: Collection[int]) -> None:
        """Note whose files were not found though their device is there."""
        now = time.monotonic()
        for key, position in self._resting.items():
            if key in found:
                self._gone.pop(id(position), None)
            elif position.device in devices:
                self._gone.setdefault(id(position), now)

    def gone(self) -> list[Position]:
        """Give the positions that have no file, those that know most of its first bytes first."""
        return sorted(self._without_file(), key=lambda position: (-position.prefix, -position.offset))

    def _without_file(self) -> Iterator[Position]:
        yield from (position for position in self._resting.values() if id(position) in self._gone)
        yield from self._cut

    def resting(self) -> Iterator[Position]:
        """Give the positions whose files are there, or may be."""
        return (position for position in self._resting.values() if id(position) not in self._gone)

    def overdue(self) -> list[Position]:
        """Give positions of which something is unread that has not turned up anywhere."""
        horizon = time.monotonic() - GRACE
        lost = [position for position in self._without_file() if position.unread and self._gone[id(position)] < horizon]
        return [position for position in lost if not _is_there(position)]

    def forget(self) -> None:
        """Forget what has been gone for long, and of very much the oldest."""
        horizon = time.time() - FORGET
        gone = sorted(self._without_file(), key=lambda position: -position.seen)
        for number, position in enumerate(gone):
            if position.seen < horizon or number >= MOST_GONE:
                self.pop(position)
        for position in [position for position in self.resting() if position.seen < horizon]:
            self.pop(position)

    def __iter__(self) -> Iterator[Position]:
        yield from self._resting.values()
        yield from self._cut


def _is_there(position: Position) -> bool:
    """Tell whether a file is where it was after all: what is followed may have changed, not the file."""
    try:
        status = Path(position.path).stat()
    except OSError:
        return False
    return not position.cut and (status.st_dev, status.st_ino) == key_of(position)


def key_of(position: Position) -> Key:
    return position.device, position.inode
