"""One problem that comes again and again is said once in a while, with how often it came meanwhile."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import structlog

EVERY = 60.0  # Seconds in which the same problem of the same thing is said once,
ALIKE = 20  # and the same problem of whatever things so many times.
REMEMBERED = 1024  # Problems.
# What tells one problem from another; all else (reasons, counts, pauses) varies within one.
_THING = ("path", "sensor", "log", "trouble", "setting", "url", "start")
_SEVERE = ("warning", "error", "exception", "critical")
_Key = tuple[str, ...]


class _Turn:
    """How often a problem was said and kept back since when."""

    __slots__ = ("kept_back", "said", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.said = 0
        self.kept_back = 0


class Seldom:
    """A processor of structlog. It takes bounded memory and may be used by several threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turns: OrderedDict[_Key, _Turn] = OrderedDict()
        self._lock = Lock()

    def __call__(
        self,
        logger: structlog.typing.WrappedLogger,  # noqa: ARG002 - the signature is structlog's
        method: str,
        event: structlog.typing.EventDict,
    ) -> structlog.typing.EventDict:
        """Let an event pass, with `repeated` when it was kept back before. Raises `DropEvent` for one that is not."""
        if method not in _SEVERE:
            return event
        said = str(event.get("event", ""))
        thing = tuple(f"{name}={event[name]}" for name in _THING if name in event)
        with self._lock:
            repeated = self._take((said, *thing), 1)
            alike = self._take((said,), ALIKE) if thing and repeated is not None else 0
        if repeated is None or alike is None:
            raise structlog.DropEvent
        if repeated:
            event["repeated"] = repeated
        if alike:
            event["others_like_it"] = alike
        return event

    def _take(self, key: _Key, most: int) -> int | None:
        """Give how many were kept back since it was said last; None when this one is to be kept back, too."""
        moment = self._clock()
        turn = self._turns.pop(key, None)
        kept_back = 0
        if turn is None or moment - turn.since >= EVERY:
            kept_back = turn.kept_back if turn is not None else 0
            turn = _Turn(moment)
        self._turns[key] = turn
        while len(self._turns) > REMEMBERED:
            self._turns.popitem(last=False)
        if turn.said >= most:
            turn.kept_back += 1
            return None
        turn.said += 1
        return kept_back
