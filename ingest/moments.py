"""Times as logs write them: seconds since the epoch, or ISO 8601."""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite

from trailhound.errors import RecordError
from trailhound.record import MICROSECONDS


def microseconds(moment: object) -> int:
    """Read a time. Raises `RecordError` when it is none."""
    if isinstance(moment, float | int) and not isinstance(moment, bool):
        try:
            return round(moment * MICROSECONDS)
        except (OverflowError, ValueError) as error:
            raise RecordError(f"{moment!r} is no time") from error
    if isinstance(moment, str):
        try:
            parsed = datetime.fromisoformat(moment)
        except ValueError as error:
            raise RecordError(f"{moment[:40]!r} is no time") from error
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=UTC)
        whole = int(parsed.replace(microsecond=0).timestamp())
        return whole * MICROSECONDS + parsed.microsecond
    raise RecordError("the line has no time")


def untimely(moments: Sequence[object]) -> dict[int, str]:
    """Give the places of what is no time, each with the reason; the usual case, that all are, is quick."""
    try:
        if all(moment.__class__ is float for moment in moments):
            if isfinite(sum(moments)):  # type: ignore[arg-type] # all are floats
                return {}
        elif all(moment.__class__ is str for moment in moments):
            deque(map(datetime.fromisoformat, moments), maxlen=0)  # type: ignore[arg-type] # all are texts
            return {}
    except ValueError:
        pass
    reasons = {}
    for place, moment in enumerate(moments):
        try:
            microseconds(moment)
        except RecordError as error:
            reasons[place] = str(error)
    return reasons
