"""Conditions on events, as the API takes them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

Words = str | Sequence[str]
Moment = str | datetime
# As httpx takes them; all are texts.
Parameters = list[tuple[str, str | int | float | bool | None]]


class Conditions(TypedDict, total=False):
    """Which events: all that are given must hold; several values of one condition are alternatives.

    A time is a `datetime`, ISO 8601, or how long ago, such as `6h`. `q` is text;
    `search` is a search as in the console.
    """

    severity: Words
    group: Words
    kind: Words
    class_: Words
    direction: Words
    source: Words
    destination: Words
    trail: Words
    info: Words
    sensor: Words
    dataset: Words
    protocol: Words
    q: str
    search: str
    since: Moment
    until: Moment


def parameters(given: Mapping[str, Any]) -> Parameters:
    """Write parameters of a query; those that are None are left out."""
    found: Parameters = []
    for name, value in given.items():
        if value is None:
            continue
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        found += [(name.rstrip("_"), text(one)) for one in several]
    return found


def text(value: object) -> str:
    if isinstance(value, datetime):
        # A time without a zone is one of this host, as everywhere in Python.
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
