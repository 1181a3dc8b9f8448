"""Dead letters: lines that cannot be read, with their place and the reason, one JSON object each.

A letter holds what it takes to read its line again: the line itself, and what the reader knew where it stood. The
lines of one file mostly stand under one header, so that is written once: with the first letter in a file of letters
that needs it (`reads`); those after it name it (`reader`).

Whoever changes a file of letters holds a lock on it, since a scan may write letters beside a run.
"""

import base64
import binascii
import fcntl
import io
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from ingest.batch import BadLine, Known
from trailhound.errors import SourceError

LIMIT = 64 * 1024 * 1024  # Bytes of the file before it is put aside; one older file is kept.
_File = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, at its place (from 0) among the lines of its file. `known` is None when nobody wrote it down."""

    place: int
    time: str
    sensor: str
    file: str
    line: int
    reason: str
    raw: bytes
    cut: bool
    known: Known | None


class _Reads(msgspec.Struct):
    format: str
    log: str
    state: bytes


class _Written(msgspec.Struct):
    time: str
    sensor: str
    file: str
    line: int
    reason: str
    raw: str
    raw_base64: str | None = None
    cut: bool | None = None
    reader: str | None = None
    reads: _Reads | None = None


class DeadLetters:
    """Appends to one bounded file. May raise `OSError`; then nothing was written."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self._path = path
        self._limit = limit
        self._told: set[str] = set()  # Readers that were written down,
        self._told_in: _File | None = None  # and in which file.

    def write(self, sensor: str, file: str, lines: Iterable[BadLine], now: str) -> None:
        lines = tuple(lines)
        if not lines:
            return
        while not self._write(sensor, file, lines, now):
            self._path.replace(older(self._path))

    def _write(self, sensor: str, file: str, lines: Collection[BadLine], now: str) -> bool:
        """Write, unless the file is to be put aside first."""
        with _held(self._path, "ab") as stream:
            begin = stream.seek(0, os.SEEK_END)
            status = os.fstat(stream.fileno())
            if self._told_in != (status.st_dev, status.st_ino) or not begin:
                self._told, self._told_in = set(), (status.st_dev, status.st_ino)
            told = set(self._told)
            letters = b"".join(_encoded(_letter(sensor, file, line, now, told)) for line in lines)
            if begin and begin + len(letters) > self._limit:
                return False
            try:
                _write_all(stream, letters)
                os.fsync(stream.fileno())
            except OSError:
                # Half a letter on a full disk would spoil the next one.
                stream.truncate(begin)
                raise
            self._told = told
            return True


def older(path: Path) -> Path:
    """Name the file that letters were put aside to."""
    return path.with_name(f"{path.name}.1")


def files(path: Path) -> list[Path]:
    """List the files of letters that are there, the older one first."""
    return [file for file in (older(path), path) if file.exists()]


