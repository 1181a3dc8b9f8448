"""Adding up all events anew, for rollups that are to be made again."""

import sqlite3

from stores.embedded.schema import LEVELS, UNITS, rollup_key

_COLUMNS = {
    "facet": "p.facet",
    "profile": "e.profile",
    "destination": "e.destination",
    "source": "p.source",
    "trail": "p.trail",
    "info": "p.info",
    "threat": "p.threat",
    "severity": "p.severity",
}


def recount(connection: sqlite3.Connection) -> None:
    """Make every rollup again from the events, in the transaction that is open."""
    for family, levels in LEVELS.items():
        for level in levels:
            connection.execute(f"DELETE FROM {family}_{level}")  # noqa: S608 - names of ours
            connection.execute(_added(family, level))


def _added(family: str, level: str) -> str:
    columns = [_column(name, level) for name in rollup_key(family, level)]
    numbers = "sum(e.count), count(*), min(e.start), max(e.start)"
    key = ", ".join(columns)
    return (
        f"INSERT INTO {family}_{level} SELECT {key}, {numbers} FROM events e JOIN profiles p ON p.id = e.profile "  # noqa: S608
        f"WHERE {_COLUMNS[family]} IS NOT NULL GROUP BY {key} ORDER BY {key}"
    )


def _column(name: str, level: str) -> str:
    if name != "period":
        return _COLUMNS[name]
    unit = UNITS[level]
    # As `//` of Python: before the epoch too, a period begins at or before what is in it.
    return f"(e.start - (e.start % {unit} + {unit}) % {unit}) / {unit}"
