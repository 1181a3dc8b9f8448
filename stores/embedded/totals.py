"""Counting: summary, timeline, top lists, distinct values, attackers."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from stores.contract import Attacker, Bucket, Dimension, Query, Summary, Top
from stores.embedded.codes import SPELLINGS
from stores.embedded.conditions import Parameter, Sql
from stores.embedded.plan import COLUMNS, Plan
from stores.embedded.schema import DAY
from stores.embedded.spelling import spell, texts
from trailhound.errors import StoreError
from trailhound.severity import Severity
from trailhound.trail import TrailKind

# The dimensions that a summary breaks down by: those of few values.
COARSE = (
    Dimension.SEVERITY,
    Dimension.KIND,
    Dimension.CLASS,
    Dimension.DIRECTION,
    Dimension.PROTOCOL,
    Dimension.SENSOR,
    Dimension.DATASET,
)


def count(connection: sqlite3.Connection, query: Query) -> int:
    rows = Plan(connection, query).rows({"n": "events"})
    return int(_all(connection, "SELECT sum(n) FROM ({rows})", rows)[0][0] or 0)


def summary(connection: sqlite3.Connection, query: Query) -> Summary:
    plan = Plan(connection, query)
    rows = plan.rows({"facet": "facet", "r": "records", "e": "events", "a": "first", "z": "last"})
    facets = _all(connection, "SELECT facet, sum(r), sum(e), min(a), max(z) FROM ({rows}) GROUP BY facet", rows)
    threats, sources, trails = _distinct(connection, plan, ("p.threat", "p.source", "p.trail"), query.since)
    return Summary(
        records=sum(facet[1] for facet in facets),
        events=sum(facet[2] for facet in facets),
        threats=threats,
        sources=sources,
        trails=trails,
        first=min((facet[3] for facet in facets), default=None),
        last=max((facet[4] for facet in facets), default=None),
        by=_break_down(connection, {facet[0]: facet[1] for facet in facets}),
    )


def _break_down(connection: sqlite3.Connection, records: dict[int, int]) -> dict[Dimension, dict[str, int]]:
    counts: dict[Dimension, dict[int, int]] = {dimension: defaultdict(int) for dimension in COARSE}
    names = ", ".join(COLUMNS[dimension] for dimension in COARSE)
    for facet, *codes in connection.execute(f"SELECT f.id, {names} FROM facets f"):  # noqa: S608 - names of ours
        for dimension, code in zip(COARSE, codes, strict=True):
            if facet in records and code is not None:
                counts[dimension][code] += records[facet]
    broken = {
        dimension: _spelt(spell(connection, dimension, numbers), numbers) for dimension, numbers in counts.items()
    }
    broken[Dimension.GROUP] = _spelt(SPELLINGS[Dimension.GROUP], counts[Dimension.KIND])
    return broken


def _spelt(words: dict[int, str], numbers: dict[int, int]) -> dict[str, int]:
    """Add up by word, the most first; several codes may share a word."""
    added: dict[str, int] = defaultdict(int)
    for code, number in numbers.items():
        added[words[code]] += number
    return dict(sorted(added.items(), key=lambda item: (-item[1], item[0])))


def timeline(connection: sqlite3.Connection, query: Query, *, by: Dimension, step: int) -> Sequence[Bucket]:
    if step <= 0:
        raise StoreError(f"a timeline cannot go in steps of {step} microseconds: a step is longer than nothing")
    rows = Plan(connection, query).rows({"v": COLUMNS[by], "r": "records"}, step=step)
    counts: dict[int, dict[int, int]] = defaultdict(dict)
    sql = "SELECT bucket, v, sum(r) FROM ({rows}) WHERE v IS NOT NULL GROUP BY bucket, v ORDER BY bucket"
    for bucket, value, records in _all(connection, sql, rows):
        counts[bucket][value] = records
    words = spell(connection, by, (value for values in counts.values() for value in values))
    return [Bucket(start=bucket, counts=_spelt(words, values)) for bucket, values in counts.items()]


def top(connection: sqlite3.Connection, query: Query, dimension: Dimension, *, limit: int) -> Sequence[Top]:
    if dimension is Dimension.GROUP:
        return _top_groups(connection, query, limit)
    rows = Plan(connection, query).rows({"v": COLUMNS[dimension], "r": "records", "s": "severity"})
    found = _all(
        connection,
        "SELECT v, sum(r) AS n, max(s) FROM ({rows}) WHERE v IS NOT NULL GROUP BY v ORDER BY n DESC, 3 DESC, v LIMIT ?",
        rows,
        max(limit, 0),
    )
    words = spell(connection, dimension, (row[0] for row in found))
    return [Top(value=words[value], count=number, severity=Severity(severity)) for value, number, severity in found]


def _top_groups(connection: sqlite3.Connection, query: Query, limit: int) -> Sequence[Top]:
    groups: dict[str, Top] = {}
    for kind in top(connection, query, Dimension.KIND, limit=1_000):
        name = TrailKind(kind.value).group.value
        known = groups.get(name, Top(name, 0, Severity.LOW))
        groups[name] = Top(name, known.count + kind.count, max(known.severity, kind.severity))
    ranked = sorted(groups.values(), key=lambda group: (-group.count, -group.severity, group.value))
    return ranked[: max(limit, 0)]


def distinct(connection: sqlite3.Connection, query: Query, dimension: Dimension) -> int:
    if dimension is Dimension.GROUP:
        return len(_top_groups(connection, query, 1_000))
    return _distinct(connection, Plan(connection, query), (COLUMNS[dimension],), query.since)[0]


def _distinct(connection: sqlite3.Connection, plan: Plan, columns: Sequence[str], since: int | None) -> Sequence[int]:
    wanted = plan.conditions
    if len(columns) > 1 and not (wanted.profile or wanted.destination or wanted.of_events):
        # Each has a rollup of its own.
        return [_distinct(connection, plan, (column,), since)[0] for column in columns]
    names = {f"v{place}": column for place, column in enumerate(columns)}
    if plan.is_always and not (wanted.destination or wanted.of_events) and columns[0].startswith("p."):
        # All that was ever seen: the profiles themselves say it, off their indexes.
        found = plan.profiles({name: f"count(DISTINCT {column})" for name, column in names.items()})
        return _one(connection, "{rows}", found)
    if plan.is_open and wanted.nothing and columns[0] == "p.threat":
        # What was met since then was met for the last time since then.
        return _one(connection, "{rows}", Sql("SELECT count(*) FROM threats WHERE last >= ?", (since,)))
    counts = ", ".join(f"count(DISTINCT {name})" for name in names)
    return _one(connection, f"SELECT {counts} FROM ({{rows}})", plan.rows(names))  # noqa: S608 - names of ours


def attackers(connection: sqlite3.Connection, query: Query, *, limit: int, by_day: bool = False) -> Sequence[Attacker]:
    plan = Plan(connection, query, only_attackers=True)
    columns = {"v": "p.source", "s": "severity", "r": "records", "a": "first", "z": "last", "i": "p.info"}
    # Addresses are spelt here, not by `spell`: there may be a hundred thousand of them.
    days = "count(DISTINCT bucket)" if by_day else "1"
    found = _all(
        connection,
        "SELECT (SELECT text FROM addresses WHERE id = v), max(s), sum(r), min(a), max(z), group_concat(DISTINCT i), "  # noqa: S608 - words of ours
        f"{days} FROM ({{rows}}) GROUP BY v ORDER BY 2 DESC, 5 DESC, v LIMIT ?",
        plan.rows(columns, step=DAY if by_day else None),
        max(limit, 0),
    )
    # Few sets of infos are many attackers' own.
    sets = {key: [int(part) for part in (key or "").split(",") if part] for key in {row[5] for row in found}}
    words = texts(connection, (info for infos in sets.values() for info in infos))
    infos = {key: tuple(sorted(words[info] for info in ids)) for key, ids in sets.items()}
    severities = {int(severity): severity for severity in Severity}
    return [Attacker(address, severities[s], r, a, z, infos[i], days) for address, s, r, a, z, i, days in found]


def _all(connection: sqlite3.Connection, statement: str, rows: Sql, *more: Parameter) -> list[tuple[Any, ...]]:
    return connection.execute(statement.replace("{rows}", rows.text), (*rows.values, *more)).fetchall()


def _one(connection: sqlite3.Connection, statement: str, rows: Sql) -> tuple[Any, ...]:
    return _all(connection, statement, rows)[0]
