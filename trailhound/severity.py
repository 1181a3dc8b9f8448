"""The one rule for severity, worked out once, when an event is made.

A class of trail has a base level. What happened moves it:

- inbound from an attacker, scanner, spammer or anonymizer that nothing answered: low;
- unanswered otherwise, when the class means infection or the call went out: one level down, it may be a dead host;
- out to command and control, unless it is known that nothing answered: one level up;
- out to any other sign of infection, answered, with confidence of 90 or more: one level up;
- confidence under 30: one level down.

The numbers are Elastic's own (21, 47, 73, 99), so that its stock rules map them.
"""

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
WEAK_CONFIDENCE = 30
STRONG_CONFIDENCE = 90


def severity(class_: TrailClass, confidence: int, direction: Direction, *, answered: bool | None) -> Severity:
    """Rate a match.

    `answered` says whether the other side replied; None means that the log cannot tell.
    """
    level = _LEVELS.index(_BASE[class_])
    if direction is Direction.INBOUND:
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
