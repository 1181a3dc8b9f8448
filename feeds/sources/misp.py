"""A live instance of MISP, asked through PyMISP: page after page of attributes.

PyMISP is an extra (`pip install 'trailhound[misp]'`), since few need it and it brings much.
"""

import hashlib
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from feeds import addresses
from feeds.feed import Feed
from feeds.formats.misp_api import MispApiOptions
from feeds.line import Body, Line, Passing, part_of, shown
from feeds.manners import MIB
from feeds.secret import masked
from feeds.shelf import Draft
from feeds.sources.pages import MAX_PAGES, file_of, midnight, too_many, with_query
from trailhound.errors import FetchError

if TYPE_CHECKING:
    from pymisp import PyMISP

_EVENT_FACTS = ("uuid", "info", "date", "published", "timestamp")


def fetch_pages(feed: Feed, line: Line, draft: Draft) -> str:
    """Ask for all attributes that the options want. A page that does not come fails the whole."""
    options = msgspec.convert(feed.options, MispApiOptions)
    url, end = feed.urls[0], time.monotonic() + line.manners.total_seconds
    came = 0
    with _explained(url, line):
        instance = _connected(url, line)
        for number in range(MAX_PAGES):
            found = instance.search(**_question(options, number + 1), pythonify=False)
            attributes = _attributes(found, url)
            if attributes or not number:
                came += _keep(draft, attributes, number, url)
            if len(attributes) < options.page:
                return ""
            if came > line.manners.max_feed_bytes:
                raise FetchError(f"{shown(url)}: is larger than {line.manners.max_feed_bytes // MIB:,} MiB")
            if time.monotonic() > end:
                raise FetchError(f"{shown(url)}: did not come within {line.manners.total_seconds:g} seconds")
    raise too_many(url)


def _connected(url: str, line: Line) -> "PyMISP":
    try:
        from pymisp import PyMISP  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise FetchError(
            f"{shown(url)}: PyMISP is needed to ask it; install it with `pip install 'trailhound[misp]'`"
        ) from error
    from feeds.sources.misp_session import Guarded  # noqa: PLC0415 - needs what PyMISP brings

    if not line.secret or not url.startswith("https://"):
        raise FetchError(f"{shown(url)}: an https address and a secret with the key of a user were expected")
    # What it logs are whole answers.
    logging.getLogger("pymisp").setLevel(logging.CRITICAL + 1)
    manners = line.manners
    guarded = Guarded(url, manners)
    proxies = {"https": manners.proxy} if manners.proxy and not guarded.is_direct else None
    if proxies is None:
        addresses.resolve(guarded.host, guarded.port, manners.reachable)
    return PyMISP(
        url,
        line.secret,
        proxies=proxies,
        timeout=(manners.connect_seconds, manners.read_seconds),
        https_adapter=guarded,
        tool="trailhound",
    )


def _question(options: MispApiOptions, page: int) -> dict[str, Any]:
    tags = [*options.tags, *(f"!{tag}" for tag in options.without_tags)]
    return {
        "controller": "attributes",
        "limit": options.page,
        "page": page,
        "to_ids": 1 if options.to_ids else None,
        "published": True if options.published else None,
        "type_attribute": list(options.types) or None,
        "tags": tags or None,
        "date_from": options.since or None,
        "timestamp": midnight(time.time(), options.days) if options.days else None,
        "enforce_warninglist": True,
        "include_event_tags": True,
        "include_context": True,
    }


def _attributes(found: Any, url: str) -> list[Mapping[str, Any]]:
    if isinstance(found, dict) and "errors" in found:
        status = found["errors"][0] if isinstance(found["errors"], tuple | list) else ""
        hint = "; is its secret right, and may its user search?" if status in (401, 403) else ""
        raise FetchError(f"{shown(url)}: the search was refused ({str(status)[:40]}){hint}")
    attributes = found.get("Attribute", []) if isinstance(found, dict) else found
    if not isinstance(attributes, list) or not all(isinstance(one, dict) for one in attributes):
        raise FetchError(f"{shown(url)}: no answer of MISP came; expected `Attribute`")
    return attributes


def _keep(draft: Draft, attributes: list[Mapping[str, Any]], number: int, url: str) -> int:
    """Write a page as MISP writes events; give its size in bytes."""
    events: dict[str, dict[str, Any]] = {}
    for attribute in attributes:
        about = attribute.get("Event")
        about = about if isinstance(about, dict) else {}
        key = str(about.get("uuid") or attribute.get("event_id") or "")
        event = events.setdefault(key, {**{name: about[name] for name in _EVENT_FACTS if name in about}})
        event.setdefault("Attribute", []).append({name: one for name, one in attribute.items() if name != "Event"})
    data = orjson.dumps({"response": [{"Event": event} for event in events.values()]})
    file = file_of(number)
    with draft.writing(file) as stream:
        stream.write(data)
    body = Body(len(data), hashlib.sha256(data).hexdigest(), "", "")
    draft.add(part_of(body, file, with_query(url, {"page": str(number + 1)})))
    return len(data)


@contextmanager
def _explained(url: str, line: Line) -> Iterator[None]:
    """Say in one sentence without secrets what went wrong: PyMISP and requests have many kinds of errors."""
    try:
        yield
    except FetchError:
        raise
    except Exception as error:  # noqa: BLE001 - one feed, whose libraries raise what they like
        first = _first_cause(error)
        words = masked(" ".join(str(first).split()) or type(first).__name__, line.private)[:300]
        raise Passing(f"{shown(url)}: MISP cannot be asked: {words}") from None


def _first_cause(error: BaseException) -> BaseException:
    """Give what it began with: libraries wrap the words of others into their own."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error
