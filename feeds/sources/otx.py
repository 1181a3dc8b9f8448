"""AlienVault OTX: page after page of the pulses that the owner of the key subscribes to."""

import time
from datetime import UTC, datetime

import msgspec

from feeds.feed import Feed
from feeds.formats.otx import OtxOptions
from feeds.line import Line, shown
from feeds.shelf import Draft
from feeds.source import fetch_document
from feeds.sources.pages import MAX_PAGES, file_of, midnight, page_of, too_many, with_query
from trailhound.errors import FetchError


def fetch_pages(feed: Feed, line: Line, draft: Draft) -> str:
    """Fetch pulses that were changed in the days that the options name. A page that does not come fails the whole."""
    options = msgspec.convert(feed.options, OtxOptions)
    url = feed.urls[0]
    wanted = {"limit": str(options.page)}
    if options.days:
        since = datetime.fromtimestamp(midnight(time.time(), options.days), UTC)
        wanted["modified_since"] = since.strftime("%Y-%m-%dT%H:%M:%S")
    for number in range(MAX_PAGES):
        # Pages are counted by us: where `next` points to, the key would go too.
        place = with_query(url, {**wanted, "page": str(number + 1)})
        page = page_of(draft, fetch_document(feed, line, draft, place, file_of(number)), url)
        if not isinstance(page, dict) or not isinstance(page.get("results"), list):
            raise FetchError(f"{shown(url)}: no page of OTX came; expected `results`")
        if not page.get("next"):
            return ""
    raise too_many(url)
