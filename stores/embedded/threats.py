"""Reading threats, page by page."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from stores.contract import Query, Threat, ThreatOrder, ThreatPage
from stores.cursors import Key, read, write
from stores.embedded.codes import CLASSES, DIRECTIONS, KINDS
from stores.embedded.conditions import Sql
from stores.embedded.plan import Plan
from stores.threat import risk
from trailhound.severity import Severity

# Risk grows with severity, then with the count: sorting by those two is sorting by it, and leaves no ties at its bound.
_SORT = {
    ThreatOrder.RISK: ("severity", "records"),
    ThreatOrder.LAST: ("last",),
    ThreatOrder.FIRST: ("first",),
    ThreatOrder.COUNT: ("records",),
    ThreatOrder.SEVERITY: ("severity", "last"),
}
# Unfiltered, threats have these numbers ready; filtered, they are added up for the events that are meant.
_ADDED = {
    "severity": "max(severity)",
    "records": "sum(records)",
    "first": "min(first)",
    "last": "max(last)",
}
_WORDS = """
SELECT t.name, a.text, t.kind, v.value, i.value, f.class, f.direction, d.body
FROM threats t JOIN profiles p ON p.id = ?2 JOIN facets f ON f.id = p.facet
LEFT JOIN addresses a ON a.id = t.source LEFT JOIN texts v ON v.id = t.trail LEFT JOIN texts i ON i.id = p.info
LEFT JOIN threat_details d ON d.threat = t.id
WHERE t.id = ?1
"""


def threats(
    connection: sqlite3.Connection, query: Query, *, order: ThreatOrder, limit: int, cursor: str | None
) -> ThreatPage:
    limit = max(limit, 1)
    after = None if cursor is None else read(cursor, order, (int,) * (len(_SORT[order]) + 1))
    total, keys = _keys(connection, Plan(connection, query), order, limit + 1, after)
    page = keys[:limit]
    numbers = _numbers(connection, query, [key[-1] for key in page])
    found = [_threat(connection, numbers[key[-1]]) for key in page]
    return ThreatPage(found, total, write(order, page[-1]) if len(keys) > limit else None)


def _keys(
    connection: sqlite3.Connection, plan: Plan, order: ThreatOrder, limit: int, after: Key | None
) -> tuple[int, Sequence[tuple[int, ...]]]:
    """Give how many threats there are, and of those on the page what they are sorted by, with their ids."""
    keys = (*_SORT[order], "id")
    prelude = Sql("")
    table = "threats"
    if not (plan.is_always and plan.conditions.nothing):
        rows = plan.rows({"id": "p.threat", **{key: key for key in _SORT[order]}})
        added = ", ".join(f"{_ADDED[key]} AS {key}" for key in _SORT[order])
        sql = f"WITH g AS MATERIALIZED (SELECT {added}, id FROM ({rows.text}) GROUP BY id)"  # noqa: S608 - names of ours
        prelude, table = Sql(sql, rows.values), "g"
    beyond = f"WHERE ({', '.join(keys)}) < ({', '.join('?' * len(keys))})" if after else ""
    sort = ", ".join(f"{key} DESC" for key in keys)
    # The total comes as a row of its own, so that it comes with an empty page too.
    statement = (
        f"{prelude.text} SELECT * FROM (SELECT {', '.join(keys)} FROM {table} {beyond} ORDER BY {sort} LIMIT ?) "  # noqa: S608
        f"UNION ALL SELECT count(*){', 0' * (len(keys) - 1)} FROM {table}"
    )
    *found, total = connection.execute(statement, (*prelude.values, *(after or ()), limit)).fetchall()
    return int(total[0]), found


@dataclass(slots=True)
class _Numbers:
    """What the events of a threat add up to. `profile` speaks for it: that of the most severe, the latest of those."""

    id: int
    profile: int = 0
    severity: int = 0
    severe: int = 0
    records: int = 0
    events: int = 0
    first: int = 2**63
    last: int = -(2**63)

    def add(self, profile: int, severity: int, counts: tuple[int, int, int, int]) -> None:
        records, events, first, last = counts
        if self.profile == 0 or (severity, last) >= (self.severity, self.severe):
            self.profile, self.severity, self.severe = profile, severity, last
        self.records += records
        self.events += events
        self.first = min(self.first, first)
        self.last = max(self.last, last)


def _numbers(connection: sqlite3.Connection, query: Query, ids: Sequence[int]) -> Mapping[int, _Numbers]:
    names = {name: name for name in ("severity", "records", "events", "first", "last")}
    rows = Plan(connection, query, threats=ids).rows({"t": "p.threat", "p": "p.id", **names})
    numbers = {threat: _Numbers(threat) for threat in ids}
    sql = f"SELECT * FROM ({rows.text}) ORDER BY p"  # noqa: S608 - names of ours
    for threat, profile, severity, *counts in connection.execute(sql, rows.values):
        numbers[threat].add(profile, severity, (counts[0], counts[1], counts[2], counts[3]))
    return numbers


def _threat(connection: sqlite3.Connection, numbers: _Numbers) -> Threat:
    row = connection.execute(_WORDS, (numbers.id, numbers.profile)).fetchone()
    name, source, kind, trail, info, class_, direction, body = row
    details = orjson.loads(body)
    severity = Severity(numbers.severity)
    return Threat(
        id=name,
        source=source,
        kind=KINDS[kind],
        trail=trail or "",
        info=info or "",
        class_=CLASSES[class_],
        severity=severity,
        risk=risk(severity, numbers.records),
        count=numbers.records,
        events=numbers.events,
        first=numbers.first,
        last=numbers.last,
        direction=DIRECTIONS[direction],
        destinations=tuple(details.get("destinations", ())),
        ports=tuple(details.get("ports", ())),
        protocols=tuple(details.get("protocols", ())),
        sensors=tuple(details.get("sensors", ())),
        sources=tuple(details.get("sources", ())),
        reference=next(iter(details.get("reference", ())), ""),
    )
