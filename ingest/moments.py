"""Times as logs write them: seconds since the epoch, or ISO 8601."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import cast

from trailhound.errors import RecordError
from trailhound.record import MICROSECONDS

# What can be written as a date: up to the end of the year 9999. An event outside would never leave the queue.
_LAST = 253_402_300_799
# A larger number is one of milliseconds (Zeek's `JSON::TS_MILLIS`): as seconds it would lie after the year 5138.
LAST_SECOND = 100_000_000_000


def microseconds(moment: object) -> int:
    """Read a time; a number is seconds or milliseconds.

    Raises `RecordError` when it is none, or lies before 1970 or after 9999.
    """
    if isinstance(moment, float | int) and not isinstance(moment, bool):
        if 0 <= moment <= LAST_SECOND:
            return round(moment * MICROSECONDS)
        if LAST_SECOND < moment <= _LAST * 1000:  # Not so, either, is what is not a number.
            return round(moment * 1000)
        raise RecordError(f"{moment!r} is no time")
    if isinstance(moment, str):
        try:
            parsed = datetime.fromisoformat(moment)
        except ValueError as error:
            raise RecordError(f"{moment[:40]!r} is no time") from error
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=UTC)
        whole = int(parsed.replace(microsecond=0).timestamp())
        if not 0 <= whole <= _LAST:
            raise RecordError(f"{moment[:40]!r} lies before 1970 or after 9999")
        return whole * MICROSECONDS + parsed.microsecond
    raise RecordError("the line has no time")


def are_times(numbers: Sequence[float]) -> bool:
    """Tell whether all numbers are times in seconds, none of them lies before 1970, and none is no number."""
    return isfinite(sum(numbers)) and min(numbers) >= 0 and max(numbers) <= LAST_SECOND


def untimely(moments: Sequence[object]) -> dict[int, str]:
    """Give the places of what is no time, each with the reason; the usual case, that all are, is quick."""
    kinds = set(map(type, moments))
    try:
        if kinds == {float} and are_times(cast("Sequence[float]", moments)):
            return {}
        if kinds == {str}:
            years = [parsed.year for parsed in map(datetime.fromisoformat, cast("Sequence[str]", moments))]
            # By its offset a time may lie in the year before or after.
            if min(years) > 1970 and max(years) < 9999:
                return {}
    except ValueError:
        pass  # One of them is none; the loop below tells which.
    reasons = {}
    for place, moment in enumerate(moments):
        try:
            microseconds(moment)
        except RecordError as error:
            reasons[place] = str(error)
    return reasons
