"""The one rule for severity, worked out once, when an event is made.

A class of trail has a base level. What happened moves it:

- inbound from an attacker, scanner, spammer or anonymizer that nothing answered: low;
- unanswered otherwise, when the class means infection or the call went out: one level down, it may be a dead host;
- out to command and control, unless it is known that nothing answered: one level up;
- out to any other sign of infection, answered, with confidence of 90 or more: one level up;
- confidence under 30: one level down.

What Suricata fired on has a level of Suricata's own (`RATED`), which stands in place of the class's. It is one level
lower when Suricata blocked it, and with confidence under 30; nothing else moves it, since the signature knew the rest.

The numbers are Elastic's own (21, 47, 73, 99), so that its stock rules map them.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum

from trailhound.trail import TrailClass


class Severity(IntEnum):
    """How urgent an event is. The value is ECS `event.severity`."""

    LOW = 21
    MEDIUM = 47
    HIGH = 73
    CRITICAL = 99

    @property
    def label(self) -> str:
        return self.name.lower()


class Direction(StrEnum):
    """Which way a record went, seen from the home networks. The value is ECS `network.direction`."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"
    EXTERNAL = "external"


_LEVELS = tuple(Severity)
_BASE = {
    TrailClass.MALWARE: Severity.HIGH,
    TrailClass.C2: Severity.HIGH,
    TrailClass.PHISHING: Severity.HIGH,
    TrailClass.EXPLOIT: Severity.HIGH,
    TrailClass.ATTACKER: Severity.MEDIUM,
    TrailClass.SCANNER: Severity.LOW,
    TrailClass.SPAM: Severity.LOW,
    TrailClass.ANONYMIZER: Severity.MEDIUM,
    TrailClass.SUSPICIOUS: Severity.MEDIUM,
    TrailClass.POLICY: Severity.LOW,
    TrailClass.SINKHOLE: Severity.HIGH,
    TrailClass.PARKED: Severity.LOW,
    TrailClass.HEURISTIC: Severity.MEDIUM,
}
_INFECTION = frozenset({TrailClass.MALWARE, TrailClass.C2, TrailClass.SINKHOLE})
_NOISE = frozenset({TrailClass.ATTACKER, TrailClass.SCANNER, TrailClass.SPAM, TrailClass.ANONYMIZER})
# What signatures say of themselves. `severity` is the priority of the signature's class (1 is the most urgent), or
# of the signature itself; `signature_severity` in its metadata is a word of the author's, and comes first.
RATED: Mapping[int | str, Severity] = {
    "critical": Severity.CRITICAL,
    "major": Severity.HIGH,
    "minor": Severity.MEDIUM,
    "informational": Severity.LOW,
    "audit": Severity.LOW,
    1: Severity.HIGH,
    2: Severity.MEDIUM,
    3: Severity.LOW,
    4: Severity.LOW,
}
WEAK_CONFIDENCE = 30
STRONG_CONFIDENCE = 90


def rated(priority: int | None, word: str | None) -> Severity | None:
    """Give the level that a signature has of its own, None when it says nothing that is known."""
    found = RATED.get(word.strip().lower()) if word is not None else None
    return found or (RATED.get(priority) if priority is not None else None)


def severity(
    class_: TrailClass,
    confidence: int,
    direction: Direction,
    *,
    answered: bool | None,
    rating: Severity | None = None,
) -> Severity:
    """Rate a match.

    `answered` says whether the other side replied; None means that the log cannot tell. `rating` is the level that a
    signature has of its own.
    """
    level = _LEVELS.index(_BASE[class_] if rating is None else rating)
    if rating is not None:
        level -= answered is False
    elif direction is Direction.INBOUND:
        if class_ in _NOISE and not answered:
            return Severity.LOW
        if class_ in _INFECTION and answered is False:
            level -= 1
    elif answered is False:
        level -= 1
    elif class_ is TrailClass.C2 or (class_ in _INFECTION and answered and confidence >= STRONG_CONFIDENCE):
        level += 1
    if confidence < WEAK_CONFIDENCE:
        level -= 1
    return _LEVELS[min(max(level, 0), len(_LEVELS) - 1)]
