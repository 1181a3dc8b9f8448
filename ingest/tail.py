"""One followed file: read on from where it stands, whole lines only."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.batch import BadLine, Reader, bad
from ingest.formats import ARRAY, CHUNK, HEAD, detect, reader_of
from ingest.logtypes import log_of_file
from ingest.positions import PREFIX, Position, fingerprint
from trailhound.errors import SourceError


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a file, the offset after them, and a line that was too long to wait for its end."""

    data: bytes
    end: int
    overlong: BadLine | None = None


class Tail:
    """Follows one file, known by its descriptor, through renames to its end.

    `position` is what is acknowledged. `read` gives the same piece until `advance` takes it for done; `reader` must be
    fed each piece once. `lost` counts bytes that were cut off before they were read, as far as anybody can know.
    """

    def __init__(self, path: Path, sensor: str, wanted: Mapping[str, Sequence[str]], position: Position | None) -> None:
        """Open a file, to go on at a saved position when it is this file's. Raises `SourceError`."""
        self.path = path
        self.sensor = sensor
        self.truncations = 0
        self.lost = 0
        self._known_size = 0
        self._wanted = wanted
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise SourceError(f"{path}: the log cannot be read: {error.strerror}") from error
        self.reader: Reader | None = None
        self.position = position if position is not None and self._is_ours(position) else self._fresh()
        self.position.path = str(path)
        self._restore()

    @property
    def key(self) -> tuple[int, int]:
        return self.position.device, self.position.inode

    @property
    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    @property
    def lag(self) -> int:
        return max(0, self.size - self.position.offset)

    def skip_to_end(self) -> None:
        """Start after what is there, at the beginning of a line; a header that is there is read all the same."""
        size = self.size
        head = os.pread(self._descriptor, min(size, HEAD), 0)
        self._begin(head)
        if self.reader is not None:
            header = b"".join(line for line in head.splitlines(keepends=True) if line.startswith(b"#"))
            list(self.reader.feed(header)) if header else None
        tail = os.pread(self._descriptor, CHUNK, max(0, size - CHUNK))
        self.position.offset = max(0, size - CHUNK) + tail.rfind(b"\n") + 1
        self._note()

    def read(self, limit: int = CHUNK, max_line: int = CHUNK) -> Piece | None:
        """Give the next whole lines, None when there are none; after a crash, first those that were pending."""
        self._check_truncation()
        self._known_size = self.size
        start, pending = self.position.offset, self.position.pending
        length = limit if pending is None else pending - start
        data = os.pread(self._descriptor, length, start)
        if not data:
            return None
        if self.position.discarding:
            return self._discard(data, start)
        whole = data if pending is not None and len(data) == length else data[: data.rfind(b"\n") + 1]
        if not whole:
            return self._overlong(data, start) if len(data) >= min(max_line, limit) else None
        if self.reader is None and not self._begin(data):
            return None
        return Piece(whole, start + len(whole))

    def _overlong(self, data: bytes, start: int) -> Piece:
        self.position.discarding = True
        number = (self.reader.lines if self.reader else 0) + 1
        return Piece(b"", start + len(data), bad(number, f"a line of more than {len(data):,} bytes", data))

    def _discard(self, data: bytes, start: int) -> Piece:
        """Pass over the rest of a line that was too long."""
        cut = data.find(b"\n") + 1
        if cut:
            self.position.discarding = False
            if self.reader is not None:
                self.reader.lines += 1
        return Piece(b"", start + (cut or len(data)))

    def expect(self, end: int) -> None:
        """Note where the stretch ends whose events are about to be stored."""
        self.position.pending = end

    def advance(self, end: int) -> None:
        """Take a stretch for done."""
        self.position.offset = end
        self.position.pending = None
        self._note()

    def is_at(self, path: Path) -> bool:
        """Tell whether a path still leads to this file."""
        try:
            there = path.stat()
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == self.key

    def close(self) -> None:
        os.close(self._descriptor)

    def _fresh(self) -> Position:
        status = os.fstat(self._descriptor)
        prefix, digest = fingerprint(self._descriptor)
        return Position(str(self.path), status.st_dev, status.st_ino, prefix, digest)

    def _is_ours(self, position: Position) -> bool:
        status = os.fstat(self._descriptor)
        return (
            (status.st_dev, status.st_ino) == (position.device, position.inode)
            and status.st_size >= max(position.offset, position.pending or 0)
            and fingerprint(self._descriptor, position.prefix) == (position.prefix, position.digest)
        )

    def _check_truncation(self) -> None:
        """Begin anew when the file was cut, or cut and written again: then its first bytes are others."""
        position = self.position
        if self.size >= position.offset and fingerprint(self._descriptor, position.prefix) == (
            position.prefix,
            position.digest,
        ):
            if position.prefix < PREFIX:
                position.prefix, position.digest = fingerprint(self._descriptor)
            return
        self.truncations += 1
        self.lost += max(0, self._known_size - position.offset)
        self.position = self._fresh()
        self.reader = None

    def _begin(self, head: bytes) -> bool:
        """Tell the format by the first lines; False when it cannot be told, yet or ever."""
        format_ = detect(head)
        if format_ is None or format_ == ARRAY:
            return False
        self.reader = reader_of(format_, self._wanted, log_of_file(self.path.name))
        self.position.format = format_
        return True

    def _restore(self) -> None:
        position = self.position
        if not position.format:
            self.reader = None
            return
        self.reader = reader_of(position.format, self._wanted, log_of_file(self.path.name), position.state)
        self.reader.lines = position.lines

    def _note(self) -> None:
        if self.reader is not None:
            self.position.lines = self.reader.lines
            self.position.state = self.reader.state
