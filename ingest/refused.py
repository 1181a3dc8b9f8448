"""Events that the store will never take as they are: dead letters too, with the event itself where others have a line.

A replay gives the event to the store once more: after an update, or to another store.
"""

import json
from dataclasses import asdict
from typing import Any

import msgspec

from ingest.batch import Known, bad
from ingest.deadletters import DeadLetters, Letter
from trailhound.event import Event

FORMAT = "event"  # In place of the format of a log.


def bury(letters: DeadLetters, event: Event, reason: str, now: str) -> None:
    """Write an event to the dead letters. May raise `OSError`; then nothing was written."""
    file = event.ecs.get("log.file.path")
    known = Known(FORMAT, event.dataset, "")
    line = bad(0, f"the store refuses the event: {reason}", _written(event), known)
    letters.write(event.sensor, file if isinstance(file, str) and file else event.dataset, [line], now)


def is_event(letter: Letter) -> bool:
    """Tell whether a letter holds an event in place of a line."""
    return letter.known is not None and letter.known.format == FORMAT


def event_of(letter: Letter) -> Event | None:
    """Read the event in a letter, None when it holds none that we know how to read."""
    try:
        return msgspec.convert(json.loads(letter.raw), Event)
    except (ValueError, msgspec.ValidationError, RecursionError):
        return None


def _written(event: Event) -> bytes:
    # In ASCII, since texts of logs may be no UTF-8.
    return json.dumps(asdict(event), default=_plain).encode("ascii")


def _plain(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)
