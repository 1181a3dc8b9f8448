"""Bytes to text: the first lines of a document, all of them one after the other, or the whole of it, with bounds."""

import io
from collections.abc import Iterator

from feeds.archives import Document
from feeds.entry import MAX_LINE
from trailhound.errors import SourceError

HEAD_BYTES = 64 * 1024
_HEAD_LINES = 60
_CHUNK = 256 * 1024
_BOM = b"\xef\xbb\xbf"
# A document that can only be understood as a whole: ten times that in memory.
MAX_WHOLE = 64 * 1024**2


def head(stream: io.BufferedReader) -> list[str]:
    """Look at the first lines without taking them from the stream; the last of them may be cut."""
    peeked = stream.peek(HEAD_BYTES)[:HEAD_BYTES].removeprefix(_BOM)
    lines_ = peeked.decode("utf-8", "replace").splitlines()
    return lines_[:-1][:_HEAD_LINES] if len(lines_) > 1 and len(peeked) >= HEAD_BYTES else lines_[:_HEAD_LINES]


def lines(stream: io.BufferedReader) -> Iterator[str]:
    """Cut bytes into lines; what is no UTF-8 becomes U+FFFD, which no value may hold.

    Of a line without end just enough is kept for the reader to see that it is too long.
    """
    rest = b""
    first = True
    while chunk := stream.read(_CHUNK):
        if first:
            chunk = chunk.removeprefix(_BOM)
            first = False
        block = rest + chunk
        cut = block.rfind(b"\n")
        if cut < 0:
            rest = block[: MAX_LINE * 5]
            continue
        yield from block[:cut].decode("utf-8", "replace").split("\n")
        rest = block[cut + 1 :]
    if rest:
        yield rest.decode("utf-8", "replace")


def whole(document: Document) -> bytes:
    """Read a document at once. Raises `SourceError` when it is larger than any honest one of its kind."""
    data = document.stream.read(MAX_WHOLE + 1)
    if len(data) > MAX_WHOLE:
        raise SourceError(f"{document.place}: is larger than {MAX_WHOLE >> 20} MiB; it is not read")
    return data.removeprefix(_BOM)
