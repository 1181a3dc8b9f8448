"""What a reader of trails is given and what it gives back."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from trailhound.trail import Trail, TrailClass, TrailKind

MAX_LINE = 65_536
_MAX_INFO = 200
_MAX_REFERENCE = 500
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]+")


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that did not become a trail, where it stood, and why. Line 0 stands for the whole file."""

    source: str
    line: int
    value: str
    reason: str


Entry: TypeAlias = Trail | Refused


@dataclass(frozen=True, slots=True)
class Origin:
    """Where lines come from, and what holds for all of them unless a line knows better.

    `source` is the name of the list (`Trail.sources`), `place` the file (`Refused.source`). `category` is the folder in
    Maltrail's tree. A class or confidence of None is worked out from `info`. `custom` says that the list is the
    site's own. `kind` is that of all values, when they have one.
    """

    source: str
    place: str
    info: str
    category: str = ""
    class_: TrailClass | None = None
    confidence: int | None = None
    custom: bool = False
    kind: TrailKind | None = None


def _printable(text: str) -> str:
    """Take out what moves the cursor, turns the direction of writing, or is not there to be seen."""
    text = _UNPRINTABLE.sub(" ", text)
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


@lru_cache(maxsize=4096)
def tidy_info(text: str) -> str:
    return _printable(text).strip()[:_MAX_INFO]


@lru_cache(maxsize=4096)
def tidy_reference(text: str) -> str:
    return _printable(text).strip()[:_MAX_REFERENCE]


def refused(origin: Origin, line: int, value: str, reason: str) -> Refused:
    """Make a refusal that is safe to print: the value is cut short and freed of control characters."""
    return Refused(origin.place, line, _printable(value.strip()[:_MAX_INFO]), reason)


def overlong(origin: Origin, line: int, text: str) -> Refused:
    return refused(origin, line, text, f"a line of more than {MAX_LINE} characters")
