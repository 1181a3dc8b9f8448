"""Whether a trail is in force at all, whatever meets it: by its time, its class and its confidence."""

from dataclasses import dataclass
from datetime import UTC, datetime

from trailhound.record import MICROSECONDS
from trailhound.trail import Trail, TrailClass


@dataclass(frozen=True, slots=True)
class Standing:
    """What the settings ask of a trail for it to count."""

    ignored: frozenset[TrailClass] = frozenset()
    min_confidence: int = 0

    def hides(self, trail: Trail, time: int | None) -> str:
        """Say why a trail does not count for a record of this time (microseconds); empty when it does.

        A record is judged by its own time: what was right when it was written is found in an archive too. Without a
        time no trail is expired.
        """
        if trail.expires is not None and time is not None and time > trail.expires * MICROSECONDS:
            return f"expired {moment(trail.expires)}"
        if trail.class_ in self.ignored:
            return f"class filter: trails.ignore_classes has {trail.class_.value}"
        if trail.confidence < self.min_confidence:
            return f"its confidence of {trail.confidence} is less than trails.min_confidence = {self.min_confidence}"
        return ""


def moment(seconds: int) -> str:
    """Write seconds since the epoch for people."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
