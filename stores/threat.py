"""What a threat is called and how much it weighs: the same in every store."""

from hashlib import blake2b
from math import log10

from trailhound.severity import Severity
from trailhound.trail import TrailKind

_MOST = 999.0


def threat_id(source: str | None, kind: TrailKind, trail: str) -> str:
    """Name a threat by its source and trail: 16 hexadecimal digits."""
    facts = "\x1f".join((source or "", kind.value, trail))
    return blake2b(facts.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def risk(severity: Severity, count: int) -> float:
    """Weigh a threat: severity times 1,000 plus 100 for each power of ten of its count, at most 999.

    It never falls when severity or, within one severity, the count grows.
    """
    return severity * 1000 + min(_MOST, round(100 * log10(max(count, 1)), 2))
