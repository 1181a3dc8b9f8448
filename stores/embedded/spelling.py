"""From ids back to words, for readers."""

import sqlite3
from collections.abc import Iterable

from stores.contract import Dimension
from stores.embedded.codes import SPELLINGS

_CHUNK = 500
_ADDRESSES = frozenset({Dimension.SOURCE, Dimension.DESTINATION})


def spell(connection: sqlite3.Connection, dimension: Dimension, codes: Iterable[int]) -> dict[int, str]:
    """Give the words for codes or ids of one dimension."""
    if dimension in SPELLINGS:
        return SPELLINGS[dimension]
    if dimension in _ADDRESSES:
        return addresses(connection, codes)
    return texts(connection, codes)


def texts(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, str]:
    return _look_up(connection, "SELECT id, value FROM texts WHERE id IN (?)", ids)


def addresses(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, str]:
    return _look_up(connection, "SELECT id, text FROM addresses WHERE id IN (?)", ids)


def _look_up(connection: sqlite3.Connection, query: str, ids: Iterable[int]) -> dict[int, str]:
    wanted = list(dict.fromkeys(ids))
    found: dict[int, str] = {}
    for begin in range(0, len(wanted), _CHUNK):
        chunk = wanted[begin : begin + _CHUNK]
        found.update(connection.execute(query.replace("?", ", ".join("?" * len(chunk))), chunk).fetchall())
    return found
