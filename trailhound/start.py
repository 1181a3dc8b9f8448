"""Where to start in logs that were there before: `logs.start`."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator

BEGINNING, END = "beginning", "end"
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d{1,6})([mhdw])")


def start_of(text: str, now: float) -> float | None:
    """Give the time (seconds since the epoch) from when on records count; None for the beginning or the end.

    A duration such as `6h` means that long before `now`. Without an offset a time is UTC. Raises `ValueError`.
    """
    if text in (BEGINNING, END):
        return None
    found = _DURATION.fullmatch(text)
    if found:
        return max(0.0, now - int(found[1]) * _SECONDS[found[2]])
    try:
        moment = datetime.fromisoformat(text)
        return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        expected = "beginning, end, a time such as 2026-01-31T12:00:00Z or a duration such as 6h"
        raise ValueError(f"{expected} was expected") from error


def _checked(text: str) -> str:
    start_of(text, 0.0)
    return text


Start = Annotated[str, AfterValidator(_checked)]
