"""One followed file: read on from where it stands, whole lines only."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ingest.batch import BadLine, Reader, bad
from ingest.formats import ARRAY, CHUNK, HEAD, detect, reader_of
from ingest.identity import BEFORE, PREFIX, check_of, fingerprint
from ingest.logtypes import log_of_file
from ingest.positions import UNSEEN, Position
from ingest.source import Source
from ingest.unpack import DAMAGE
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
    fed each piece once. `stalled` says that there is no more to read until the file changes. `cuts` are the positions
    in contents that were cut off, with what was known to be unread of each. `is_damaged` says that a compressed file
    cannot be read further until it is written anew.
    """

    def __init__(self, path: Path, sensor: str, wanted: Mapping[str, Sequence[str]], position: Position | None) -> None:
        """Open a file, to go on at a saved position when it is this file's. Raises `SourceError`."""
        self.path = path
        self.sensor = sensor
        self.truncations = 0
        self.cuts: list[Position] = []
        self.stalled = False
        self.is_damaged = False
        self.reader: Reader | None = None
        self._known = (0, UNSEEN)
        self._most = 0
        self._before = b""
        self._foreign = False
        self._wanted = wanted
        try:
            self._source = Source(path)
        except DAMAGE as error:
            raise unreadable(path, error) from error
        try:
            self.position = position if position is not None and self._is_ours(position) else self._fresh()
            begin = max(0, self.position.offset - BEFORE)
            self._before = self._source.read(self.position.offset - begin, begin)
        except DAMAGE as error:
            self._source.close()
            raise unreadable(path, error) from error
        self.position.path = shown(path)
        self.position.size = self.position.modified = UNSEEN
        self._restore()

    @property
    def key(self) -> tuple[int, int]:
        return self.position.device, self.position.inode

    @property
    def size(self) -> int:
        try:
            return self._source.size()
        except OSError:  # A network share that is away.
            return self._known[0]

    def glance(self) -> None:
        """Note how long the file is: what comes while nothing is read may be cut off before it is."""
        if not self.is_packed:
            self._most = max(self._most, self.size)

    @property
    def lag(self) -> int:
        return max(0, self.size - self.position.offset)

    @property
    def is_deleted(self) -> bool:
        try:
            return self._source.status().st_nlink == 0
        except OSError:
            return False

    @property
    def is_packed(self) -> bool:
        return self._source.is_packed

    @property
    def is_done(self) -> bool:
        """Tell whether nothing can come any more: a compressed file that was read to its proper end."""
        return self.stalled and self._source.is_whole

    def reaches(self, offset: int) -> bool:
        """Tell whether the file holds so many bytes. Raises `SourceError`."""
        try:
            return self._source.reaches(offset)
        except DAMAGE as error:
            raise unreadable(self.path, error) from error

    def skip_to_end(self) -> None:
        """Start after what is there, at the beginning of a line; a header that is there is read all the same.

        Lines are then numbered from here, the header included.
        """
        size = self._look()
        head = self._source.read(min(size, HEAD), 0)
        if self._begin(head) and self.reader is not None:
            header = b"".join(line for line in head.splitlines(keepends=True) if line.startswith(b"#"))
            # A header gives no rows; what counts is that the reader has seen it.
            list(self.reader.feed(header))
        begin = max(0, size - CHUNK)
        cut = self._source.read(size - begin, begin).rfind(b"\n") + 1
        self.position.offset = begin + cut if cut or not begin else size
        self.position.discarding = bool(begin) and not cut
        self.stalled = True
        self._mark(b"")
        self._note()

    def read(self, limit: int = CHUNK, max_line: int = CHUNK) -> Piece | None:
        """Give the next whole lines, None when there are none; after a crash, first those that were pending.

        Raises `SourceError` when the file cannot be read any more.
        """
        try:
            piece = self._read(max(limit, max_line + 1), max_line)
        except DAMAGE as error:
            self.is_damaged = not isinstance(error, OSError)
            raise unreadable(self.path, error) from error
        self.stalled = piece is None
        return piece

    def _read(self, limit: int, max_line: int) -> Piece | None:
        size = self._look()
        start, pending = self.position.offset, self.position.pending
        if self._foreign and self.reader is None:
            return None
        # What was written since the look is left for the next time: no fingerprint covers it yet.
        length = limit if self.is_packed else min(limit, size - start)
        if pending is not None:
            length = pending - start
        data = self._source.read(length, start) if length else b""
        if not data:
            return None
        if not self.is_packed and not self._is_intact(self.position, size):
            self._look()  # Cut between look and reading: what was read may be anything.
            return None
        if self.position.discarding:
            return _discard(data, start)
        # Nobody will ever end the last line of a compressed file.
        is_end = len(data) < length and self._source.is_whole
        whole = data if is_end or (pending is not None and len(data) == length) else data[: data.rfind(b"\n") + 1]
        if not whole:
            return self._overlong(data, start) if len(data) > max_line else None
        if self.reader is None and not self._begin(data[: max(HEAD, data.find(b"\n") + 1)]):
            # What is no log by its first lines will be none by later ones.
            self._foreign = len(whole) >= HEAD or is_end
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
        self._mark(piece.data)
        self._note()

    def noted(self) -> Position:
        """Give the position, with what the file was like when it was last looked at."""
        position = self.position
        # Of what is no log, nothing is missed when it goes.
        is_log = self.reader is not None or not self.stalled
        position.known = max(self._known[0], self._most, position.offset) if is_log else position.offset
        position.touched = max(self._known[1], 0)
        return position

    def let_go(self) -> Position:
        """Close the file; give its position, by which it is known whether it has changed since it was last read."""
        position = self.noted()
        try:
            position.size, position.modified = self._known if not self.is_packed else self._stamp()
        except OSError:
            position.size = position.modified = UNSEEN
        self.close()
        return position

    def close(self) -> None:
        self._source.close()

    def _stamp(self) -> tuple[int, int]:
        status = self._source.status()
        return status.st_size, status.st_mtime_ns

    def _fresh(self) -> Position:
        status = self._source.status()
        prefix, digest = fingerprint(self._source.head())
        path = shown(self.path)
        self._before = b""
        return Position(path, status.st_dev, status.st_ino, prefix, digest, log_of_file(path))

    def _is_ours(self, position: Position) -> bool:
        status = self._source.status()
        return (status.st_dev, status.st_ino) == (position.device, position.inode) and self._source.holds(position)

    def _look(self) -> int:
        """Give the size; begin anew when the file was cut, or cut and rewritten: then what was read is not there."""
        status = self._source.status()
        position = self.position
        now = (self._source.size(), status.st_mtime_ns)
        # Where nothing is to be read, a file that looks untouched may as well wait to be examined until it does not.
        if (self.is_packed and now[0] >= position.offset) or (now == self._known and now[0] == position.offset):
            self._known = now
            return now[0]
        if not self._is_intact(position, now[0]):
            self._begin_anew(position)
        elif position.prefix < PREFIX:
            position.prefix, position.digest = fingerprint(self._source.head())
        self._known = now
        return max(now[0], self.position.offset)

    def _is_intact(self, position: Position, size: int) -> bool:
        if size < max(position.offset, position.pending or 0) or not self._source.begins(position):
            return False
        length = len(self._before)
        return not length or self._source.read(length, position.offset - length) == self._before

    def _begin_anew(self, position: Position) -> None:
        self.truncations += 1
        old = msgspec.structs.replace(self.noted(), cut=True)
        self.cuts.append(old)
        self._most = 0
        self.position = self._fresh()
        self.position.since = position.since
        self.reader = None
        self._foreign = False

    def _mark(self, data: bytes) -> None:
        """Remember the bytes before the offset, by which the file is known to be what was read."""
        offset = self.position.offset
        try:
            if data:
                self._before = (self._before + data[-BEFORE:])[-BEFORE:]
            else:
                begin = max(0, offset - BEFORE)
                self._before = self._source.read(offset - begin, begin)
        except DAMAGE:
            self._before = b""  # Whoever reads on will be told.
        self.position.check = check_of(self._before)

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


def unreadable(path: Path, error: BaseException) -> SourceError:
    """Say what went wrong with a file that was opened or read."""
    if isinstance(error, OSError):
        return SourceError(f"{shown(path)}: the log cannot be read: {error.strerror or error}")
    return SourceError(f"{shown(path)}: the log is damaged: {error}")


def shown(path: Path) -> str:
    """Write a path as text that can be stored anywhere: a name on disk need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
