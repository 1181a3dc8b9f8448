"""Pages of an interface: what they have in common, whoever speaks it."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import orjson

from feeds import archives, streams
from feeds.line import shown
from feeds.parts import Part
from feeds.shelf import Draft
from trailhound.errors import FetchError, SourceError

DAY = 86_400
MAX_PAGES = 5000


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Add parameters to a URL that may have some."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(parameters))))
    return urlunsplit(parts._replace(query=query, fragment=""))


def page_of(draft: Draft, part: Part, url: str) -> Any:
    """Read the JSON of a document that came, packed or not. Raises `FetchError`."""
    path = Path(draft.folder, part.file)
    try:
        with archives.readable(path), contextlib.closing(archives.documents(path)) as documents:
            return orjson.loads(streams.whole(next(iter(documents))))
    except (SourceError, orjson.JSONDecodeError, StopIteration) as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise FetchError(f"{shown(url)}: a page cannot be read as JSON: {reason}") from error


def file_of(number: int) -> str:
    """Name the document of a page, so that the order of names is that of pages."""
    return f"page-{number:05d}.json"


def too_many(url: str) -> FetchError:
    return FetchError(f"{shown(url)}: there are more than {MAX_PAGES:,} pages; ask for less in the options of the feed")


def midnight(now: float, days: int) -> int:
    """Give the beginning of the day so many days ago: the same all day, so that pages stay the same."""
    return (int(now) // DAY - days) * DAY
