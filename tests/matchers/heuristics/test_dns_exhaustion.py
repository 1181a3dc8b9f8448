"""Floods of names under one zone."""

import random

import pytest

from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.heuristics.questions import FORMATS, Question, found, watched, watched_by
from trailhound.trail import TrailKind

_NAME = "dns-exhaustion"


def _flood(number: int = 1000, zone: str = "example.com", step: float = 0.05) -> list[Question]:
    return [Question(f"r{place}.{zone}", place * step, f"10.0.{place % 200}.9") for place in range(number)]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("zone", ["example.com", "example.co.uk", "shop.github.io"])
def test_a_flood_is_one_event_about_the_zone(format_: str, zone: str) -> None:
    (event,) = found(watched(_NAME), format_, _flood(zone=zone))
    assert (event.trail.kind, event.trail.value) == (TrailKind.DOMAIN, zone)
    assert f"1,000 names under {zone} within 60 s: potential dns exhaustion" in event.message


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "questions",
    [
        _flood(number=999),
        _flood(number=900) * 3,
        _flood(step=0.12),
        _flood(zone="akamaihd.net"),
        _flood(zone="printers.lan"),
        [Question(f"{place % 250}.{place // 250}.0.10.dnsbl.example.com", place / 100) for place in range(2000)],
        [Question(f"www.zone{place}.com", place / 100) for place in range(2000)],
        [Question(f"www.zone{place}.co.uk", place / 100) for place in range(2000)],
        [Question(f"zone{place}.github.io", place / 100) for place in range(2000)],
        [Question("", place / 100) for place in range(2000)],
    ],
    ids=[
        "one name less",
        "repeats",
        "slower than the window",
        "content network",
        "local",
        "black list",
        "many zones",
        "below a public suffix",
        "sites of one host",
        "no name",
    ],
)
def test_near_misses_are_silent(format_: str, questions: list[Question]) -> None:
    assert found(watched(_NAME), format_, questions) == []


def test_a_flood_is_told_of_once_in_a_window() -> None:
    assert len(found(watched(_NAME), "zeek-tsv", _flood(number=2100, step=0.02))) == 1


def test_order_makes_no_difference() -> None:
    questions = _flood(number=1100)
    random.Random(5).shuffle(questions)
    assert len(found(watched(_NAME), "zeek-tsv", questions)) == 1


def test_what_is_whitelisted_or_muted_is_silent() -> None:
    assert found(watched(_NAME, allowed="example.com\n"), "zeek-tsv", _flood()) == []
    assert found(watched(_NAME, muted=Mutes([Mute(value="example.com")])), "zeek-tsv", _flood()) == []


def test_thresholds_are_the_sites() -> None:
    assert len(found(watched_by({_NAME: {"names": 100}}), "zeek-tsv", _flood(number=100))) == 1
    assert found(watched_by({_NAME: {"names": 100}}), "zeek-tsv", _flood(number=99)) == []


def test_state_is_bounded_in_a_storm() -> None:
    machine = watched(_NAME)
    storm = [Question(f"r{place}.zone{place}.com", place / 2000) for place in range(60_000)]
    found(machine, "zeek-tsv", storm)
    assert machine.heuristics is not None
    assert machine.heuristics.held()[_NAME] <= 2 * 20_000 + 20_000 + 1000
