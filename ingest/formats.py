"""The formats of logs, told by content: a registry, and how compressed files are opened."""

import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from ingest.batch import Reader
from ingest.eve import EveReader
from ingest.unpack import DAMAGE, Packed, packing
from ingest.zeek_header import header_word
from ingest.zeek_json import UNREADABLE, ZeekJsonReader
from ingest.zeek_tsv import ZeekTsvReader
from trailhound.errors import SourceError

READERS: Mapping[str, Callable[..., Reader]] = {
    reader.format: cast("Callable[..., Reader]", reader) for reader in (ZeekTsvReader, ZeekJsonReader, EveReader)
}
HEAD = 65_536  # Bytes of a file that are looked at.
_LOOK_AT = 30  # Lines of them.
CHUNK = 4 * 1024 * 1024
MAX_ARRAY = 256 * 1024 * 1024  # A JSON array has to be read whole.
_ZEEK_MARKS = frozenset({"ts", "_path", "@stream"})
ARRAY = "eve-array"


def detect(head: bytes) -> str | None:
    """Tell the format by the first lines of a file, None when it is no log that can be read.

    `head` may end in the middle of a line when that is not the only one.
    """
    text = head.lstrip(b"\xef\xbb\xbf \r\n\t") if not head.startswith(b"#") else head
    if text.startswith(b"["):
        return ARRAY if b'"event_type"' in text else None
    lines = text.split(b"\n")
    for line in lines[: _LOOK_AT if len(lines) > 1 else 1]:
        if line.startswith(b"#"):
            if header_word(line) in (b"separator", b"fields"):
                return ZeekTsvReader.format
            continue
        found = _format_of_object(line)
        if found:
            return found
    return None


def _format_of_object(line: bytes) -> str | None:
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        names = msgspec.json.decode(line, type=dict[str, msgspec.Raw]).keys()
    except UNREADABLE:
        return None
    if {"event_type", "timestamp"} <= names:
        return EveReader.format
    return ZeekJsonReader.format if names & _ZEEK_MARKS else None


def reader_of(format_: str, wanted: Mapping[str, Sequence[str]], name: str, state: str = "") -> Reader:
    return READERS[EveReader.format if format_ == ARRAY else format_](wanted, name, state)


def open_log(path: Path) -> IO[bytes]:
    """Open a log for reading, plain, gzip or Zstandard by its first bytes. Raises `SourceError`."""
    try:
        file = path.open("rb")
        magic = file.read(4)
        file.seek(0)
    except OSError as error:
        raise SourceError(f"{path}: the log cannot be read: {error.strerror or error}") from error
    kind = packing(magic)
    if kind == "gzip":
        file.close()  # A GzipFile closes only what it has opened itself.
        return cast("IO[bytes]", gzip.open(path))
    return io.BufferedReader(_Unpacked(file, kind), CHUNK) if kind else file


class _Unpacked(io.RawIOBase):
    """What a compressed file holds, from beginning to end. Raises `EOFError` when the file ends too early."""

    def __init__(self, file: IO[bytes], kind: str) -> None:
        self._file = file
        self._packed = Packed(file.fileno(), kind)
        self._offset = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = self._packed.read(len(view), self._offset)
        if not data and not self._packed.ended:
            raise EOFError("the compressed file ends too early")
        view[: len(data)] = data
        self._offset += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def whole_lines(stream: IO[bytes], path: Path, max_line: int) -> Iterator[bytes]:
    """Read a log to its end in chunks of whole lines; a last line without an end is handed on as it is.

    Raises `SourceError` when compressed data is damaged; what came before the damage has been handed on.
    """
    return lines_of_blocks(iter(lambda: stream.read(CHUNK), b""), path, max(max_line, CHUNK))


def lines_of_blocks(blocks: Iterable[bytes], path: Path, longest: int) -> Iterator[bytes]:
    """Put blocks together to chunks of whole lines, one for each block in which a line ends; else as above.

    A line of more than `longest` bytes is too long in any case: only enough of it is kept for it to be told so.
    """
    rest = b""
    overlong = False
    try:
        for block in blocks:
            data = block
            cut = data.rfind(b"\n") + 1
            if not cut:
                overlong = len(rest) > longest
                rest = rest if overlong else rest + data
                continue
            if overlong:
                end = data.find(b"\n")
                yield rest + b"\n"
                data, cut, rest, overlong = data[end + 1 :], cut - end - 1, b"", False
            if rest or cut:
                yield rest + data[:cut]
            rest = data[cut:]
    except DAMAGE as error:
        raise SourceError(f"{path}: the log is damaged: {error}") from error
    if rest:
        yield rest


def array_lines(stream: IO[bytes], path: Path) -> Iterator[bytes]:
    """Read a JSON array of events as one event a line. Raises `SourceError`."""
    data = stream.read(MAX_ARRAY + 1)
    if len(data) > MAX_ARRAY:
        raise SourceError(f"{path}: a JSON array of more than {MAX_ARRAY:,} bytes is not read; write one event a line")
    try:
        items = msgspec.json.decode(data, type=list[msgspec.Raw])
        yield b"".join(msgspec.json.format(item, indent=-1) + b"\n" for item in items)
    except UNREADABLE as error:
        raise SourceError(f"{path}: this is no JSON array of events: {error}") from error
