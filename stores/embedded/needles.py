"""Text anywhere in an event: gathered over indexes where few events hold it, tried event by event where many do."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stores.clean import clean
from stores.embedded.codes import grams
from stores.embedded.conditions import Sql

# Of so many events at most the places are gathered.
GATHERED = 50_000
_GRAM = 3
_MOST_GRAMS = 12
_FITS = "instr(coalesce(w.folded, lower(w.observed || char(65535) || w.message)), ?)"
# The rollups that say how many events there are of a value, and the events of it.
_EVENTS = {
    "info": ("info_all", "c.profile IN (SELECT id FROM profiles WHERE info IN ({ids}))"),
    "trail": ("trail_all", "c.profile IN (SELECT id FROM profiles WHERE trail IN ({ids}))"),
    "source": ("source_all", "c.profile IN (SELECT id FROM profiles WHERE source IN ({ids}))"),
    "facet": ("facet_all", "c.profile IN (SELECT id FROM profiles WHERE facet IN ({ids}))"),
    "destination": ("destination_all", "c.destination IN ({ids})"),
}
_IDS = "SELECT value FROM json_each(?)"


@dataclass(frozen=True, slots=True)
class Held:
    """The condition on events (c, with their profiles p) that hold a text.

    `is_gathered`: it names the events themselves, so it is the best way to read them.
    """

    sql: Sql
    is_gathered: bool


def held(connection: sqlite3.Connection, text: str) -> Held:
    """Look for text, whatever its case."""
    needle = clean(text).casefold()
    ids = _values(connection, needle)
    places = _gather(connection, needle, ids)
    if places is not None:
        return Held(_named(places), is_gathered=True)
    return Held(_tried(needle, ids), is_gathered=False)


def _values(connection: sqlite3.Connection, needle: str) -> dict[str, str]:
    """Give the ids of infos, trails, sources, facets and destinations that hold the text, as lists in JSON."""
    texts = _column(connection, "SELECT id FROM texts WHERE instr(coalesce(folded, lower(value)), ?)", needle)
    addresses = _column(connection, "SELECT id FROM addresses WHERE instr(lower(text), ?)", needle)
    facets = _column(connection, f"SELECT id FROM facets WHERE sensor IN ({_IDS})", json.dumps(texts))  # noqa: S608
    ids = {"info": texts, "trail": texts, "source": addresses, "facet": facets, "destination": addresses}
    return {name: json.dumps(found) for name, found in ids.items()}


def gathered(connection: sqlite3.Connection, ids: Mapping[str, str]) -> Sql | None:
    """Name the events that have one of these values, by what they are and lists of ids in JSON; None for many."""
    found = _places(connection, ids)
    return None if found is None else _named(found)


def _named(places: Iterable[int]) -> Sql:
    return Sql(f"c.seq IN ({_IDS})", (json.dumps(sorted(places)),))


def _gather(connection: sqlite3.Connection, needle: str, ids: Mapping[str, str]) -> set[int] | None:
    """Give the places of all events that hold the text, or None when they are many, or nobody knows how many."""
    candidates = _candidates(connection, needle)
    found = None if candidates is None else _places(connection, ids)
    if found is None:
        return None
    wordings = (
        f"SELECT c.seq FROM json_each(?) j CROSS JOIN wordings w ON w.id = j.value "  # noqa: S608 - names of ours
        f"CROSS JOIN events c ON c.wording = w.id WHERE {_FITS} LIMIT {GATHERED + 1}"
    )
    found.update(_column(connection, wordings, json.dumps(candidates), needle))
    return found if len(found) <= GATHERED else None


def _places(connection: sqlite3.Connection, ids: Mapping[str, str]) -> set[int] | None:
    left = GATHERED
    given = {name: values for name, values in ids.items() if values != "[]"}
    for name, values in given.items():
        sql = f"SELECT total(events) FROM {_EVENTS[name][0]} WHERE {name} IN ({_IDS})"  # noqa: S608 - names of ours
        left -= connection.execute(sql, (values,)).fetchone()[0]
        if left < 0:
            return None
    found: set[int] = set()
    for name, values in given.items():
        sql = f"SELECT c.seq FROM events c WHERE {_EVENTS[name][1].format(ids=_IDS)}"  # noqa: S608 - names of ours
        found.update(_column(connection, sql, values))
    return found


def _candidates(connection: sqlite3.Connection, needle: str) -> Sequence[int] | None:
    """Give the wordings with all (or many) of the pieces that the text is made of; None for too many or too short."""
    pieces = _pieces(grams(needle))
    if not pieces:
        return None
    wanted = " AND ".join(f'"{piece.replace(chr(34), chr(34) * 2)}"' for piece in pieces)
    sql = "SELECT rowid FROM wordings_grams WHERE wordings_grams MATCH ? LIMIT ?"
    found = _column(connection, sql, wanted, GATHERED + 1)
    return None if len(found) > GATHERED else found


def _pieces(text: str) -> Sequence[str]:
    pieces = list(dict.fromkeys(text[place : place + _GRAM] for place in range(len(text) - _GRAM + 1)))
    step = max(len(pieces) / _MOST_GRAMS, 1)
    return [pieces[int(place * step)] for place in range(min(len(pieces), _MOST_GRAMS))]


def _tried(needle: str, ids: dict[str, str]) -> Sql:
    """Compare one event after the other, by its ids first: its words are farther away."""
    columns = {"info": "p.info", "trail": "p.trail", "source": "p.source", "facet": "p.facet"}
    columns["destination"] = "+c.destination"
    parts = [Sql(f"{column} IN ({_IDS})", (ids[name],)) for name, column in columns.items() if ids[name] != "[]"]
    fits = f"EXISTS (SELECT 1 FROM wordings w WHERE w.id = c.wording AND {_FITS})"  # noqa: S608 - names of ours
    every = [*parts, Sql(fits, (needle,))]
    return Sql(
        f"({' OR '.join(f'coalesce({part.text}, 0)' for part in every)})",
        tuple(value for part in every for value in part.values),
    )


def _column(connection: sqlite3.Connection, sql: str, *values: str | int) -> list[int]:
    rows: Iterable[tuple[int]] = connection.execute(sql, values)
    return [value for (value,) in rows]
