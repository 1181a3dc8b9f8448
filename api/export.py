"""Events as a stream of lines, a page at a time: whatever their number, a page of them is in memory."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from stores.contract import EventOrder, EventPage, Query, Store

PAGE = 500
# What a row of CSV holds: a heading, and where its value stands in a document.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "time": ("@timestamp",),
    "id": ("event", "id"),
    "threat": ("trailhound", "threat_id"),
    "severity": ("trailhound", "severity"),
    "class": ("trailhound", "class"),
    "kind": ("trailhound", "kind"),
    "trail": ("trailhound", "trail"),
    "info": ("trailhound", "info"),
    "sources_of_trail": ("trailhound", "sources"),
    "observed": ("trailhound", "observed"),
    "source": ("source", "ip"),
    "source_port": ("source", "port"),
    "destination": ("destination", "ip"),
    "destination_port": ("destination", "port"),
    "transport": ("network", "transport"),
    "protocol": ("network", "protocol"),
    "direction": ("network", "direction"),
    "sensor": ("observer", "name"),
    "dataset": ("event", "dataset"),
    "count": ("trailhound", "count"),
    "end": ("event", "end"),
    "message": ("message",),
}
# A cell that begins with one of these is a formula to a spreadsheet; what others wrote must not become one.
_FORMULA = tuple("=+-@\t\r\n")
MEDIA_TYPES: Mapping[str, str] = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_Documents = Sequence[Mapping[str, Any]]


def lines(store: Store, query: Query, form: str, *, order: EventOrder, limit: int | None) -> Iterator[bytes]:
    """Give all events that a query finds, at most `limit`. The first page is read at once, so its errors come first."""
    write: Callable[[_Documents], bytes] = csv_rows if form == "csv" else ndjson
    size = PAGE if limit is None else min(PAGE, limit)
    first = store.events(query, order=order, limit=size)
    return _lines(store, query, first, order, limit, write)


def _lines(
    store: Store,
    query: Query,
    page: EventPage,
    order: EventOrder,
    limit: int | None,
    write: Callable[[_Documents], bytes],
) -> Iterator[bytes]:
    if write is csv_rows:
        yield CSV_HEADINGS
    left = limit
    while page.events:
        yield write(page.events)
        left = None if left is None else left - len(page.events)
        if page.next is None or left == 0:
            return
        page = store.events(query, order=order, limit=PAGE if left is None else min(PAGE, left), cursor=page.next)


def ndjson(documents: _Documents) -> bytes:
    """Write documents as JSON, a line each."""
    return b"".join(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE) for document in documents)


def csv_rows(documents: _Documents) -> bytes:
    """Write documents as rows below `CSV_HEADINGS`."""
    return _rows([[cell(_value(document, path)) for path in COLUMNS.values()] for document in documents])


def _rows(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


CSV_HEADINGS = _rows([list(COLUMNS)])


def cell(value: object) -> str:
    """Write a value so that no spreadsheet takes it for a formula."""
    if value is None:
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    # NUL ends a text for many programs that read CSV.
    text = text.replace("\0", "\ufffd")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _value(document: Mapping[str, Any], path: Sequence[str]) -> object:
    found: Any = document
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
