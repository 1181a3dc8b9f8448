"""What is remembered of values for longer than a window: in which form each column's values are the same."""

import re
from collections.abc import Callable, Mapping

from matchers.heuristics.lookups import zone
from trailhound import canonical

_DIGITS = re.compile(r"\d+(?:[._]\d+)*")
_LONGEST = 256


def domain(text: str) -> str | None:
    """Give the domain of a name, None for what is no name that anybody could own."""
    name = canonical.name(text)
    return zone(name) if name is not None else None


def program(text: str) -> str | None:
    """Give a user agent without versions, which change all the time."""
    return _DIGITS.sub("#", text)[:_LONGEST] or None


# By column; values of others are remembered as they are.
_FORMS: Mapping[str, Callable[[str], str | None]] = {
    "query": domain,
    "host": domain,
    "server_name": domain,
    "user_agent": program,
}


def form(column: str, text: str) -> str | None:
    """Give what is remembered of a value of a column, None when that is nothing."""
    make = _FORMS.get(column)
    return make(text) if make is not None else text[:_LONGEST]
