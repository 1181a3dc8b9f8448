"""Times as lists write them."""

import re
from datetime import UTC, datetime

from trailhound.errors import TrailError

_NUMBER = re.compile(r"\d{1,13}(?:\.\d+)?")
_SPAN = re.compile(r"([1-9]\d{0,4})([mhdw])")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_NEVER = frozenset({"", "-", "none", "null", "n/a", "never"})


def seconds(text: str) -> int | None:
    """Read a time as seconds since the epoch: ISO 8601 (also with a blank, and `UTC` behind it), seconds, milliseconds.

    None when there is none. Raises `TrailError` when it cannot be read.
    """
    text = text.strip()
    if text.lower() in _NEVER:
        return None
    if _NUMBER.fullmatch(text):
        number = float(text)
        return int(number / 1000 if number > 1e11 else number) or None
    plain = text.removesuffix("UTC").removesuffix("GMT").strip()
    try:
        moment = datetime.fromisoformat(plain)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise TrailError(f"{text[:80]!r} is no time; expected ISO 8601 or seconds since 1970") from error


def span(text: str) -> int:
    """Read `30m`, `12h`, `7d`, `4w` as seconds. Raises `ValueError`."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r}; expected a time such as 30m, 12h, 7d, 4w")
    return int(found[1]) * _SECONDS[found[2]]
