"""What was met of particular threats, sources, destinations and trails."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from stores.clean import clean
from stores.contract import Dimension, Query, Seen
from stores.embedded.plan import COLUMNS, Plan
from stores.embedded.spelling import spell
from trailhound.errors import StoreError

# The table that the words of each stand in; each has a rollup of all time.
_KNOWN = {
    Dimension.SOURCE: ("addresses", "text"),
    Dimension.DESTINATION: ("addresses", "text"),
    Dimension.TRAIL: ("texts", "value"),
}
_NUMBERS = {"r": "records", "e": "events", "a": "first", "z": "last"}


def lasts(connection: sqlite3.Connection, names: Sequence[str]) -> Mapping[str, int]:
    sql = "SELECT t.name, t.last FROM json_each(?) j CROSS JOIN threats t ON t.name = j.value"
    return dict(connection.execute(sql, (_listed(names),)).fetchall())


def sparklines(
    connection: sqlite3.Connection, query: Query, names: Sequence[str], *, step: int
) -> Mapping[str, Mapping[int, int]]:
    if step <= 0:
        raise StoreError(f"a sparkline cannot go in steps of {step} microseconds: a step is longer than nothing")
    sql = "SELECT t.id, t.name FROM json_each(?) j CROSS JOIN threats t ON t.name = j.value"
    ids = dict(connection.execute(sql, (_listed(names),)).fetchall())
    rows = Plan(connection, query, threats=list(ids)).rows({"t": "p.threat", "r": "records"}, step=step)
    counts: dict[str, dict[int, int]] = defaultdict(dict)
    statement = f"SELECT t, bucket, sum(r) FROM ({rows.text}) GROUP BY t, bucket ORDER BY t, bucket"  # noqa: S608 - names of ours
    for threat, bucket, records in connection.execute(statement, rows.values):
        counts[ids[threat]][bucket] = records
    return counts


def seen(
    connection: sqlite3.Connection, query: Query, dimension: Dimension, values: Sequence[str]
) -> Mapping[str, Seen]:
    if dimension not in _KNOWN:
        raise StoreError(f"{dimension} cannot be looked for by its values: source, destination or trail was expected")
    if not values:
        return {}
    table, column = _KNOWN[dimension]
    plan = Plan(connection, query)
    if plan.is_always and plan.conditions.nothing:
        words = f"json_each(?) j CROSS JOIN {table} w ON w.{column} = j.value"
        numbers = "sum(c.records), sum(c.events), min(c.first), max(c.last)"
        rollup = f"{dimension}_all c ON c.{dimension} = w.id"
        sql = f"SELECT w.{column}, {numbers} FROM {words} CROSS JOIN {rollup} GROUP BY w.id"  # noqa: S608 - names of ours
        return {value: Seen(*counts) for value, *counts in connection.execute(sql, (_listed(values),))}
    rows = Plan(connection, _among(query, dimension, tuple(values))).rows({"v": COLUMNS[dimension], **_NUMBERS})
    sql = f"SELECT v, sum(r), sum(e), min(a), max(z) FROM ({rows.text}) GROUP BY v"  # noqa: S608 - names of ours
    found = {value: Seen(*counts) for value, *counts in connection.execute(sql, rows.values)}
    spelt = spell(connection, dimension, found)
    wanted = {clean(value) for value in values}
    return {spelt[value]: counts for value, counts in found.items() if spelt[value] in wanted}


def _among(query: Query, dimension: Dimension, values: tuple[str, ...]) -> Query:
    """Narrow a query to these values. Raises `StoreError` when it names others itself."""
    if (query.sources, query.destinations, query.trails) != ((), (), ()):
        raise StoreError("a query that names sources, destinations or trails cannot be asked for others")
    if dimension is Dimension.TRAIL:
        return replace(query, trails=values)
    return replace(query, sources=values) if dimension is Dimension.SOURCE else replace(query, destinations=values)


def _listed(values: Sequence[str]) -> str:
    return json.dumps([clean(value) for value in dict.fromkeys(values)])
