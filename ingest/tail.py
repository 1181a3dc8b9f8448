"""One followed file: read on from where it stands, whole lines only."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.batch import BadLine, Reader, bad
from ingest.formats import ARRAY, CHUNK, HEAD, detect, reader_of
from ingest.logtypes import log_of_file
from ingest.positions import PREFIX, UNSEEN, Position, fingerprint
from trailhound.errors import SourceError


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a file and the offset after them; or, without lines, a share of a line that is too long.

    `overlong` is that line, once, when its beginning is met. `inside` says that it goes on after this piece, `closes`
    that it ends with it.
    """

    data: bytes
    end: int
    overlong: BadLine | None = None
    inside: bool = False
    closes: bool = False


class Tail:
    """Follows one file, known by its descriptor, through renames to its end.

    `position` is what is acknowledged. `read` gives the same piece until `advance` takes it for done; `reader` must be
    fed each piece once. `stalled` says that there is no more to read until the file changes. `lost` counts bytes that
    were cut off before they were read, as far as anybody can know.
    """

    def __init__(self, path: Path, sensor: str, wanted: Mapping[str, Sequence[str]], position: Position | None) -> None:
        """Open a file, to go on at a saved position when it is this file's. Raises `SourceError`."""
        self.path = path
        self.sensor = sensor
        self.truncations = 0
        self.lost = 0
        self.stalled = False
        self.reader: Reader | None = None
        self._known = (0, UNSEEN)
        self._foreign = False
        self._wanted = wanted
        try:
            # Opening a pipe would wait for a writer, were it not for O_NONBLOCK; files do not care.
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise SourceError(f"{shown(path)}: the log cannot be read: {error.strerror}") from error
        try:
            self.position = position if position is not None and self._is_ours(position) else self._fresh()
        except OSError as error:
            os.close(self._descriptor)
            raise SourceError(f"{shown(path)}: the log cannot be read: {error.strerror}") from error
        self.position.path = shown(path)
        self.position.size = self.position.modified = UNSEEN
        self._restore()

    @property
    def key(self) -> tuple[int, int]:
        return self.position.device, self.position.inode

    @property
    def size(self) -> int:
        try:
            return os.fstat(self._descriptor).st_size
        except OSError:  # A network share that is away.
            return self._known[0]

    @property
    def lag(self) -> int:
        return max(0, self.size - self.position.offset)

    @property
    def is_deleted(self) -> bool:
        try:
            return os.fstat(self._descriptor).st_nlink == 0
        except OSError:
            return False

    def skip_to_end(self) -> None:
        """Start after what is there, at the beginning of a line; a header that is there is read all the same.

        Lines are then numbered from here, the header included.
        """
        size = self._look()
        head = os.pread(self._descriptor, min(size, HEAD), 0)
        if self._begin(head) and self.reader is not None:
            header = b"".join(line for line in head.splitlines(keepends=True) if line.startswith(b"#"))
            # A header gives no rows; what counts is that the reader has seen it.
            list(self.reader.feed(header))
        begin = max(0, size - CHUNK)
        cut = os.pread(self._descriptor, size - begin, begin).rfind(b"\n") + 1
        self.position.offset = begin + cut if cut or not begin else size
        self.position.discarding = bool(begin) and not cut
        self.stalled = True
        self._note()

    def read(self, limit: int = CHUNK, max_line: int = CHUNK) -> Piece | None:
        """Give the next whole lines, None when there are none; after a crash, first those that were pending.

        Raises `SourceError` when the file cannot be read any more.
        """
        try:
            piece = self._read(max(limit, max_line + 1), max_line)
        except OSError as error:
            raise SourceError(f"{shown(self.path)}: the log cannot be read: {error.strerror}") from error
        self.stalled = piece is None
        return piece

    def _read(self, limit: int, max_line: int) -> Piece | None:
        size = self._look()
        start, pending = self.position.offset, self.position.pending
        if self._foreign and self.reader is None:
            return None
        # What was written since the look is left for the next time: no fingerprint covers it yet.
        length = min(limit, size - start) if pending is None else pending - start
        data = os.pread(self._descriptor, length, start) if length else b""
        if not data:
            return None
        if self.position.discarding:
            return _discard(data, start)
        whole = data if pending is not None and len(data) == length else data[: data.rfind(b"\n") + 1]
        if not whole:
            return self._overlong(data, start) if len(data) > max_line else None
        if self.reader is None and not self._begin(data[: max(HEAD, data.find(b"\n") + 1)]):
            # What is no log by its first lines will be none by later ones.
            self._foreign = len(whole) >= HEAD
            return None
        return Piece(whole, start + len(whole))

    def _overlong(self, data: bytes, start: int) -> Piece:
        number = (self.reader.lines if self.reader else self.position.lines) + 1
        line = bad(number, f"a line of more than {len(data) - 1:,} bytes", data)
        return Piece(b"", start + len(data), line, inside=True)

    def expect(self, end: int) -> None:
        """Note where the stretch ends whose events are about to be stored."""
        self.position.pending = end

    def advance(self, piece: Piece) -> None:
        """Take a piece for done."""
        position = self.position
        position.offset = piece.end
        position.pending = None
        position.discarding = piece.inside
        if piece.closes and self.reader is not None:
            self.reader.lines += 1
        elif piece.closes:
            position.lines += 1
        self._note()

    def let_go(self) -> Position:
        """Close the file; give its position, by which it is known whether it has changed since it was last read."""
        self.position.size, self.position.modified = self._known
        self.close()
        return self.position

    def close(self) -> None:
        os.close(self._descriptor)

    def _fresh(self) -> Position:
        status = os.fstat(self._descriptor)
        prefix, digest = fingerprint(self._descriptor)
        path = shown(self.path)
        return Position(path, status.st_dev, status.st_ino, prefix, digest, log_of_file(path))

    def _is_ours(self, position: Position) -> bool:
        status = os.fstat(self._descriptor)
        return (
            (status.st_dev, status.st_ino) == (position.device, position.inode)
            and status.st_size >= max(position.offset, position.pending or 0)
            and fingerprint(self._descriptor, position.prefix) == (position.prefix, position.digest)
        )

    def _look(self) -> int:
        """Give the size; begin anew when the file was cut, or cut and rewritten: then its first bytes are others."""
        status = os.fstat(self._descriptor)
        position = self.position
        if not self._is_ours(position):
            self.truncations += 1
            self.lost += max(0, self._known[0] - position.offset)
            self.position = self._fresh()
            self.reader = None
            self._foreign = False
        elif position.prefix < PREFIX:
            position.prefix, position.digest = fingerprint(self._descriptor)
        self._known = (status.st_size, status.st_mtime_ns)
        return max(status.st_size, self.position.offset)

    def _begin(self, head: bytes) -> bool:
        """Tell the format by the first lines; False when it cannot be told, yet or ever."""
        format_ = detect(head)
        if format_ is None or format_ == ARRAY:
            return False
        self.reader = reader_of(format_, self._wanted, self.position.log)
        self.reader.lines = self.position.lines
        self.position.format = format_
        return True

    def _restore(self) -> None:
        position = self.position
        if position.format:
            state = position.state.decode("utf-8", "surrogatepass")
            self.reader = reader_of(position.format, self._wanted, position.log, state)
            self.reader.lines = position.lines

    def _note(self) -> None:
        if self.reader is not None:
            self.position.lines = self.reader.lines
            # A header with bytes that are no UTF-8 has lone surrogates in it.
            self.position.state = self.reader.state.encode("utf-8", "surrogatepass")


def _discard(data: bytes, start: int) -> Piece:
    """Pass over the rest of a line that was too long."""
    cut = data.find(b"\n") + 1
    return Piece(b"", start + (cut or len(data)), inside=not cut, closes=bool(cut))


def shown(path: Path) -> str:
    """Write a path as text that can be stored anywhere: a name on disk need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
