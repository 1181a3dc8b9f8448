"""The spool: columns of records on their way to the analyses, written by the loop and read beside it.

A segment is a file of frames: length and CRC-32 (big-endian), then columns as MessagePack. The frame at which a process
died is short, or its sum is wrong; it and what follows in that segment is passed over.
"""

import struct
import zlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

HEAD = struct.Struct(">II")
OPEN, CLOSED = ".open", ".spool"


class Frame(msgspec.Struct, array_like=True):
    """Columns of one batch: raw cells as the format has them. Those in `unset` are nothing.

    `times` are as the log writes them: see `ingest.moments`.
    """

    log: str
    module: str
    sensor: str
    unset: Sequence[bytes]
    times: Sequence[object]
    columns: Mapping[str, Sequence[object]]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode


def packed(
    log: str,
    module: str,
    sensor: str,
    unset: Sequence[bytes],
    times: Sequence[object],
    columns: Mapping[str, Sequence[Hashable]],
) -> bytes:
    """Write a frame, with its head."""
    body = _encode((log, module, sensor, unset, times, columns))
    return HEAD.pack(len(body), zlib.crc32(body)) + body


def frames(segment: Path) -> Iterator[Frame]:
    """Read the whole frames of a segment. May raise `OSError`."""
    with segment.open("rb") as file:
        while len(head := file.read(HEAD.size)) == HEAD.size:
            length, checksum = HEAD.unpack(head)
            body = file.read(length)
            if len(body) != length or zlib.crc32(body) != checksum:
                return
            try:
                yield _decode(body)
            except msgspec.MsgspecError:  # Of another version.
                return


def closed(folder: Path) -> list[Path]:
    """Give the segments that nobody writes to any more, the oldest first."""
    return sorted(folder.glob(f"*{CLOSED}"))
