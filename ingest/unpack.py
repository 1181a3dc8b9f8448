"""Compressed logs, opened bit by bit: gzip and Zstandard, also while they are still being written."""

import os
import zlib
from typing import Protocol

import zstandard

# What reading raises when a file, or what it was compressed to, is damaged.
DAMAGE = (OSError, EOFError, zlib.error, zstandard.ZstdError)
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SOME = 1024  # Compressed bytes that are opened at once: what comes of them may be thousands of times as much.
_WRAPPED = 16 + zlib.MAX_WBITS


class _Opener(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def packing(raw: bytes) -> str:
    """Tell by the first bytes of a file how it was compressed: `gzip`, `zstd`, or empty."""
    return "gzip" if raw.startswith(_GZIP) else "zstd" if raw.startswith(_ZSTD) else ""


def unpacked(raw: bytes, length: int) -> bytes:
    """Give the first bytes of what a file holds by the first bytes of the file. Raises one of `DAMAGE`."""
    kind = packing(raw)
    if not kind:
        return raw[:length]
    stream = _Stream(kind)
    found = b""
    for start in range(0, len(raw), _SOME):
        found += stream.feed(raw[start : start + _SOME])
        if len(found) >= length:
            break
    return found[:length]


class Packed:
    """A compressed file, read like a plain one: `read` by offset, forward without cost, backward from its beginning.

    `ended` says that all was read and that the file ends as it should. What is opened and not yet read is bounded by
    what is asked for.
    """

    def __init__(self, descriptor: int, kind: str) -> None:
        self._descriptor = descriptor
        self._kind = kind
        self._rewind()

    def _rewind(self) -> None:
        self._stream = _Stream(self._kind)
        self._raw = 0  # Bytes of the file that were opened,
        self._base = 0  # and where in the content `_open` begins.
        self._open = bytearray()

    def read(self, length: int, offset: int) -> bytes:
        """Give up to `length` bytes from `offset` on; fewer at the end, or when no more was written yet.

        Raises one of `DAMAGE`.
        """
        if offset < self._base:
            self._rewind()
        while self._base + len(self._open) < offset + length:
            raw = os.pread(self._descriptor, _SOME, self._raw)
            if not raw:
                break
            opened = self._stream.feed(raw)
            self._raw += len(raw)
            self._open += opened
            self._drop(offset)
        self._drop(offset)
        begin = offset - self._base
        return bytes(self._open[begin : begin + length])

    @property
    def reached(self) -> int:
        """Tell how many bytes of content were opened so far."""
        return self._base + len(self._open)

    @property
    def ended(self) -> bool:
        return self._stream.is_whole and self._raw >= os.fstat(self._descriptor).st_size

    @property
    def waiting(self) -> int:
        """Tell how many compressed bytes were not opened yet."""
        return max(0, os.fstat(self._descriptor).st_size - self._raw)

    def _drop(self, offset: int) -> None:
        done = min(offset - self._base, len(self._open))
        # Not each time: moving what stays would cost as much as reading it.
        if done > 1 << 20:
            del self._open[:done]
            self._base += done


class _Stream:
    """Opens a file member by member, as `cat a.gz b.gz` puts them together."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._opener: _Opener = self._next()
        self._started = False

    def feed(self, raw: bytes) -> bytes:
        found = b""
        while raw:
            if self._opener.eof:
                raw = raw.lstrip(b"\0")  # Tapes and some copies pad with zeros.
                if not raw:
                    break
                self._opener = self._next()
            self._started = True
            found += self._opener.decompress(raw)
            raw = self._opener.unused_data if self._opener.eof else b""
        return found

    @property
    def is_whole(self) -> bool:
        return self._started and self._opener.eof

    def _next(self) -> _Opener:
        return zlib.decompressobj(_WRAPPED) if self._kind == "gzip" else zstandard.ZstdDecompressor().decompressobj()


def content_size(descriptor: int, kind: str) -> int | None:
    """Tell by head or foot of a compressed file how many bytes it holds; of gzip the lowest 32 bits, None if unknown.

    A file of several members says it of one of them only.
    """
    if kind == "gzip":
        size = os.fstat(descriptor).st_size
        return int.from_bytes(os.pread(descriptor, 4, size - 4), "little") if size > 4 else None
    try:
        size = zstandard.frame_content_size(os.pread(descriptor, 18, 0))
    except zstandard.ZstdError:
        return None
    return size if size >= 0 else None
