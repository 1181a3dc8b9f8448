"""What a search means: conditions on one event each, joined by and, or and not.

An event without a value of a field meets no condition on it, and so meets what is not that condition.
"""

from dataclasses import dataclass
from enum import StrEnum

from stores.addresses import Address
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailClass, TrailKind


class Word(StrEnum):
    """Fields that are compared as a whole, whatever the case of ASCII letters; `*` stands for anything."""

    TRAIL = "trail"
    INFO = "info"
    SENSOR = "sensor"
    DATASET = "dataset"
    PROTOCOL = "protocol"


class Saying(StrEnum):
    """What people say of a threat on the desk."""

    STATUS = "status"
    TAG = "tag"
    NOTE = "note"
    ASSIGNEE = "assignee"


class End(StrEnum):
    """The ends of an event."""

    SOURCE = "source"
    DESTINATION = "destination"


@dataclass(frozen=True, slots=True)
class Severities:
    """The event has one of these severities."""

    values: tuple[Severity, ...]


@dataclass(frozen=True, slots=True)
class Kinds:
    """Its trail is of one of these kinds."""

    values: tuple[TrailKind, ...]


@dataclass(frozen=True, slots=True)
class Classes:
    """Its trail is of one of these classes."""

    values: tuple[TrailClass, ...]


@dataclass(frozen=True, slots=True)
class Directions:
    """It goes in one of these directions."""

    values: tuple[Direction, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A field is one of these words, or fits one of these patterns: in lower case, `*` is anything."""

    field: Word
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trails:
    """Its trail is one of these, letter by letter."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Addresses:
    """An end is in one of these spans: the first and last address of each, of one family."""

    end: End
    spans: tuple[tuple[Address, Address], ...]


@dataclass(frozen=True, slots=True)
class Count:
    """The event stands for at least `low` and at most `high` records; None is open."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Ports:
    """Its source or its destination has a port in one of these spans, the ends included."""

    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """People said this of its threat: one of these words or patterns, in lower case; a note holds one of them.

    No store knows it: `stores.desk.asking` puts the threats in its place before one is asked.
    """

    field: Saying
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Threats:
    """It belongs to one of these threats, by their ids."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """The text is found, whatever its case, where `stores.contract.Query.text` looks."""

    value: str


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold."""

    part: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    """What holds all together; nothing is always so."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """Of which something holds."""

    parts: "tuple[Expression, ...]"


Leaf = Severities | Kinds | Classes | Directions | Words | Trails | Addresses | Ports | Count | Threats | Said | Text
Expression = Leaf | Not | And | Or


_UPPER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def lower(text: str) -> str:
    """Write ASCII letters in lower case: all that every store can do alike."""
    return text.translate(_UPPER)
