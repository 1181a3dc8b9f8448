"""What the loop collects for behaviours: a few columns of each batch, spooled for those who analyse them beside it."""

import os
import threading
import time
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
import structlog

from ingest import spool
from matchers.view import View

_BUFFER = 1_048_576  # Bytes that wait until they are written together.
_SEGMENT = 67_108_864  # Bytes of a segment after which another is begun.
_log = structlog.get_logger("behaviour")


def adopt(folder: Path) -> None:
    """Take over the segments of a process that was killed; there must be no other at work. May raise `OSError`."""
    for left in folder.glob(f"*{spool.OPEN}"):
        left.rename(left.with_suffix(spool.CLOSED))


def _writable(cell: Hashable) -> Hashable:
    try:
        msgspec.msgpack.encode(cell)
    except (OverflowError, TypeError, ValueError):
        return None
    return cell


class Collector:
    """Spools what passes. `see` may be called by one thread only, the others by any.

    Nothing that goes wrong here holds up detection: what finds no room is `lost`, and counted.
    """

    def __init__(self, folder: Path, columns: Mapping[str, Sequence[str]], most_bytes: int) -> None:
        """Spool into a folder, `most_bytes` at most with what is there. May raise `OSError`."""
        self.columns = columns
        self.lost = 0
        self.rows = 0
        self._folder = folder
        self._most = most_bytes
        self._turn = threading.Lock()
        self._frames: list[bytes] = []
        self._unwritten = 0  # Rows in them.
        self._waiting = 0
        self._file: BinaryIO | None = None
        self._written = 0
        self._trouble = ""
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._closed = sum(path.stat().st_size for path in spool.closed(folder))

    def see(self, view: View) -> None:
        """Take what is wanted of a batch."""
        names = self.columns.get(view.log)
        if names is None:
            return
        columns = {name: column for name in names if (column := view.column(name)) is not None}
        if not columns:
            return
        dialect = view.dialect(names[0])
        unset = sorted(dialect[1]) if isinstance(dialect, tuple) else ()
        try:
            frame = spool.packed(view.log, view.batch.module, view.sensor, unset, view.times(), columns)
        except (OverflowError, TypeError, ValueError):  # Numbers beyond 64 bits, texts that are none.
            columns = {name: list(map(_writable, column)) for name, column in columns.items()}
            frame = spool.packed(view.log, view.batch.module, view.sensor, unset, view.times(), columns)
        with self._turn:
            if self._closed + self._written + self._waiting + len(frame) > self._most:
                self._lose(len(view), f"there is no room for more than {self._most:,} bytes")
                return
            self._frames.append(frame)
            self._waiting += len(frame)
            self._unwritten += len(view)
            self.rows += len(view)
            if self._waiting >= _BUFFER:
                self._write()

    def flush(self) -> None:
        """Write what waits, as before positions are saved: what was collected is not read again."""
        with self._turn:
            self._write()

    def close_segment(self) -> list[Path]:
        """Give all segments that are complete; another one is begun."""
        with self._turn:
            self._write()
            self._close()
            segments = spool.closed(self._folder)
            self._closed = sum(path.stat().st_size for path in segments)
            return segments

    def held(self) -> int:
        """Count the bytes that wait to be analysed."""
        with self._turn:
            return self._closed + self._written + self._waiting

    def taken(self) -> None:
        """Note that segments were taken, and their room is free."""
        with self._turn:
            self._closed = sum(path.stat().st_size for path in spool.closed(self._folder))
            self._trouble = ""

    def _write(self) -> None:
        if not self._frames:
            return
        try:
            if self._file is None:
                path = self._folder / f"{time.time_ns():020}-{os.getpid()}{spool.OPEN}"
                self._file = path.open("xb", buffering=0)
            data = memoryview(b"".join(self._frames))
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            self._lose(self._unwritten, f"{self._folder}: {error.strerror}")
            self._close()  # Half a frame may stand at its end.
        self._written += self._waiting
        self._frames, self._waiting, self._unwritten = [], 0, 0
        if self._written >= _SEGMENT:
            self._close()

    def _close(self) -> None:
        if self._file is None:
            return
        path = Path(self._file.name)
        self._file.close()
        self._file = None
        self._closed += self._written
        self._written = 0
        try:
            path.rename(path.with_suffix(spool.CLOSED))
        except OSError as error:
            _log.warning("a segment of the spool is lost", path=str(path), reason=error.strerror)

    def _lose(self, rows: int, reason: str) -> None:
        self.lost += rows
        if self._trouble != reason:
            self._trouble = reason
            _log.warning("records are not analysed for behaviour", reason=reason)
