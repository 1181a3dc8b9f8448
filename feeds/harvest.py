"""What one feed gave, parsed: keys with what is known of them, and when they came and went, in one compact file.

So an update in which one small feed changed reads no other feed's text again.

    magic (8) | length of the head (u32) | head (JSON) | body (zstd)
    body: keys, a line each, sorted | number of its row for each (u32) | rows (msgpack) | the same of what is gone

Keys are those of a compiled set (`matchers.layout`), rows are shared by all keys of which the same is known.
"""

import hashlib
import os
import struct
import tempfile
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, overload

import msgspec
import zstandard

from matchers import layout
from matchers.gather import Facts
from trailhound.errors import SourceError
from trailhound.trail import TrailClass, TrailKind

MAGIC = b"HARVEST1"
_LENGTH = struct.Struct("<8sI")
_LARGEST = 2 * 1024**3  # Bytes; ten million keys take a quarter of that.
_LEVEL = 3
# Quicker than asking the enumerations, and wrong words are an error all the same.
_KINDS = {kind.value: kind for kind in TrailKind}
_CLASSES = {class_.value: class_ for class_ in TrailClass}


class Row(NamedTuple):
    """What is known of keys of one feed.

    `facts` are the feed's, with the earliest first time that it ever said, or our first look when it says none. `added`
    is our first look, `last_seen` our last one that had them, 0 while they are listed. Seconds since the epoch.
    """

    facts: Facts
    added: int
    last_seen: int


class Gone(NamedTuple):
    """A key that left the list, or ran out: since when, and since when it had been known."""

    key: bytes
    first_seen: int
    added: int
    gone: int


@dataclass(frozen=True, slots=True)
class Harvest:
    """All that one feed gave and has not lost. `keys` are sorted; `rows` has the number in `table` of each.

    `mark` says what it was made of and how, `made` when (seconds since the epoch), `refused` counts the values that
    did not become trails.
    """

    mark: str
    made: int
    refused: int
    keys: Sequence[bytes]
    rows: Sequence[int]
    table: Sequence[Row]
    gone: Sequence[Gone] = ()
    kinds: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keys)

    def listed(self) -> list[bytes]:
        """Give the keys that the feed has now, without those that are only waited for."""
        present = [not row.last_seen for row in self.table]
        if all(present):
            return list(self.keys)
        return [key for key, row in zip(self.keys, self.rows, strict=True) if present[row]]


class _Head(msgspec.Struct, frozen=True):
    mark: str
    made: int
    refused: int
    layout: int
    kinds: dict[str, int]
    sizes: tuple[int, int, int, int]
    checksum: str


_StoredFacts = tuple[str, str, str, tuple[str, ...], tuple[str, ...], str, int, int, int, bool]
_StoredRow = tuple[_StoredFacts, int, int]
_StoredGone = tuple[bytes, int, int, int]


def write(path: Path, harvest: Harvest) -> str:
    """Write a harvest durably and in one step; give its checksum. Raises `SourceError` when it cannot be written."""
    parts = (
        b"\n".join(harvest.keys),
        array("I", harvest.rows).tobytes(),
        msgspec.msgpack.encode(harvest.table),
        msgspec.msgpack.encode(harvest.gone),
    )
    packer = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
    body = b"".join([*map(packer.compress, parts), packer.flush()])
    sizes = (len(parts[0]), len(parts[1]), len(parts[2]), len(parts[3]))
    checksum = hashlib.sha256(body).hexdigest()
    head = msgspec.json.encode(
        _Head(harvest.mark, harvest.made, harvest.refused, layout.VERSION, dict(harvest.kinds), sizes, checksum)
    )
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                file.write(_LENGTH.pack(MAGIC, len(head)) + head)
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).chmod(0o640)
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise SourceError(f"{path}: what a feed gave cannot be written: {error.strerror or error}") from error
    return checksum


def read(path: Path, *, once: bool = False) -> Harvest:
    """Read a harvest; with `once`, its keys are cut when they are asked for, which is for going through them once.

    Raises `SourceError` when it is missing, damaged or of another version.
    """
    try:
        content = memoryview(path.read_bytes())
    except OSError as error:
        raise SourceError(f"{path}: what a feed gave cannot be read: {error.strerror or error}") from error
    try:
        return _decoded(content, once=once)
    except (ValueError, KeyError, struct.error, zstandard.ZstdError, msgspec.MsgspecError) as error:
        raise SourceError(f"{path}: what a feed gave is damaged: {error}") from error


def _decoded(content: memoryview, *, once: bool) -> Harvest:
    magic, length = _LENGTH.unpack_from(content)
    if magic != MAGIC:
        raise ValueError("it is no harvest")
    start = _LENGTH.size + length
    head = msgspec.json.decode(content[_LENGTH.size : start], type=_Head)
    if head.layout != layout.VERSION:
        raise ValueError(f"its keys are of version {head.layout}")
    if hashlib.sha256(content[start:]).hexdigest() != head.checksum:
        raise ValueError("its checksum is not that of its content")
    if sum(head.sizes) > _LARGEST:
        raise ValueError("it is too large")
    body = memoryview(zstandard.ZstdDecompressor().decompress(content[start:], max_output_size=sum(head.sizes)))
    parts, position = [], 0
    for size in head.sizes:
        parts.append(body[position : position + size])
        position += size
    lines = bytes(parts[0])
    keys: Sequence[bytes] = _Lines(lines) if once else lines.split(b"\n") if lines else []
    rows = array("I", bytes(parts[1]))
    same: dict[Any, Any] = {}  # What rows have in common is held once.
    table = [
        Row(_facts(facts, same), added, last_seen)
        for facts, added, last_seen in msgspec.msgpack.decode(parts[2], type=list[_StoredRow])
    ]
    gone = [Gone(*item) for item in msgspec.msgpack.decode(parts[3], type=list[_StoredGone])]
    if len(keys) != len(rows) or (rows and max(rows) >= len(table)):
        raise ValueError("its parts do not fit together")
    return Harvest(head.mark, head.made, head.refused, keys, rows, table, gone, head.kinds)


def _facts(stored: _StoredFacts, same: dict[Any, Any]) -> Facts:
    kind, class_, info, sources, voices, reference, confidence, first_seen, expires, custom = stored
    return Facts(
        _KINDS[kind],
        _CLASSES[class_],
        same.setdefault(info, info),
        same.setdefault(sources, sources),
        same.setdefault(voices, voices),
        same.setdefault(reference, reference),
        confidence,
        first_seen,
        expires,
        custom,
    )


class _Lines(Sequence[bytes]):
    """Keys, a line each, cut when they are asked for."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._length = content.count(b"\n") + 1 if content else 0

    def __iter__(self) -> Iterator[bytes]:
        if self._content:
            for line in BytesIO(self._content):
                yield line.removesuffix(b"\n")

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> bytes: ...

    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...

    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        return list(self)[place]
