"""From the expression of a search to conditions in SQL, each for the cheapest tables that can answer it."""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import IntEnum

from stores.clean import clean
from stores.contract import Query
from stores.embedded.codes import CLASS_CODES, DIRECTION_CODES, KIND_CODES, packed
from stores.embedded.conditions import Conditions, Sql, in_codes, in_threats, join
from stores.embedded.needles import gathered, held
from stores.search.expression import (
    Addresses,
    And,
    Classes,
    Count,
    Directions,
    End,
    Expression,
    Kinds,
    Leaf,
    Not,
    Or,
    Ports,
    Said,
    Severities,
    Text,
    Threats,
    Trails,
    Word,
    Words,
)
from trailhound.errors import StoreError


class _Level(IntEnum):
    """What can answer a condition; a later one answers those before it too."""

    FACET = 0
    PROFILE = 1
    EVENT = 2


_ALWAYS = Sql("1")
_NEVER = Sql("0")
_ONE_PART = re.compile(r"\b(c\.(?:destination|seq) IN)")
# Where the ids of the words of a field stand, so that not all texts have to be looked at.
_KNOWN = {
    Word.SENSOR: ("f.sensor", "SELECT sensor FROM facets"),
    Word.DATASET: ("f.dataset", "SELECT dataset FROM facets"),
    Word.PROTOCOL: ("f.protocol", "SELECT protocol FROM facets"),
    Word.INFO: ("p.info", "SELECT info FROM info_all"),
    # Nearly all texts are trails.
    Word.TRAIL: ("p.trail", ""),
}


def narrowed(connection: sqlite3.Connection, found: Conditions, query: Query) -> Conditions:
    """Add the text and the search of a query to its conditions."""
    search = _Search(connection)
    if query.text:
        found = search.holding(found, query.text)
    if query.where is None:
        return found
    for part in query.where.parts if isinstance(query.where, And) else (query.where,):
        found = search.meeting(found, part)
    return found


