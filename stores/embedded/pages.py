"""Reading events, page by page."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from stores.contract import EventOrder, EventPage, Query
from stores.cursors import Key, read, write
from stores.embedded.bodies import Unsqueezer, unpack
from stores.embedded.codes import id_of, key_of
from stores.embedded.conditions import Sql
from stores.embedded.plan import Plan
from trailhound.event import to_ecs

_ROW = """
SELECT e.id, e.start, e.end, e.count, w.observed, w.message, e.body FROM events e JOIN wordings w ON w.id = e.wording
"""
_SORT = {
    EventOrder.NEWEST: ("c.start DESC, c.seq DESC", "(c.start, c.seq) < (?, ?)"),
    EventOrder.OLDEST: ("c.start, c.seq", "(c.start, c.seq) > (?, ?)"),
    EventOrder.INGESTED: ("c.seq", "c.seq > ?"),
}


def event(connection: sqlite3.Connection, event_id: str, unsqueezer: Unsqueezer) -> Mapping[str, Any] | None:
    row = connection.execute(f"{_ROW} WHERE e.id = ?", (key_of(event_id),)).fetchone()
    return None if row is None else _document(connection, row, unsqueezer)


def events(
    connection: sqlite3.Connection,
    query: Query,
    unsqueezer: Unsqueezer,
    *,
    order: EventOrder,
    limit: int,
    cursor: str | None,
) -> EventPage:
    limit = max(limit, 1)
    places = _places(connection, query, order, limit + 1, _after(order, cursor))
    page, more = places[:limit], len(places) > limit
    documents = []
    for seq, _ in page:
        row = connection.execute(f"{_ROW} WHERE e.seq = ?", (seq,)).fetchone()
        documents.append(_document(connection, row, unsqueezer))
    # Who follows the order of arrival comes back when more has arrived, so that order always says where it stands.
    if page and (more or order is EventOrder.INGESTED):
        seq, start = page[-1]
        return EventPage(documents, write(order, (seq,) if order is EventOrder.INGESTED else (start, seq)))
    return EventPage(documents, None)


def latest(connection: sqlite3.Connection) -> str | None:
    (seq,) = connection.execute("SELECT max(seq) FROM events").fetchone()
    return None if seq is None else write(EventOrder.INGESTED, (seq,))


def _after(order: EventOrder, cursor: str | None) -> Key | None:
    if cursor is None:
        return None
    return read(cursor, order, (int,) if order is EventOrder.INGESTED else (int, int))


def _places(
    connection: sqlite3.Connection, query: Query, order: EventOrder, limit: int, after: Key | None
) -> Sequence[tuple[int, int]]:
    sort, beyond = _SORT[order]
    extra = () if after is None else (Sql(beyond, after),)
    rows = Plan(connection, query).events({"seq": "c.seq", "start": "c.start"}, wanted=limit, extra=extra)
    return connection.execute(f"{rows.text} ORDER BY {sort} LIMIT ?", (*rows.values, limit)).fetchall()


def _document(connection: sqlite3.Connection, row: tuple[Any, ...], unsqueezer: Unsqueezer) -> Mapping[str, Any]:
    key, *columns, body = row
    plain = unsqueezer.unsqueeze(connection, body)
    start, end, count, observed, message = columns
    return to_ecs(unpack(plain, (id_of(key), start, end, count, observed, message)))
