"""What others have detected: logs of which each record is an event of its own, though it meets no trail.

Nothing is detected here: a detector only translates what Zeek or Suricata says in such a log into our words.
"""

from collections.abc import Callable
from dataclasses import dataclass

from matchers.observer import Observer, Sight, Sighting
from matchers.rules import Meeting
from trailhound import canonical
from trailhound.record import Record
from trailhound.severity import Severity
from trailhound.trail import Trail, TrailClass, TrailKind

UNRATED = 50  # The confidence of what says nothing of how sure it is.


@dataclass(frozen=True, slots=True)
class Detector:
    """One log that may be taken in.

    `name` is what the setting calls it, `file` a name that such a log has. `observer` says what the records mean in
    ECS, and which of their values are looked at beside. `detected` gives what a record is an event of, None when it
    does not say. `placed` gives the record with both ends of its connection where they are looked for.
    """

    name: str
    file: str
    observer: Observer
    detected: Callable[[Record], Meeting | None]
    placed: Callable[[Record], Record] = lambda record: record


def rule_met(
    name: str | None,
    info: str,
    class_: TrailClass,
    source: str,
    *,
    confidence: int = UNRATED,
    rating: Severity | None = None,
    said: str = "",
) -> Meeting | None:
    """Make an event of a rule that fired; None when the record does not name it.

    `info` says what the rule is about, `said` what it said this time, `source` who has the rule.
    """
    name = (name or "").strip()[: canonical.MAX_TEXT]
    if not name:
        return None
    trail = Trail(TrailKind.RULE, name, info, class_, (source,), "", confidence)
    return Meeting(Sighting(Sight.DETECTION, name, "rule.name"), trail, name, rating, said[: canonical.MAX_TEXT])
