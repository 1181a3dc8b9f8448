"""Files, folders and archives of trails, in any of the formats, as one stream of trails and refusals."""

import contextlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from feeds import archives
from feeds.classes import CATEGORIES
from feeds.entry import MAX_LINE, Entry, Origin, Refused, tidy_info, tidy_reference
from feeds.formats import FORMATS, detect, maltrail_static
from trailhound.errors import SourceError

_HEAD_BYTES = 64 * 1024
_HEAD_LINES = 60
_CHUNK = 256 * 1024
_BOM = b"\xef\xbb\xbf"
# Maltrail splits a family that outgrew a file into `emotet.txt`, `emotet-1.txt`.
_PART = re.compile(r"-\d$")
_SUFFIXES = re.compile(r"(\.(tar|gz|tgz|zip|csv|dat|hosts|intel|ipset|list|netset|txt))+$", re.IGNORECASE)
STARTER = Path(__file__).parent / "starter"
STARTER_SOURCE = "trailhound starter"


def read_trails(path: Path, *, source: str | None = None) -> Iterator[Entry]:
    """Read every trail of a file, an archive or a folder (all of it, in the order of names).

    `source` is the name of the list; without one, each file is a list of its own name. Raises `SourceError` when the
    path is missing, cannot be read, is a damaged or hostile archive, or a single file of no known format. In folders
    and archives such a file is one `Refused` with line 0. Nothing is held in memory but the line at hand.
    """
    if not path.exists():
        raise SourceError(f"{path}: there is no such file or folder of trails")
    return _folder(path, source) if path.is_dir() else _file(path, source, alone=True)


def starter_trails() -> Iterator[Entry]:
    """Read the trails that come with Trailhound."""
    return read_trails(STARTER, source=STARTER_SOURCE)


def _folder(path: Path, source: str | None) -> Iterator[Entry]:
    for folder, subfolders, names in os.walk(path, onerror=_cannot_list):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            file = Path(folder, name)
            if archives.is_list_or_archive(file) and file.is_file():
                yield from _file(file, source, alone=False)


def _cannot_list(error: OSError) -> None:
    raise SourceError(f"{error.filename}: the folder cannot be read: {error.strerror}") from error


def _file(path: Path, source: str | None, *, alone: bool) -> Iterator[Entry]:
    with archives.readable(path), contextlib.closing(archives.documents(path)) as documents:
        for document in documents:
            yield from _document(document, source, alone=alone and document.place == str(path))


def _document(document: archives.Document, source: str | None, *, alone: bool) -> Iterator[Entry]:
    format_name = detect(_head(document.stream), document.path)
    if format_name is None:
        reason = f"no format of trails; known are {', '.join(FORMATS)}"
        if alone:
            raise SourceError(f"{document.place}: {reason}")
        yield Refused(tidy_reference(document.place), 0, "", reason)
        return
    origin = _origin(document, source, format_name)
    yield from FORMATS[format_name].read(_lines(document.stream), origin)


def _origin(document: archives.Document, source: str | None, format_name: str) -> Origin:
    path = PurePosixPath(document.path)
    stem = _PART.sub("", _SUFFIXES.sub("", path.name))
    category = path.parent.name if path.parent.name in CATEGORIES else ""
    if source is None:
        source = maltrail_static.SOURCE if format_name == "maltrail-static" else stem
    # Names inside an archive are as hostile as its content.
    info = tidy_info(" ".join(stem.replace("_", " ").split()))
    return Origin(tidy_info(source), tidy_reference(document.place), info or "custom", category)


def _head(stream: io.BufferedReader) -> list[str]:
    """Look at the first lines without taking them from the stream; the last of them may be cut."""
    peeked = stream.peek(_HEAD_BYTES)[:_HEAD_BYTES].removeprefix(_BOM)
    lines = peeked.decode("utf-8", "replace").splitlines()
    return lines[:-1][:_HEAD_LINES] if len(lines) > 1 and len(peeked) >= _HEAD_BYTES else lines[:_HEAD_LINES]


def _lines(stream: io.BufferedReader) -> Iterator[str]:
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
