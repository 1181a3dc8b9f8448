"""Scans of web servers for what is not there."""

import random

import pytest

from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.heuristics.exchanges import ABROAD, FORMATS, HOME, Exchange, found, found_by_sensor, log
from tests.matchers.heuristics.questions import watched, watched_by

_NAME = "web-scan"
_OUTSIDE = "198.51.100.9"


def _scan(
    number: int = 11,
    *,
    status: int | None = 404,
    step: float = 1,
    client: str = HOME,
    server: str = ABROAD,
    uri: str = "/place{}/index.php?x=1",
) -> list[Exchange]:
    return [
        Exchange(uri.format(place), time=place * step, client=client, server=server, status=status)
        for place in range(number)
    ]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("client", "server", "label"), [(HOME, ABROAD, "low"), (_OUTSIDE, HOME, "low")])
def test_a_scan_is_one_event(format_: str, client: str, server: str, label: str) -> None:
    (event,) = found(watched(_NAME), format_, _scan(client=client, server=server))
    assert (event.count, event.severity.label, event.trail.info) == (11, label, "potential web scanning")
    assert "asked for 11 distinct parts of www.example.com that it was refused in 10 s" in event.message


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "exchanges",
    [
        _scan(10),
        _scan(step=3.1),
        _scan(status=200),
        _scan(status=302),
        _scan(status=None),
        _scan(30, uri="/one/{}"),
        _scan(30, uri="/?page={}"),
        _scan(30, server="10.0.0.9"),
        [Exchange(f"/{place}", server=f"192.0.2.{place}", status=404) for place in range(30)],
    ],
    ids=["one less", "slow", "found", "sent on", "unanswered", "one place", "query", "internal", "many servers"],
)
def test_near_misses_are_silent(format_: str, exchanges: list[Exchange]) -> None:
    assert found(watched(_NAME), format_, exchanges) == []


def test_it_is_told_again_at_the_tenfold_and_grows_graver() -> None:
    events = found(watched(_NAME), "zeek-tsv", _scan(130, step=0.1))
    assert [(event.severity.label, event.count) for event in events] == [("low", 11), ("medium", 99)]


def test_order_and_a_second_sensor_make_no_difference() -> None:
    scan, machine = _scan(), watched(_NAME)
    random.Random(1).shuffle(scan)
    assert len(found_by_sensor(machine, "one", "http", "zeek-json", log("zeek-json", scan))) == 1
    assert found_by_sensor(machine, "two", "http", "eve", log("eve", scan)) == []


def test_thresholds_mutes_and_the_whitelist_hold() -> None:
    assert found(watched_by({_NAME: {"places": 20}}), "zeek-tsv", _scan(20)) == []
    assert len(found(watched_by({_NAME: {"places": 19}}), "zeek-tsv", _scan(20))) == 1
    assert found(watched(_NAME, muted=Mutes([Mute(rule=_NAME)])), "zeek-tsv", _scan()) == []
    assert found(watched(_NAME, allowed=f"{HOME}\n"), "zeek-tsv", _scan()) == []


def test_state_is_bounded_in_a_storm() -> None:
    machine = watched(_NAME)
    storm = [
        Exchange(f"/{number}", client=f"198.{number >> 16}.{number >> 8 & 255}.{number & 255}", status=404)
        for number in range(70_000)
    ]
    found(machine, "zeek-tsv", storm)
    assert machine.heuristics is not None
    assert 0 < machine.heuristics.held()[_NAME] <= 50_000
