"""The one table of severities, written out."""

import pytest

from trailhound.severity import Direction, Severity, severity
from trailhound.trail import TrailClass

L, M, H, C = Severity
# For each class: inbound (answered, cannot tell, unanswered), then any other direction (the same).
TABLE = {
    TrailClass.MALWARE: ((H, H, M), (H, H, M)),
    TrailClass.C2: ((H, H, M), (C, C, M)),
    TrailClass.PHISHING: ((H, H, H), (H, H, M)),
    TrailClass.EXPLOIT: ((H, H, H), (H, H, M)),
    TrailClass.ATTACKER: ((M, L, L), (M, M, L)),
    TrailClass.SCANNER: ((L, L, L), (L, L, L)),
    TrailClass.SPAM: ((L, L, L), (L, L, L)),
    TrailClass.ANONYMIZER: ((M, L, L), (M, M, L)),
    TrailClass.SUSPICIOUS: ((M, M, M), (M, M, L)),
    TrailClass.POLICY: ((L, L, L), (L, L, L)),
    TrailClass.SINKHOLE: ((H, H, M), (H, H, M)),
    TrailClass.PARKED: ((L, L, L), (L, L, L)),
    TrailClass.HEURISTIC: ((M, M, M), (M, M, L)),
}
OUTCOMES = (True, None, False)


def test_the_table_has_every_class() -> None:
    assert set(TABLE) == set(TrailClass)


@pytest.mark.parametrize("class_", TrailClass)
@pytest.mark.parametrize("direction", Direction)
def test_a_match_of_middling_confidence_is_this_severe(class_: TrailClass, direction: Direction) -> None:
    expected = TABLE[class_][direction is not Direction.INBOUND]
    assert tuple(severity(class_, 60, direction, answered=outcome) for outcome in OUTCOMES) == expected


@pytest.mark.parametrize("class_", TrailClass)
def test_great_confidence_lifts_answered_signs_of_infection_that_went_out(class_: TrailClass) -> None:
    lifted = {TrailClass.MALWARE, TrailClass.SINKHOLE}
    for direction in Direction:
        before, after = (severity(class_, confidence, direction, answered=True) for confidence in (89, 90))
        assert (after > before) == (class_ in lifted and direction is not Direction.INBOUND)
        assert severity(class_, 100, direction, answered=None) == severity(class_, 60, direction, answered=None)


@pytest.mark.parametrize("class_", TrailClass)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_little_confidence_lowers_by_one_level_at_most(class_: TrailClass, outcome: bool | None) -> None:  # noqa: FBT001
    levels = tuple(Severity)
    for direction in Direction:
        weak, sure = (levels.index(severity(class_, n, direction, answered=outcome)) for n in (29, 30))
        assert sure - weak == (1 if sure else 0)


def test_the_numbers_are_elastics_own() -> None:
    assert {level.label: int(level) for level in Severity} == {"low": 21, "medium": 47, "high": 73, "critical": 99}
