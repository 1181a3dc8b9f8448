"""Where the documents of a feed come from: its URLs, one after the other."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from feeds import judge
from feeds.feed import Feed
from feeds.formats import FORMATS
from feeds.line import Line, Passing, part_of, shown
from feeds.parts import Part, address_of
from feeds.shelf import Draft
from trailhound.errors import FetchError

# Brings the documents of a feed into a draft. Gives what went wrong all the same, or an empty text; raises `FetchError`
# when the draft is not to be used.
Source: TypeAlias = Callable[[Feed, Line, Draft], str]
# Formats that are cut out of web pages.
_PAGES = frozenset({"regex"})
_MAX_TROUBLES = 3


def from_urls(feed: Feed, line: Line, draft: Draft) -> str:
    """Fetch each URL. Where one of several fails, its document of the copy in force stands in for it."""
    troubles: list[FetchError] = []
    fresh = 0
    for url in feed.urls:
        try:
            fetch_document(feed, line, draft, url)
            fresh += 1
        except FetchError as error:
            old = kept(draft, url)
            if old is None or (isinstance(error, Passing) and error.after):
                raise  # Who wants to be left alone is not asked for the next list either.
            draft.keep(old)
            troubles.append(error)
    if not fresh:
        raise troubles[0]
    return told(troubles)


def fetch_document(feed: Feed, line: Line, draft: Draft, url: str, file: str = "") -> Part:
    """Fetch one document, or keep it when the source has no newer one. Raises `FetchError`."""
    old = kept(draft, url)
    name = file or draft.next_file
    body = line.get(url, lambda: draft.writing(name), old)
    if body is None and old is not None:
        draft.keep(old)
        return old
    if body is None:
        raise FetchError(f"{shown(url)}: answers that nothing has changed, and we have nothing")
    part = part_of(body, name, url)
    path = draft.folder / name
    try:
        judge.refuse_strange(path, shown(url), may_be_page=may_be_page(feed))
        if feed.checksum:
            _check(feed, line, part, path, url)
    except FetchError:
        path.unlink(missing_ok=True)
        raise
    draft.add(part)
    return part


def may_be_page(feed: Feed) -> bool:
    """Tell whether this list may be published as HTML; that of a plug-in's format may."""
    return feed.format in _PAGES or feed.format not in FORMATS


def _check(feed: Feed, line: Line, part: Part, path: Path, url: str) -> None:
    text = fetch_text(line, feed.checksum, judge.MAX_CHECKSUM_BYTES)
    judge.refuse_wrong_checksum(part, path, text, url, shown(url))


def fetch_text(line: Line, url: str, most: int) -> str:
    """Fetch a small document into memory. Raises `FetchError`."""
    kept = _Kept()
    line.get(url, kept.anew, most=most)
    return kept.stream.getvalue().decode("utf-8", "replace")


class _Kept:
    """Bytes in memory, anew for each try."""

    def __init__(self) -> None:
        self.stream = BytesIO()

    def anew(self) -> "_Unclosed":
        self.stream = BytesIO()
        return _Unclosed(self.stream)


class _Unclosed:
    def __init__(self, stream: BytesIO) -> None:
        self._stream = stream

    def __enter__(self) -> BytesIO:
        return self._stream

    def __exit__(self, *_: object) -> None:
        pass


def kept(draft: Draft, url: str) -> Part | None:
    """Give the document of the copy in force that came from a URL, or None."""
    return draft.old.at(address_of(url)) if draft.old is not None else None


def told(troubles: list[FetchError]) -> str:
    """Say in one line what went wrong."""
    more = len(troubles) - _MAX_TROUBLES
    words = "; ".join(str(trouble) for trouble in troubles[:_MAX_TROUBLES])
    return f"{words}; and {more} more" if more > 0 else words
