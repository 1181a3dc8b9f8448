"""What was fetched of a feed to trails: unpack, read in the format of the feed, and hold every trail to its word."""

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import msgspec

from feeds import archives, streams
from feeds.archives import Document
from feeds.entry import Entry, Origin, tidy_info
from feeds.feed import Feed
from feeds.formats import all_formats
from feeds.formats.format import Format, Options
from feeds.formats.misp import MANIFEST
from trailhound.errors import SourceError
from trailhound.trail import Trail


def read_feed(feed: Feed, paths: Sequence[Path]) -> Iterator[Entry]:
    """Read the copies of a feed: files as they came (plain, gzip, zip, tar) or folders of them, one after the other.

    Every trail has the feed as its only source and is not the site's own, whatever the list says. Raises
    `SourceError` when a file is missing, damaged, hostile or of another format than the feed's.
    """
    format_ = all_formats()[feed.format]
    options = msgspec.convert(feed.options, format_.options)
    is_scaled = format_.rates_itself and feed.confidence < 100
    origin = Origin(
        tidy_info(feed.name),
        tidy_info(feed.name),
        tidy_info(feed.info),
        class_=feed.class_,
        confidence=None if format_.rates_itself else feed.confidence,
        kind=feed.kind,
    )
    sources = (origin.source,)
    documents = _documents(paths, _wanted(format_, options))
    with contextlib.closing(documents):
        for entry in format_.read(_checked(documents, options, feed), origin, options):
            if isinstance(entry, Trail) and (is_scaled or entry.custom or entry.sources != sources):
                scaled = entry.confidence * feed.confidence // 100 if is_scaled else entry.confidence
                yield replace(entry, sources=sources, custom=False, confidence=scaled)
            else:
                yield entry


def _wanted(format_: Format, options: Options) -> Callable[[str], bool]:
    """Tell by the name of a member of an archive or folder whether it is read."""

    def is_wanted(name: str) -> bool:
        path = PurePosixPath(name)
        if any(part.startswith(".") and part not in {".", ".."} for part in path.parts):
            return False
        if options.files:
            return any(fnmatchcase(name, pattern) or fnmatchcase(path.name, pattern) for pattern in options.files)
        if format_.suffixes and path.suffix.lower() not in format_.suffixes:
            return False
        return not path.name.lower().startswith("whitelist")

    return is_wanted


def _documents(paths: Iterable[Path], is_wanted: Callable[[str], bool]) -> Generator[Document]:
    for path in paths:
        files = _members(path, is_wanted) if path.is_dir() else (path,)
        for file in files:
            with archives.readable(file), contextlib.closing(archives.documents(file, is_wanted)) as documents:
                yield from documents


def _members(folder: Path, is_wanted: Callable[[str], bool]) -> list[Path]:
    """Give the files of a folder in the order of names; the manifest, which says what the others are, comes first."""
    files = [path for path in folder.rglob("*") if path.is_file() and is_wanted(path.relative_to(folder).as_posix())]
    if len(files) > archives.MAX_MEMBERS:
        raise SourceError(f"{folder}: holds more than {archives.MAX_MEMBERS} files; it is not read")
    return sorted(files, key=lambda path: (path.name != MANIFEST, path))


def _checked(documents: Iterable[Document], options: Options, feed: Feed) -> Iterator[Document]:
    """Give the documents that can be what the feed says, and say what is wrong with the first that cannot."""
    for document in documents:
        head = document.stream.peek(streams.HEAD_BYTES)[: streams.HEAD_BYTES]
        if options.must_hold and options.must_hold.encode() not in head:
            raise SourceError(f"{document.place}: {options.must_hold!r} is not in it; this is not {feed.name}")
        if feed.format not in _MAY_BE_A_PAGE and head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
            raise SourceError(f"{document.place}: this is a web page, not a list")
        yield document


_MAY_BE_A_PAGE = frozenset({"regex"})
