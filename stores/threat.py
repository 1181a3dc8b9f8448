"""What a threat is called and how much it weighs: the same in every store."""

from math import log10

from trailhound.severity import Severity
from trailhound.threat import threat_id

__all__ = ["risk", "threat_id"]

_MOST = 999.0


def risk(severity: Severity, count: int) -> float:
    """Weigh a threat: severity times 1,000 plus 100 for each power of ten of its count, at most 999.

    It never falls when severity or, within one severity, the count grows.
    """
    return severity * 1000 + min(_MOST, round(100 * log10(max(count, 1)), 2))
