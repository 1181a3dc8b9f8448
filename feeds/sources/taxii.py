"""A collection of TAXII 2.1: page after page of STIX objects."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import msgspec

from feeds.feed import Feed
from feeds.formats.taxii import TaxiiOptions
from feeds.line import Line, shown
from feeds.shelf import Draft
from feeds.source import fetch_document
from feeds.sources.pages import MAX_PAGES, file_of, midnight, page_of, too_many, with_query
from trailhound.errors import FetchError

ACCEPT = "application/taxii+json;version=2.1"


def fetch_pages(feed: Feed, line: Line, draft: Draft) -> str:
    """Fetch the objects of the collection that were added in the days that the options name, all of them each time.

    So what the collection has no more is gone from the copy too. A page that does not come fails the whole.
    """
    options = msgspec.convert(feed.options, TaxiiOptions)
    url = _objects(feed.urls[0])
    line.accept = ACCEPT
    wanted = {"limit": str(options.page), "match[type]": "indicator,relationship,malware,tool,intrusion-set,campaign"}
    if options.days:
        added = datetime.fromtimestamp(midnight(time.time(), options.days), UTC)
        wanted["added_after"] = added.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    seen: set[str] = set()
    token = ""
    for number in range(MAX_PAGES):
        place = with_query(url, {**wanted, "next": token} if token else wanted)
        page = page_of(draft, fetch_document(feed, line, draft, place, file_of(number)), url)
        if not isinstance(page, dict) or not isinstance(page.get("objects", []), list):
            raise FetchError(f"{shown(url)}: no page of TAXII came; expected an envelope with `objects`")
        if not page.get("more"):
            return ""
        token = _next(page, url)
        if token in seen:
            raise FetchError(f"{shown(url)}: its pages go round in a circle")
        seen.add(token)
    raise too_many(url)


def _objects(url: str) -> str:
    """Give the URL of the objects, when that of the collection stands there."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return urlunsplit(parts._replace(path=f"{path}/" if path.endswith("/objects") else f"{path}/objects/"))


def _next(page: Mapping[str, object], url: str) -> str:
    token = page.get("next")
    if not isinstance(token, str) or not 0 < len(token) <= 2000:
        raise FetchError(f"{shown(url)}: says that there is more, but not where (`next`)")
    return token
