"""Reading events, page by page."""

from collections.abc import Mapping
from typing import Any

from stores.contract import EventOrder, EventPage, Query
from stores.cursors import read, write
from stores.elastic.asking import Asker, Body, Hit
from stores.elastic.conditions import START, compiled
from stores.elastic.document import from_document

# An index answers with so many documents at most (`index.max_result_window`).
WINDOW = 10_000
_LONGEST_ID = 512
# By time, then by arrival: backing indices come one after the other, and so do the operations of each.
_ORDERS = {EventOrder.NEWEST: "desc", EventOrder.OLDEST: "asc"}


def event(asker: Asker, event_id: str) -> Mapping[str, Any] | None:
    name = event_id.encode("utf-8", "replace").decode()
    if not name or len(name.encode()) > _LONGEST_ID:
        return None
    hits = asker.hits({"ids": {"values": [name]}}, size=1)
    return document(hits[0]) if hits else None


def document(hit: Hit) -> Mapping[str, Any]:
    return from_document(hit["_source"])


def events(asker: Asker, query: Query, *, order: EventOrder, limit: int, cursor: str | None) -> EventPage:
    """Give a page in the order of time. What arrives between two pages comes if it lies after the cursor."""
    limit = max(limit, 1)
    after = None if cursor is None else list(read(cursor, order, (int, str, int)))
    clause = compiled(query)
    hits: list[Hit] = []
    with asker.pinned() as pinned:
        while len(hits) <= limit:
            size = min(limit + 1 - len(hits), WINDOW)
            more = pinned.hits(clause, size=size, sort=_sort(order), **_after(after))
            hits += more
            if len(more) < size:
                break
            after = hits[-1]["sort"][:3]
    page = hits[:limit]
    following = write(order, tuple(page[-1]["sort"][:3])) if len(hits) > limit else None
    return EventPage([document(hit) for hit in page], following)


def _sort(order: EventOrder) -> list[Body]:
    return [{field: {"order": _ORDERS[order]}} for field in (START, "_index", "_seq_no")]


def _after(after: list[Any] | None) -> Body:
    return {} if after is None else {"search_after": after}