class _Search:
    """A search on one state of the store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def holding(self, found: Conditions, text: str) -> Conditions:
        """Add to the conditions that events hold this text."""
        looked = held(self._connection, text)
        if looked.is_gathered:
            return replace(found, gathered=(*found.gathered, looked.sql))
        return replace(found, text=(*found.text, looked.sql))

    def meeting(self, found: Conditions, part: Expression) -> Conditions:
        """Add to the conditions that events meet this one."""
        if isinstance(part, Text):
            return self.holding(found, part.value)
        places = self._gathered(part)
        if places is not None:
            return replace(found, gathered=(*found.gathered, places))
        sql, level = self._leaf(part) if isinstance(part, Leaf) else self._nested(part)
        if isinstance(part, Addresses) and part.end is End.DESTINATION:
            return replace(found, destination=(*found.destination, sql))
        if level is _Level.FACET:
            return replace(found, facet=(*found.facet, sql))
        if level is _Level.PROFILE:
            return replace(found, profile=(*found.profile, sql))
        return replace(found, event=(*found.event, sql))

    def _gathered(self, part: Expression) -> Sql | None:
        """Name the events of an address at either end, as most people write it, if those are few."""
        if not isinstance(part, Or) or not any(isinstance(one, Addresses) for one in part.parts):
            return None
        ids: dict[str, set[int]] = defaultdict(set)
        for one in part.parts:
            if not isinstance(one, Addresses | Trails):
                return None
            name = "trail" if isinstance(one, Trails) else one.end.value
            sql = _trail_ids(one) if isinstance(one, Trails) else _address_ids(one)
            ids[name].update(row[0] for row in self._connection.execute(sql.text, sql.values))
        return gathered(self._connection, {name: json.dumps(sorted(found)) for name, found in ids.items()})

    def _nested(self, part: Expression) -> tuple[Sql, _Level]:
        match part:
            case Not(inner):
                sql, level = self._nested(inner)
                return Sql(f"NOT {sql.text}", sql.values), level
            case And(parts):
                return self._joined(parts, " AND ", _ALWAYS)
            case Or(parts):
                return self._joined(parts, " OR ", _NEVER)
        sql, level = self._leaf(part)
        # A comparison with nothing is neither true nor false to SQL; here it is false, and its opposite true. The plus
        # sign keeps an index of one part from deciding how all is read.
        text = _ONE_PART.sub(r"+\1", sql.text, count=1)
        return Sql(f"coalesce({text}, 0)", sql.values), level

    def _joined(self, parts: Sequence[Expression], glue: str, empty: Sql) -> tuple[Sql, _Level]:
        if not parts:
            return empty, _Level.FACET
        found = [self._nested(part) for part in parts]
        sql = join((sql for sql, _ in found), glue)
        return Sql(f"({sql.text})", sql.values), max(level for _, level in found)

    def _leaf(self, leaf: Leaf) -> tuple[Sql, _Level]:
        match leaf:
            case Severities(values):
                return in_codes("f.severity", [int(value) for value in values]), _Level.FACET
            case Kinds(kinds):
                return in_codes("f.kind", [KIND_CODES[value] for value in kinds]), _Level.FACET
            case Classes(classes):
                return in_codes("f.class", [CLASS_CODES[value] for value in classes]), _Level.FACET
            case Directions(directions):
                return in_codes("f.direction", [DIRECTION_CODES[value] for value in directions]), _Level.FACET
            case Text(value):
                return held(self._connection, value).sql, _Level.EVENT
            case Words():
                return _words(leaf)
            case Addresses():
                return _addresses(leaf)
        return _of_events(leaf)


def _of_events(leaf: Trails | Threats | Ports | Count | Said) -> tuple[Sql, _Level]:
    match leaf:
        case Trails():
            texts = _trail_ids(leaf)
            return Sql(f"p.trail IN ({texts.text})", texts.values), _Level.PROFILE
        case Threats(names):
            return in_threats("IN", names), _Level.PROFILE
        case Ports(spans):
            ends = ("c.source_port", "c.destination_port")
            between = " OR ".join(f"{end} BETWEEN ? AND ?" for _ in spans for end in ends)
            bounds = tuple(bound for span in spans for _ in ends for bound in span)
            return Sql(f"({between or '0'})", bounds), _Level.EVENT
        case Count(low, high):
            return _count(low, high), _Level.EVENT
        case Said(field):
            raise StoreError(f"{field.value} is said on the desk, of which a store knows nothing")


def _words(leaf: Words) -> tuple[Sql, _Level]:
    column, known = _KNOWN[leaf.field]
    exact = [clean(value) for value in leaf.values if "*" not in value]
    patterns = [_glob(clean(value)) for value in leaf.values if "*" in value]
    fits = ["lower(value) IN (SELECT value FROM json_each(?))", *["lower(value) GLOB ?"] * len(patterns)]
    among = f"id IN ({known}) AND " if known else ""
    texts = f"SELECT id FROM texts WHERE {among}({' OR '.join(fits)})"  # noqa: S608 - names of ours
    level = _Level.FACET if column.startswith("f.") else _Level.PROFILE
    return Sql(f"{column} IN ({texts})", (json.dumps(exact), *patterns)), level


def _glob(pattern: str) -> str:
    """Write a pattern as SQLite has it, in which more letters mean something."""
    return "".join(f"[{letter}]" if letter in "?[" else letter for letter in pattern)


def _trail_ids(leaf: Trails) -> Sql:
    texts = "SELECT t.id FROM json_each(?) j CROSS JOIN texts t ON t.value = j.value"
    return Sql(texts, (json.dumps([clean(value) for value in leaf.values]),))


def _address_ids(leaf: Addresses) -> Sql:
    spans = json.dumps([[packed(first), packed(last)] for first, last in leaf.spans])
    ids = "SELECT a.id FROM json_each(?) j CROSS JOIN addresses a ON a.packed BETWEEN j.value->>0 AND j.value->>1"
    return Sql(ids, (spans,))


def _addresses(leaf: Addresses) -> tuple[Sql, _Level]:
    ids = _address_ids(leaf)
    if leaf.end is End.SOURCE:
        return Sql(f"p.source IN ({ids.text})", ids.values), _Level.PROFILE
    return Sql(f"c.destination IN ({ids.text})", ids.values), _Level.EVENT


def _count(low: int | None, high: int | None) -> Sql:
    parts: Iterable[Sql] = [
        Sql(f"c.count {sign} ?", (bound,)) for sign, bound in ((">=", low), ("<=", high)) if bound is not None
    ]
    found = join(parts, " AND ")
    return Sql(f"({found.text or '1'})", found.values)
