"""Files, folders and archives of trails, in any of the formats, as one stream of trails and refusals."""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from feeds import archives, streams
from feeds.classes import CATEGORIES
from feeds.entry import Entry, Origin, Refused, refused, tidy_info, tidy_reference
from feeds.formats import LINE_FORMATS, detect, maltrail_static
from trailhound.errors import SourceError
from trailhound.trail import Trail

# Maltrail splits a family that outgrew a file into `emotet.txt`, `emotet-1.txt`.
_PART = re.compile(r"-\d$")
_SUFFIXES = re.compile(r"(\.(tar|gz|tgz|zip|csv|dat|hosts|intel|ipset|list|netset|txt))+$", re.IGNORECASE)
STARTER = Path(__file__).parent / "starter"
STARTER_SOURCE = "trailhound starter"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What holds for all files that are read together."""

    source: str | None
    custom: bool
    oldest: int


class _Counted:
    """Lines, and the number of the one that was taken last."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.number += 1
            yield line


def read_trails(path: Path, *, source: str | None = None, custom: bool = False, oldest: int = 0) -> Iterator[Entry]:
    """Read every trail of a file, an archive or a folder (all of it, in the order of names).

    `source` is the name of the list; without one, each file is a list of its own name. `custom` marks the trails as the
    site's own. Trails that expired before `oldest` (seconds since the epoch) are refused. Raises `SourceError` when the
    path is missing, cannot be read, is a damaged or hostile archive, or a single file of no known format. In folders
    and archives such a file is one `Refused` with line 0. Nothing is held in memory but the line at hand.
    """
    if not path.exists():
        raise SourceError(f"{path}: there is no such file or folder of trails")
    wanted = _Wanted(source, custom, oldest)
    return _folder(path, wanted) if path.is_dir() else _file(path, wanted, alone=True)


def starter_trails() -> Iterator[Entry]:
    """Read the trails that come with Trailhound."""
    return read_trails(STARTER, source=STARTER_SOURCE)


def _folder(path: Path, wanted: _Wanted) -> Iterator[Entry]:
    for folder, subfolders, names in os.walk(path, onerror=_cannot_list):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            file = Path(folder, name)
            if archives.is_list_or_archive(file) and file.is_file():
                yield from _file(file, wanted, alone=False)


def _cannot_list(error: OSError) -> None:
    raise SourceError(f"{error.filename}: the folder cannot be read: {error.strerror}") from error


def _file(path: Path, wanted: _Wanted, *, alone: bool) -> Iterator[Entry]:
    with archives.readable(path), contextlib.closing(archives.documents(path)) as documents:
        for document in documents:
            yield from _document(document, wanted, alone=alone and document.place == str(path))


def _document(document: archives.Document, wanted: _Wanted, *, alone: bool) -> Iterator[Entry]:
    format_name = detect(streams.head(document.stream), document.path)
    if format_name is None:
        reason = f"no format of trails; known are {', '.join(LINE_FORMATS)}"
        if alone:
            raise SourceError(f"{document.place}: {reason}")
        yield Refused(tidy_reference(document.place), 0, "", reason)
        return
    origin = _origin(document, wanted, format_name)
    lines = _Counted(streams.lines(document.stream))
    for entry in LINE_FORMATS[format_name].read(lines, origin):
        if isinstance(entry, Trail) and entry.expires is not None and entry.expires < wanted.oldest:
            day = datetime.fromtimestamp(entry.expires, UTC).date()
            yield refused(origin, lines.number, entry.value, f"expired {day}, too long ago to be kept")
        else:
            yield entry


def _origin(document: archives.Document, wanted: _Wanted, format_name: str) -> Origin:
    path = PurePosixPath(document.path)
    stem = _PART.sub("", _SUFFIXES.sub("", path.name))
    category = path.parent.name if path.parent.name in CATEGORIES else ""
    source = wanted.source
    if source is None:
        source = maltrail_static.SOURCE if format_name == "maltrail-static" else stem
    # Names inside an archive are as hostile as its content.
    info = tidy_info(" ".join(stem.replace("_", " ").split()))
    return Origin(tidy_info(source), tidy_reference(document.place), info or "custom", category, custom=wanted.custom)
