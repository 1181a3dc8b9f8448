import pytest

from stores.threat import risk, threat_id
from trailhound.severity import Severity
from trailhound.trail import TrailKind


def test_the_id_of_a_threat_never_changes() -> None:
    assert threat_id("192.168.1.10", TrailKind.DOMAIN, "evil.example") == "1093baefec9aaa80"


def test_threats_of_other_sources_kinds_or_trails_have_other_ids() -> None:
    facts = [
        ("192.168.1.10", TrailKind.DOMAIN, "evil.example"),
        (None, TrailKind.DOMAIN, "evil.example"),
        ("192.168.1.10", TrailKind.URL, "evil.example"),
        ("192.168.1.10", TrailKind.DOMAIN, "bad.example"),
        ("192.168.1.10", TrailKind.DOMAIN, "\ud800"),
    ]
    ids = {threat_id(*fact) for fact in facts}
    assert len(ids) == len(facts)
    assert all(len(name) == 16 and int(name, 16) >= 0 for name in ids)


def test_severity_decides_and_repetition_breaks_the_tie() -> None:
    assert risk(Severity.LOW, 10**30) < risk(Severity.MEDIUM, 1)
    assert risk(Severity.HIGH, 1) < risk(Severity.HIGH, 2) < risk(Severity.HIGH, 1_000)


@pytest.mark.parametrize("count", [0, 1])
def test_what_happened_once_weighs_its_severity(count: int) -> None:
    assert risk(Severity.CRITICAL, count) == 99_000
