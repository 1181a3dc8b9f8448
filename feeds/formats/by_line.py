"""The formats of the site's own files as formats of feeds, and two that are lists of one kind."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from feeds import archives, streams
from feeds.archives import Document
from feeds.classes import CATEGORIES
from feeds.entry import MAX_LINE, Entry, Origin, overlong, refused, tidy_info
from feeds.formats import lines, maltrail_csv, maltrail_static, values, zeek_intel
from feeds.formats.format import Format, Options, Read
from feeds.formats.making import Said, entries
from trailhound.errors import TrailError
from trailhound.trail import TrailKind

_ReadLines: TypeAlias = Callable[[Iterable[str], Origin], Iterator[Entry]]
# Maltrail splits a family that outgrew a file into `emotet.txt`, `emotet-1.txt`.
_PART = re.compile(r"-\d$")
_COMMENTS = ("#", ";", "//")
_BEHIND = re.compile(r"\s*[#;].*")


def _each(read: _ReadLines) -> Read:
    def documents(documents_: Iterable[Document], origin: Origin, options: Any) -> Iterator[Entry]:
        del options
        for document in documents_:
            yield from read(streams.lines(document.stream), origin)

    return documents


def _static(documents: Iterable[Document], origin: Origin, options: Options) -> Iterator[Entry]:
    """Read Maltrail's tree: what a file is called is the threat, the folder it stands in says what that means."""
    del options
    for document in documents:
        path = PurePosixPath(document.path)
        category = path.parent.name if path.parent.name in CATEGORIES else ""
        info = tidy_info(_PART.sub("", path.stem).replace("_", " ")) or origin.info
        yield from maltrail_static.read(streams.lines(document.stream), replace(origin, info=info, category=category))


def _values(lines_: Iterable[str], origin: Origin) -> Iterator[Entry]:
    """Read one value a line, of the feed's kind; what follows a blank is a remark.

    Unlike in the site's own files, no comment of the list can give its trails another class.
    """
    said = Said()
    for number, line in enumerate(lines_, 1):
        text = line.strip()
        if not text or text.startswith(_COMMENTS):
            continue
        if len(text) > MAX_LINE:
            yield overlong(origin, number, text)
            continue
        word = text.split(None, 1)[0]
        try:
            found = values.of_kind(word.rstrip(",;"), origin.kind)
        except TrailError as error:
            yield refused(origin, number, word, str(error))
        else:
            yield from entries(found, said, origin, number, word)


def _hosts(lines_: Iterable[str], origin: Origin) -> Iterator[Entry]:
    """Read `0.0.0.0 name name`; a line that points elsewhere than to nowhere is refused."""
    said = Said()
    for number, line in enumerate(lines_, 1):
        text = _BEHIND.sub("", line).strip()
        if not text:
            continue
        if len(text) > MAX_LINE:
            yield overlong(origin, number, text)
            continue
        words = text.split()
        if words[0] not in lines.HOSTS_TARGETS or len(words) < 2:
            yield refused(origin, number, text, "expected `0.0.0.0 NAME`")
            continue
        for word in lines.hosts_names(words):
            try:
                found = values.of_kind(word, TrailKind.DOMAIN)
            except TrailError as error:
                yield refused(origin, number, word, str(error))
            else:
                yield from entries(found, said, origin, number, word)


def _networks(lines_: Iterable[str], origin: Origin) -> Iterator[Entry]:
    return _values(lines_, replace(origin, kind=TrailKind.CIDR))


LINES = Format(_each(_values), "one value a line")
HOSTS = Format(_each(_hosts), "a hosts file: `0.0.0.0 NAME`")
NETSET = Format(_each(_networks), "addresses and networks, one a line (ipset, netset)")
ZEEK_INTEL = Format(_each(zeek_intel.read), "Zeek's intelligence framework", suffixes=archives.SUFFIXES)
MALTRAIL_CSV = Format(_each(maltrail_csv.read), "Maltrail's built set, `trails.csv`", rates_itself=True)
MALTRAIL_STATIC = Format(
    _static, "Maltrail's static trails: a file, folder or archive", rates_itself=True, suffixes=frozenset({".txt"})
)
