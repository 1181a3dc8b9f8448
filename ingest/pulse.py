"""What is waited for, since when, and what a run says of itself while it lives."""

import time
from dataclasses import dataclass

import structlog

from ingest.heartbeat import now
from trailhound.event import timestamp

MISSED_SECONDS = 5.0  # For so long heartbeats may fail to be stored before that is told.
_log = structlog.get_logger("ingest")


@dataclass(frozen=True, slots=True)
class Pulse:
    """A sign of life. `trouble` says in a sentence what keeps reading or heartbeats from going on, if anything does."""

    logs: int
    lag_bytes: int
    lag_seconds: float
    trouble: str | None

    def __str__(self) -> str:
        if self.trouble is not None:
            return self.trouble
        return f"{self.logs:,} logs followed, {self.lag_bytes:,} bytes unread"


class Troubles:
    """What is waited for, each since when."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[int, str]] = {}
        self._missed: tuple[float, int, str] | None = None

    def note(self, trouble: str, reason: str) -> None:
        since, _ = self._since.get(trouble, (now(), ""))
        self._since[trouble] = (since, reason)

    def over(self, trouble: str) -> None:
        found = self._since.pop(trouble, None)
        if found is not None:
            _log.info("going on", trouble=trouble, waited=round((now() - found[0]) / 1e6, 1))

    def missed(self, reason: str) -> None:
        """Note that a heartbeat could not be stored."""
        began, since, _ = self._missed or (time.monotonic(), now(), "")
        self._missed = (began, since, reason)

    def met(self) -> None:
        self._missed = None

    @property
    def stopped(self) -> str | None:
        """Say why reading has stopped."""
        for trouble, (since, reason) in self._since.items():
            return f"{trouble} since {timestamp(since)}, reading has stopped: {reason}"
        return None

    @property
    def worst(self) -> str | None:
        """Say why reading has stopped, or else that heartbeats are not stored."""
        if self.stopped is None and self._missed is not None:
            began, since, reason = self._missed
            if time.monotonic() - began > MISSED_SECONDS:
                return f"heartbeats cannot be stored since {timestamp(since)}: {reason}"
        return self.stopped
