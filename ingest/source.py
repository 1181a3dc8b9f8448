"""An open log, plain or compressed, read by offset in what it holds."""

import os
from pathlib import Path

from ingest.identity import BEFORE, PREFIX, check_of, fingerprint
from ingest.positions import Position
from ingest.unpack import Packed, content_size, packing


class Source:
    """A file known by its descriptor, whatever becomes of its name. Whatever reads raises one of `DAMAGE`."""

    def __init__(self, path: Path) -> None:
        # Opening a pipe would wait for a writer, were it not for O_NONBLOCK; files do not care.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self._packed: Packed | None = None
        try:
            kind = packing(os.pread(self._descriptor, 4, 0))
            if kind:
                self._packed = Packed(self._descriptor, kind)
                self._first = self._packed.read(PREFIX, 0)
                # What gzip says of it stands at the end, and is anything while that is still being written.
                self._told = content_size(self._descriptor, kind) if kind == "zstd" else None
        except BaseException:
            os.close(self._descriptor)
            raise

    @property
    def is_packed(self) -> bool:
        return self._packed is not None

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing can follow: a compressed file that was read to its proper end."""
        return self._packed is not None and self._packed.ended

    def status(self) -> os.stat_result:
        return os.fstat(self._descriptor)

    def size(self) -> int:
        """Give the bytes of content. Of a compressed file, those that are open already and a guess at the others."""
        if self._packed is None:
            return os.fstat(self._descriptor).st_size
        reached = self._packed.reached
        if self._packed.ended:
            return reached
        return max(self._told or 0, reached + self._packed.waiting)

    def read(self, length: int, offset: int) -> bytes:
        if self._packed is not None:
            return self._packed.read(length, offset)
        return os.pread(self._descriptor, length, offset)

    def head(self, length: int = PREFIX) -> bytes:
        return self._first[:length] if self._packed is not None else os.pread(self._descriptor, length, 0)

    def begins(self, position: Position) -> bool:
        """Tell whether the first bytes are those of a position."""
        head = self.head(position.prefix)
        return fingerprint(head) == (position.prefix, position.digest)

    def holds(self, position: Position) -> bool:
        """Tell whether what was read up to a position is what is here."""
        if not self.begins(position):
            return False
        if not self.reaches(max(position.offset, position.pending or 0)):
            return False
        begin = max(0, position.offset - BEFORE)
        return not position.check or check_of(self.read(position.offset - begin, begin)) == position.check

    def reaches(self, offset: int) -> bool:
        """Tell whether so many bytes are there; a compressed file is opened up to them."""
        if self._packed is None:
            return os.fstat(self._descriptor).st_size >= offset
        begin = max(0, offset - BEFORE)
        return len(self._packed.read(offset - begin, begin)) == offset - begin

    def close(self) -> None:
        os.close(self._descriptor)
