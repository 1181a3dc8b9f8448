"""Times and durations as people write them in a URL. All are microseconds since the epoch once read."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

from trailhound.record import MICROSECONDS

Clock = Callable[[], int]
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"([0-9]{1,7})([smhdw])")
_EPOCH = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
# `+` in a URL is a space: an offset that was not escaped arrives like this.
_LOST_PLUS = re.compile(r"(T\S+) (\d\d:?\d\d)$")
_LAST_SECOND = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
DURATION_FORM = "a whole number and one of s, m, h, d, w, such as 24h"
MOMENT_FORM = f"ISO 8601 such as 2026-02-01T12:00:00Z, seconds since the epoch, or how long ago: {DURATION_FORM}"


def wall_clock() -> int:
    """Give the time now."""
    return time.time_ns() // 1000


def duration(text: str) -> int:
    """Read a duration such as `24h`. Raises ValueError, also for none at all."""
    match = _DURATION.fullmatch(text)
    if match is None or not int(match[1]):
        raise ValueError(f"{text!r} is not {DURATION_FORM}")
    return int(match[1]) * _UNITS[match[2]] * MICROSECONDS


def moment(text: str, now: int) -> int:
    """Read a point in time; a duration means that long before `now`. Raises ValueError."""
    if _EPOCH.fullmatch(text):
        time_ = round(float(text) * MICROSECONDS)
    elif _DURATION.fullmatch(text):
        time_ = max(0, now - duration(text))
    else:
        time_ = _iso(text)
    if not 0 <= time_ <= _LAST_SECOND * MICROSECONDS:
        raise ValueError(f"{text!r} is outside of the years 1970 to 9999; seconds are expected, not milliseconds")
    return time_


def _iso(text: str) -> int:
    try:
        parsed = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text))
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return round(aware.timestamp() * MICROSECONDS)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not {MOMENT_FORM}") from error