class LetterFile:
    """The letters of one file as they are now; some of them can be taken out later. May raise `OSError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0  # Lines that are no letter.
        self._length = 0
        self._identity: _File | None = None

    def __iter__(self) -> Iterator[Letter]:
        """Read from the beginning to what is the end now."""
        self.damaged = 0
        known: dict[str, Known] = {}
        with _held(self.path, "rb") as stream:
            status = os.fstat(stream.fileno())
            self._identity, self._length = (status.st_dev, status.st_ino), status.st_size
        with self.path.open("rb") as lines:
            for place, line in enumerate(_up_to(lines, self._length)):
                try:
                    yield _read(place, line, known)
                except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error):
                    self.damaged += 1

    def take_out(self, places: Collection[int]) -> None:
        """Take letters out, in one step: a crash leaves all of them or none. Those that came meanwhile stay.

        Raises `SourceError` when the file is no longer the one that was read.
        """
        with _held(self.path, "rb") as stream:
            status = os.fstat(stream.fileno())
            if (status.st_dev, status.st_ino) != self._identity or status.st_size < self._length:
                raise SourceError(
                    f"{self.path}: another process changed the dead letters meanwhile; none was taken out"
                )
            unborn = self.path.with_name(f"{self.path.name}.new")
            lines = io.BufferedReader(stream)  # Closes the file, and so gives up the lock, when nothing names it.
            with unborn.open("wb") as left:
                for line in _without(lines, places):
                    left.write(line)
                left.flush()
                os.fsync(left.fileno())
            if unborn.stat().st_size:
                unborn.replace(self.path)
            else:
                unborn.unlink()
                self.path.unlink()
            _sync_folder(self.path.parent)


def _without(lines: Iterable[bytes], places: Collection[int]) -> Iterator[bytes]:
    """Leave letters out; what they alone said of a reader is said by the next one that needs it."""
    heard: dict[str, _Reads] = {}
    told: set[str] = set()
    for place, line in enumerate(lines):
        try:
            letter = msgspec.json.decode(line, type=_Written)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            yield line
            continue
        if letter.reader is not None and letter.reads is not None:
            heard[letter.reader] = letter.reads
        if place in places:
            continue
        if letter.reader is None or letter.reader in told or letter.reads is not None:
            yield line
        else:
            letter.reads = heard.get(letter.reader)
            yield _encoded({name: value for name, value in msgspec.to_builtins(letter).items() if value is not None})
        if letter.reader is not None:
            told.add(letter.reader)


def _read(place: int, line: bytes, known: dict[str, Known]) -> Letter:
    """Read a letter; remember what it says of its reader."""
    letter = msgspec.json.decode(line, type=_Written)
    if letter.reader is not None and letter.reads is not None:
        state = letter.reads.state.decode("utf-8", "surrogatepass")
        known[letter.reader] = Known(letter.reads.format, letter.reads.log, state)
    exact = letter.raw_base64
    return Letter(
        place=place,
        time=letter.time,
        sensor=letter.sensor,
        file=letter.file,
        line=letter.line,
        reason=letter.reason,
        raw=letter.raw.encode("utf-8") if exact is None else base64.b64decode(exact, validate=True),
        cut=bool(letter.cut),
        known=None if letter.reader is None else known.get(letter.reader),
    )


def _letter(sensor: str, file: str, line: BadLine, now: str, told: set[str]) -> dict[str, Any]:
    letter: dict[str, Any] = {
        "time": now,
        "sensor": _text(sensor),
        "file": _text(file),
        "line": line.number,
        "reason": _text(line.reason),
        "raw": line.raw.decode("utf-8", "backslashreplace"),
    }
    if letter["raw"].encode() != line.raw:
        letter["raw_base64"] = base64.b64encode(line.raw).decode()
    if line.cut:
        letter["cut"] = True
    if line.known is not None:
        reads = _Reads(line.known.format, _text(line.known.log), line.known.state.encode("utf-8", "surrogatepass"))
        letter["reader"] = reader = blake2b(msgspec.json.encode(reads), digest_size=8).hexdigest()
        if reader not in told:
            letter["reads"] = reads
            told.add(reader)
    return letter


def _encoded(letter: dict[str, Any]) -> bytes:
    return msgspec.json.encode(letter) + b"\n"


def _text(text: str) -> str:
    """Make text that JSON can hold: names on disk need not be UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


@contextmanager
def _held(path: Path, mode: str) -> Iterator[io.FileIO]:
    """Open a file of letters, alone until it is closed, also when it is put aside or replaced meanwhile."""
    while True:
        with io.FileIO(path, mode) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            try:
                is_same = os.path.samestat(os.fstat(stream.fileno()), path.stat())
            except FileNotFoundError:
                is_same = False
            if is_same:
                yield stream
                return


def _write_all(stream: io.FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) :]


def _up_to(lines: Iterable[bytes], length: int) -> Iterator[bytes]:
    for line in lines:
        length -= len(line)
        if length < 0:
            return
        yield line


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
