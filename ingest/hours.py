"""In which hour the rows of a batch happened: mostly in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import cast

from ingest.moments import LAST_SECOND, microseconds
from trailhound.errors import RecordError
from trailhound.record import MICROSECONDS

SECONDS = 3600
_HOUR = SECONDS * MICROSECONDS
# An ISO 8601 time with six digits behind the second: what comes before its seconds, and where its zone begins.
_HOUR_END, _MINUTE, _ZONE = 13, 16, 26
_zone = itemgetter(slice(_ZONE, None))


@dataclass(frozen=True, slots=True)
class Hours:
    """The hour (since the epoch) of a batch, and the rows that happened in others, with theirs."""

    main: int
    odd: Sequence[tuple[int, int]] = ()


def hours_of(moments: Sequence[object]) -> Hours | None:
    """Tell the hours of times as logs write them; None when there are none."""
    if not moments:
        return None
    if isinstance(moments[0], str) and _are_alike(moments, moments[0]):
        hour = _hour(moments[0])
        if hour is not None:
            return Hours(hour)
    try:
        first, last = min(moments), max(moments)  # type: ignore[type-var] # what cannot be compared is no time
    except TypeError:  # Numbers and texts, or something that is none of both.
        return _of_each([_hour(moment) for moment in moments])
    if isinstance(first, float) and isinstance(last, float) and first >= 0 and last <= LAST_SECOND:
        return hours_of_seconds(cast("Sequence[float]", moments))
    if isinstance(first, str) and isinstance(last, str):
        return _of_texts(cast("Sequence[str]", moments), first, last)
    return _of_each([_hour(moment) for moment in moments])


def _are_alike(times: Sequence[object], first: str) -> bool:
    """Tell whether all times are texts of one form, hour and zone: the usual case, for the price of one text."""
    try:
        text = "".join(times)  # type: ignore[arg-type] # what is no text is found out by that
    except TypeError:
        return False
    number, zone = len(times), first[_ZONE:]
    return (
        bool(zone)
        and len(text) == number * len(first)
        and text.count(first[:_HOUR_END]) == number
        and text.count(zone) == number
    )


def hours_of_seconds(times: Sequence[float]) -> Hours:
    """Tell the hours of times that are known to be such, in seconds since the epoch."""
    main = int(times[len(times) // 2] // SECONDS)
    start, end = main * SECONDS, (main + 1) * SECONDS
    if min(times) >= start and max(times) < end:
        return Hours(main)
    return Hours(main, [(row, int(time // SECONDS)) for row, time in enumerate(times) if not start <= time < end])


def _of_texts(times: Sequence[str], first: str, last: str) -> Hours | None:
    # What lies between two texts begins as both do.
    if first[:_HOUR_END] == last[:_HOUR_END] and len(set(map(_zone, times))) == 1:
        hour, other = _hour(first), _hour(last)
        if hour is not None and hour == other:
            return Hours(hour)
    # A text is read once for each minute and zone: to read all of them takes ten times as long.
    known: dict[str, int | None] = {}
    found: list[int | None] = []
    for time in times:
        minute = time[:_MINUTE] + time[_ZONE:] if len(time) > _ZONE else time
        if minute not in known:
            known[minute] = _hour(time)
        found.append(known[minute])
    return _of_each(found)


def _of_each(found: Sequence[int | None]) -> Hours | None:
    main = found[len(found) // 2]
    if main is None:
        main = next((hour for hour in found if hour is not None), None)
    if main is None:
        return None
    if found.count(main) == len(found):
        return Hours(main)
    # A row whose time nobody can read is taken for one of its neighbours.
    return Hours(main, [(row, hour) for row, hour in enumerate(found) if hour is not None and hour != main])


def _hour(moment: object) -> int | None:
    try:
        return microseconds(moment) // _HOUR
    except RecordError:
        return None
