"""From what a list says of one value to a trail, or to a refusal: the last step of every format of feeds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from feeds.classes import rate, threat_name
from feeds.entry import Entry, Origin, refused, tidy_info, tidy_reference
from feeds.hygiene import refusal
from trailhound.canonical import Indicator
from trailhound.trail import Trail, TrailClass

_LATEST = 2**32 - 1  # In the year 2106.


@dataclass(frozen=True, slots=True)
class Said:
    """What a list says of a value; what it leaves out is the feed's. Times are seconds since the epoch."""

    info: str = ""
    class_: TrailClass | None = None
    confidence: int | None = None
    reference: str = ""
    first_seen: int | None = None
    expires: int | None = None


def entries(found: Iterable[Indicator], said: Said, origin: Origin, line: int, text: str) -> Iterator[Entry]:
    """Make a trail of each reading of a value. `line` is the number of the line or of the item, for people.

    The list's own confidence (0 to 100) is scaled by what the feed is worth.
    """
    info = tidy_info(said.info) or origin.info
    class_ = said.class_ or origin.class_ or rate(info).class_
    worth = rate(info).confidence if origin.confidence is None else origin.confidence
    confidence = worth if said.confidence is None else worth * said.confidence // 100
    for kind, value in found:
        trail = Trail(
            kind,
            value,
            threat_name(info),
            class_,
            (origin.source,),
            tidy_reference(said.reference),
            confidence,
            _bounded(said.first_seen),
            _bounded(said.expires),
            origin.custom,
        )
        reason = refusal(trail)
        yield trail if reason is None else refused(origin, line, text, reason)


def _bounded(moment: int | None) -> int | None:
    return None if moment is None else min(max(moment, 1), _LATEST)
