"""Plain, gzip, zip and tar files as streams of bytes, told by content, with bounds on what they unpack to."""

import contextlib
import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeAlias

from trailhound.errors import SourceError

# A bomb unpacks to a thousand times its size; lists of names and addresses to five or ten.
MAX_UNPACKED = 2 * 1024**3
MAX_RATIO = 100
_RATIO_COUNTS_FROM = 32 * 1024**2
MAX_MEMBERS = 20_000
_BUFFER = 256 * 1024
# The last two come from names and sizes inside an archive; the lists themselves are decoded with replacement.
_DAMAGE = (
    EOFError,
    zlib.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    struct.error,
    UnicodeDecodeError,
)
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_TAR = (257, b"ustar")
SUFFIXES = frozenset({".csv", ".dat", ".hosts", ".intel", ".ipset", ".list", ".netset", ".txt"})
PACKED_SUFFIXES = frozenset({".gz", ".tar", ".tgz", ".zip"})

_IsWanted: TypeAlias = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Document:
    """One list of trails: where it stands, for people; its path, for telling its format; its bytes, to be read once."""

    place: str
    path: str
    stream: io.BufferedReader


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Allowance:
    """How many bytes one file may still unpack to, over all that is in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = min(MAX_UNPACKED, max(_RATIO_COUNTS_FROM, path.stat().st_size * MAX_RATIO))

    def take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise SourceError(f"{self._path}: unpacks to far more than an honest list of trails; it is not read")


class _Bounded(io.RawIOBase):
    """Unpacked bytes, counted."""

    def __init__(self, stream: _Readable, allowance: _Allowance) -> None:
        self._stream = stream
        self._allowance = allowance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._allowance.take(len(data))
        return len(data)


def documents(path: Path, is_wanted: Callable[[str], bool] | None = None) -> Generator[Document]:
    """Open a file and give the lists in it, one after the other; each has to be read before the next is asked for.

    `is_wanted` tells by the name of a member of an archive whether it is one; lists of trails by default.

    Stands inside `readable`, which says what goes wrong.
    """
    with path.open("rb", buffering=0) as raw, _buffered(raw) as stream:
        yield from _unpacked(path, stream, is_wanted or is_list)


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn whatever reading a file or archive can raise into a `SourceError` that names it."""
    try:
        yield
    except _DAMAGE as error:
        raise SourceError(f"{path}: this archive is damaged: {error}") from error
    except NotImplementedError as error:
        raise SourceError(f"{path}: this archive is packed in a way that cannot be read: {error}") from error
    except OSError as error:
        raise SourceError(f"{path}: the file cannot be read: {error.strerror or error}") from error


def _buffered(raw: io.RawIOBase) -> io.BufferedReader:
    """Give a reader that can look ahead far enough to tell a format."""
    return io.BufferedReader(raw, _BUFFER)


def _unpacked(path: Path, stream: io.BufferedReader, is_wanted: _IsWanted) -> Iterator[Document]:
    magic = stream.peek(512)
    if magic.startswith(_GZIP):
        with gzip.GzipFile(fileobj=stream) as unzipped:
            bounded = _Bounded(unzipped, _Allowance(path))
            yield from _members(path, _buffered(bounded), path.name.removesuffix(".gz"), is_wanted)
    elif magic.startswith(_ZIP):
        yield from _zipped(path, stream, is_wanted)
    else:
        yield from _members(path, stream, path.name, is_wanted)


def _members(path: Path, stream: io.BufferedReader, name: str, is_wanted: _IsWanted) -> Iterator[Document]:
    """Give the lists in a tar, or the stream itself when it is none."""
    at, word = _TAR
    if stream.peek(512)[at : at + len(word)] != word:
        yield Document(str(path), str(path.parent / name), stream)
        return
    allowance = _Allowance(path)
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for count, member in enumerate(archive):
            _count(path, count)
            content = archive.extractfile(member) if member.isreg() and is_wanted(member.name) else None
            if content is not None:
                # The buffer of the member itself is too small to tell a format by.
                bounded = _Bounded(content, allowance)
                yield Document(f"{path}:{member.name}", member.name, _buffered(bounded))


def _zipped(path: Path, stream: io.BufferedReader, is_wanted: _IsWanted) -> Iterator[Document]:
    allowance = _Allowance(path)
    with zipfile.ZipFile(stream) as archive:
        for count, member in enumerate(sorted(archive.infolist(), key=lambda info: info.filename)):
            _count(path, count)
            if member.filename.endswith("/") or not is_wanted(member.filename):
                continue
            if member.flag_bits & 1:
                raise SourceError(f"{path}: {member.filename} is encrypted; expected an archive without a password")
            with archive.open(member) as content:
                bounded = _Bounded(content, allowance)
                yield Document(f"{path}:{member.filename}", member.filename, _buffered(bounded))


def _count(path: Path, count: int) -> None:
    if count >= MAX_MEMBERS:
        raise SourceError(f"{path}: holds more than {MAX_MEMBERS} files; it is not read")


def is_list(name: str) -> bool:
    """Tell by its name whether a file among others may be a list of trails."""
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") and part not in {".", ".."} for part in path.parts)
    is_ours = path.suffix.lower() in SUFFIXES or path.name == "hosts"
    # Maltrail keeps its whitelist beside its trails; read as trails it would do the contrary of what it is for.
    return not hidden and is_ours and not path.name.lower().startswith("whitelist")


def is_list_or_archive(path: Path) -> bool:
    return is_list(path.name) or (not path.name.startswith(".") and path.suffix.lower() in PACKED_SUFFIXES)
