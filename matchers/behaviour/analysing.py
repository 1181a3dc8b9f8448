"""Behaviours at work: each looks through a window, and a failure of one is no failure of the others."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

import structlog

from matchers.behaviour.behaviour import Chosen, Seen
from matchers.behaviour.window import Window

MOST_FOUND = 1000  # Of one behaviour in a window: more than that nobody looks through.
_log = structlog.get_logger("behaviour")


@dataclass(slots=True)
class Analysed:
    """What was found in a window, how long each behaviour took (seconds), and which could not be looked for."""

    seen: list[Seen] = field(default_factory=list)
    spent: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def analyse(window: Window, chosen: Iterable[Chosen]) -> Analysed:
    """Look for all that is chosen."""
    analysed = Analysed()
    for one in chosen:
        begun = time.perf_counter()
        try:
            seen = list(_seen(window, one))
        except Exception as error:  # noqa: BLE001 - a plug-in may fail in any way; the analyses of all others go on.
            analysed.failed[one.behaviour.name] = repr(error)
            _log.exception("behaviour cannot be looked for", behaviour=one.behaviour.name, reason=repr(error))
        else:
            analysed.seen += seen
        analysed.spent[one.behaviour.name] = time.perf_counter() - begun
    return analysed


def _seen(window: Window, one: Chosen) -> Iterable[Seen]:
    behaviour = one.behaviour
    for log, row, found in islice(behaviour.analyse()(one.thresholds, window), MOST_FOUND):
        frame = window.frames[log]
        yield Seen(
            behaviour.name,
            found,
            log,
            module=str(frame["module"].iloc[row]),
            sensor=str(frame["sensor"].iloc[row]),
            time=int(frame["ts"].iloc[row]),
            fields=window.fields(log, row),
        )
