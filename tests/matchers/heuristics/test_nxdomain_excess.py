"""Clients that ask for too many names that do not exist."""

import ipaddress
import random

import pytest

from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.heuristics.questions import FORMATS, Question, denied, found, watched, watched_by
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_NAME = "nxdomain-excess"
_UNDER = [f"host{number}.example.com" for number in range(21)]
_ACROSS = [f"www.site{number}.{suffix}" for number, suffix in enumerate(["com", "net", "co.uk"] * 9)][:26]


@pytest.mark.parametrize("format_", FORMATS)
def test_many_names_under_one_zone_are_one_event_about_the_zone(format_: str) -> None:
    (event,) = found(watched(_NAME), format_, denied(_UNDER))
    assert (event.source_ip, event.trail.kind, event.trail.value) == ("10.0.0.7", TrailKind.DOMAIN, "example.com")
    assert event.count == 21
    assert event.message == (
        "10.0.0.7 asked for 21 names under example.com that do not exist: excessive no such domain"
    )
    assert event.severity is Severity.LOW


@pytest.mark.parametrize("format_", FORMATS)
def test_names_in_many_zones_are_one_event_about_the_client(format_: str) -> None:
    (event,) = found(watched(_NAME), format_, denied(_ACROSS))
    assert (event.trail.kind, event.trail.value, event.severity) == (TrailKind.RULE, _NAME, Severity.MEDIUM)
    assert "26 zones" in event.message


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "questions",
    [
        denied(_UNDER[:20]),
        denied(_UNDER[:3] * 20),
        denied(_ACROSS[:25]),
        denied(_UNDER, step=200),
        [Question(name, place, code="SERVFAIL") for place, name in enumerate(_UNDER)],
        [Question(name, place, code="NXDOMAIN", port=5353) for place, name in enumerate(_UNDER)],
        denied([f"{number}.0.0.10.in-addr.arpa" for number in range(50)]),
        denied([f"printer{number}.corp" for number in range(50)]),
        denied([f"{number}.2.0.192.zen.example.org" for number in range(50)]),
        denied([f"www.site{number}.com.corp.example.com" for number in range(50)]),
        denied([f"{number}.spamhaus.org" for number in range(50)]),
        denied([f"pc{number}" for number in range(50)]),
        [one for place, name in enumerate(_UNDER) for one in denied([name], f"10.0.0.{place}", start=place)],
    ],
    ids=[
        "one name less",
        "repeats",
        "one zone less",
        "slower than the window",
        "another error",
        "neighbours",
        "reverse",
        "local",
        "black list",
        "search suffix",
        "reputation",
        "single labels",
        "a name a client",
    ],
)
def test_near_misses_are_silent(format_: str, questions: list[Question]) -> None:
    assert found(watched(_NAME), format_, questions) == []


def test_order_within_the_slack_makes_no_difference() -> None:
    questions = denied(_UNDER, step=10)
    random.Random(3).shuffle(questions)
    (event,) = found(watched(_NAME), "zeek-tsv", questions)
    assert event.count == 21


def test_a_client_is_told_of_once_in_a_window() -> None:
    machine = watched(_NAME)
    many = [f"host{number}.example.com" for number in range(60)]
    assert len(found(machine, "zeek-tsv", denied(many))) == 1
    assert found(machine, "zeek-tsv", denied(many, start=600)) == []
    assert len(found(machine, "zeek-tsv", denied([f"x{name}" for name in many], start=90_000))) == 1


def test_what_is_whitelisted_or_muted_is_silent() -> None:
    network = ipaddress.ip_network("10.0.0.0/24")
    assert found(watched(_NAME, allowed="example.com\n"), "zeek-tsv", denied(_UNDER)) == []
    for mute in (Mute(rule=_NAME, source=network), Mute(value="example.com"), Mute(below=50)):
        assert found(watched(_NAME, muted=Mutes([mute])), "zeek-tsv", denied(_UNDER)) == []
    assert len(found(watched(_NAME, muted=Mutes([Mute(rule="port-scan")])), "zeek-tsv", denied(_UNDER))) == 1


def test_thresholds_are_the_sites() -> None:
    (event,) = found(watched_by({_NAME: {"names": 5}}), "zeek-tsv", denied(_UNDER[:6]))
    assert event.count == 6


def test_state_is_bounded_in_a_storm() -> None:
    machine = watched(_NAME)
    storm = [
        Question(f"a{number}.zone{number}.com", number / 1000, f"10.{number % 200}.{number // 200}.1", "NXDOMAIN")
        for number in range(40_000)
    ]
    found(machine, "zeek-tsv", storm)
    assert machine.heuristics is not None
    assert 0 < machine.heuristics.held()[_NAME] <= 2 * 20_000 + 20_000 + 50_000 + 2 * 40_000
