"""What an export is: trails in, pieces of text out, one after the other, so that memory does not grow with the set."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from trailhound.trail import Trail, TrailKind

# All identifiers of exports are made from this one: the same trail has the same identifier in every export.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://trailhound.invalid/exports")
# The file a piece belongs to (empty for the only one of an export), and its text.
Piece: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an export is told beside its trails.

    `made` (seconds since the epoch) is when the set was made: what formats need as a version or a date. `name` tells
    one export from another where a format asks for an identifier of the whole. `sids` are the first and the last number
    that rules may have, `zone` is the name of the response policy zone.
    """

    made: int
    name: str = "trailhound"
    sids: tuple[int, int] = (1_000_000, 1_999_999)
    zone: str = "rpz.trailhound"


@dataclass(frozen=True, slots=True)
class Export:
    """How to write one format.

    `kinds` are what it can say; other trails are not given to it. With `folder` it makes several files. `write` may
    raise `SettingsError` when the wishes cannot be met.
    """

    about: str
    kinds: frozenset[TrailKind]
    write: Callable[[Iterable[Trail], Wishes], Iterator[Piece]]
    folder: bool = False


def identifier(what: str) -> str:
    return str(uuid.uuid5(NAMESPACE, what))


def of_trail(trail: Trail) -> str:
    return identifier(f"{trail.kind.value} {trail.value}")


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
