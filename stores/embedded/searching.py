"""From the expression of a search to conditions in SQL, each for the cheapest tables that can answer it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import IntEnum

from stores.clean import clean
from stores.embedded.codes import CLASS_CODES, DIRECTION_CODES, KIND_CODES, packed
from stores.embedded.conditions import Conditions, Sql, in_codes, in_text, in_threats, join
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
    Severities,
    Text,
    Threats,
    Trails,
    Word,
    Words,
)


class _Level(IntEnum):
    """What can answer a condition; a later one answers those before it too."""

    FACET = 0
    PROFILE = 1
    EVENT = 2


_ALWAYS = Sql("1")
_NEVER = Sql("0")
# Where the ids of the words of a field stand, so that not all texts have to be looked at.
_KNOWN = {
    Word.SENSOR: ("f.sensor", "SELECT sensor FROM facets"),
    Word.DATASET: ("f.dataset", "SELECT dataset FROM facets"),
    Word.PROTOCOL: ("f.protocol", "SELECT protocol FROM facets"),
    Word.INFO: ("p.info", "SELECT info FROM info_all"),
    Word.TRAIL: ("p.trail", "SELECT trail FROM trail_all"),
}


def narrowed(found: Conditions, where: Expression | None) -> Conditions:
    """Add a search to the conditions of a query."""
    if where is None:
        return found
    for part in where.parts if isinstance(where, And) else (where,):
        sql, level = _leaf(part) if isinstance(part, Leaf) else _nested(part)
        if isinstance(part, Addresses) and part.end is End.DESTINATION:
            found = replace(found, destination=(*found.destination, sql))
        elif isinstance(part, Text):
            found = replace(found, text=(*found.text, sql))
        elif level is _Level.FACET:
            found = replace(found, facet=(*found.facet, sql))
        elif level is _Level.PROFILE:
            found = replace(found, profile=(*found.profile, sql))
        else:
            found = replace(found, event=(*found.event, sql))
    return found


def _nested(part: Expression) -> tuple[Sql, _Level]:
    match part:
        case Not(inner):
            sql, level = _nested(inner)
            return Sql(f"NOT {sql.text}", sql.values), level
        case And(parts):
            return _joined(parts, " AND ", _ALWAYS)
        case Or(parts):
            return _joined(parts, " OR ", _NEVER)
    sql, level = _leaf(part)
    # A comparison with nothing is neither true nor false to SQL; here it is false, and its opposite true. The plus
    # sign keeps an index of one part from deciding how all is read.
    text = sql.text.replace("c.destination IN", "+c.destination IN", 1)
    return Sql(f"coalesce({text}, 0)", sql.values), level


def _joined(parts: Sequence[Expression], glue: str, empty: Sql) -> tuple[Sql, _Level]:
    if not parts:
        return empty, _Level.FACET
    found = [_nested(part) for part in parts]
    sql = join((sql for sql, _ in found), glue)
    return Sql(f"({sql.text})", sql.values), max(level for _, level in found)


def _leaf(leaf: Leaf) -> tuple[Sql, _Level]:
    match leaf:
        case Severities(values):
            return in_codes("f.severity", [int(value) for value in values]), _Level.FACET
        case Kinds(kinds):
            return in_codes("f.kind", [KIND_CODES[value] for value in kinds]), _Level.FACET
        case Classes(classes):
            return in_codes("f.class", [CLASS_CODES[value] for value in classes]), _Level.FACET
        case Directions(directions):
            return in_codes("f.direction", [DIRECTION_CODES[value] for value in directions]), _Level.FACET
        case Words():
            return _words(leaf)
        case Trails(trails):
            texts = "SELECT t.id FROM json_each(?) j CROSS JOIN texts t ON t.value = j.value"
            return Sql(f"p.trail IN ({texts})", (json.dumps([clean(value) for value in trails]),)), _Level.PROFILE
        case Addresses():
            return _addresses(leaf)
        case Count(low, high):
            return _count(low, high), _Level.EVENT
        case Threats(names):
            return in_threats("IN", names), _Level.PROFILE
        case Text(value):
            return in_text(clean(value).casefold()), _Level.EVENT


def _words(leaf: Words) -> tuple[Sql, _Level]:
    column, known = _KNOWN[leaf.field]
    exact = [clean(value) for value in leaf.values if "*" not in value]
    patterns = [_glob(clean(value)) for value in leaf.values if "*" in value]
    fits = ["lower(value) IN (SELECT value FROM json_each(?))", *["lower(value) GLOB ?"] * len(patterns)]
    texts = f"SELECT id FROM texts WHERE id IN ({known}) AND ({' OR '.join(fits)})"  # noqa: S608 - names of ours
    level = _Level.FACET if column.startswith("f.") else _Level.PROFILE
    return Sql(f"{column} IN ({texts})", (json.dumps(exact), *patterns)), level


def _glob(pattern: str) -> str:
    """Write a pattern as SQLite has it, in which more letters mean something."""
    return "".join(f"[{letter}]" if letter in "?[" else letter for letter in pattern)


def _addresses(leaf: Addresses) -> tuple[Sql, _Level]:
    spans = json.dumps([[packed(first), packed(last)] for first, last in leaf.spans])
    ids = "SELECT a.id FROM json_each(?) j CROSS JOIN addresses a ON a.packed BETWEEN j.value->>0 AND j.value->>1"
    if leaf.end is End.SOURCE:
        return Sql(f"p.source IN ({ids})", (spans,)), _Level.PROFILE
    return Sql(f"c.destination IN ({ids})", (spans,)), _Level.EVENT


def _count(low: int | None, high: int | None) -> Sql:
    parts: Iterable[Sql] = [
        Sql(f"c.count {sign} ?", (bound,)) for sign, bound in ((">=", low), ("<=", high)) if bound is not None
    ]
    found = join(parts, " AND ")
    return Sql(f"({found.text or '1'})", found.values)
