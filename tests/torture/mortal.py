"""`trailhound` that dies at a certain boundary: the real command line, around calls of which one is the last.

python -m tests.torture.mortal BOUNDARY CALL MOODS [ARGUMENT]...

It dies at the CALL-th time that BOUNDARY is met, should that be one. MOODS is a seed by which the store fails, answers
in part, or answers and is not heard; with 0 it has none.
"""

import functools
import importlib
import os
import random
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stores.contract import Acknowledgement
from stores.embedded.writer import Writer
from trailhound.cli import main
from trailhound.errors import StorePartly, StoreUnavailable
from trailhound.event import Event


@dataclass(frozen=True, slots=True)
class Boundary:
    """A call that is the last one: it is not begun any more (`before`), or its answer is never heard."""

    module: str
    name: str
    before: bool
    # A look at a file that gave nothing is no boundary.
    counts_nothing: bool = True


BOUNDARIES = {
    "after a read": Boundary("ingest.tail", "Tail.read", before=False, counts_nothing=False),
    "before a save": Boundary("ingest.positions", "save", before=True),
    "before a save is on disk": Boundary("os", "fsync", before=True),
    "before a save takes the place of the old one": Boundary("os", "replace", before=True),
    "after a save has taken the place of the old one": Boundary("os", "replace", before=False),
    "after a save": Boundary("ingest.positions", "save", before=False),
    "before events are stored": Boundary("stores.embedded.writer", "Writer.append", before=True),
    "after events are stored": Boundary("stores.embedded.writer", "Writer.append", before=False),
    "before dead letters are written": Boundary("ingest.deadletters", "DeadLetters.write", before=True),
    "after dead letters are written": Boundary("ingest.deadletters", "DeadLetters.write", before=False),
    "before a stretch is taken for done": Boundary("ingest.tail", "Tail.advance", before=True),
    "after a stretch is taken for done": Boundary("ingest.tail", "Tail.advance", before=False),
}


def arm(boundary: Boundary, call: int) -> None:
    """Put a call that kills in the place of the real one."""
    owner: Any = importlib.import_module(boundary.module)
    *path, name = boundary.name.split(".")
    for part in path:
        owner = getattr(owner, part)
    setattr(owner, name, _last(getattr(owner, name), boundary, call))


def _last(work: Callable[..., Any], boundary: Boundary, call: int) -> Callable[..., Any]:
    calls = 0

    @functools.wraps(work)
    def dying(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        if boundary.before and calls + 1 == call:
            _die()
        answer = work(*arguments, **options)
        calls += boundary.counts_nothing or answer is not None
        if calls == call:
            _die()
        return answer

    return dying


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def upset(seed: int) -> None:
    """Give the real store moods."""
    chance = random.Random(seed)
    keep = Writer.append

    def moody(writer: Writer, events: Sequence[Event]) -> Acknowledgement:
        mood = chance.random()
        if mood < 0.15:
            raise StoreUnavailable("the store is in a bad mood")
        if mood < 0.3:
            keep(writer, events)
            raise StoreUnavailable("the answer got lost")
        if mood < 0.5:
            kept = [event for event in events if chance.random() < 0.5]
            keep(writer, kept)
            raise StorePartly("some other time", {event.id for event in events} - {event.id for event in kept})
        return keep(writer, events)

    Writer.append = moody  # type: ignore[method-assign, assignment] # what it is here for


if __name__ == "__main__":
    boundary = BOUNDARIES.get(sys.argv[1])
    if sys.argv[3] != "0":
        upset(int(sys.argv[3]))
    if boundary is not None:
        arm(boundary, int(sys.argv[2]))
    sys.argv[1:] = sys.argv[4:]
    main()
