"""Vertical scans over TCP."""

import random
from dataclasses import replace

import pytest

from matchers.heuristics.mutes import Mute, Mutes
from matchers.heuristics.scans import GOING, ITEMS, KEYS
from tests.matchers.heuristics.connections import FORMATS, INTRUDER, VICTIM, Connection, found, ports
from tests.matchers.heuristics.questions import watched, watched_by
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_NAME = "port-scan"
_ELEVEN = range(1000, 1011)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("outcome", ["silent", "refused", "let go", "half open", "withdrawn"])
def test_more_than_ten_ports_in_vain_are_a_scan(format_: str, outcome: str) -> None:
    (event,) = found(watched(_NAME), format_, ports(_ELEVEN, outcome))
    assert (event.trail.kind, event.trail.value, event.count) == (TrailKind.RULE, _NAME, 11)
    assert event.message == f"{INTRUDER} tried 11 TCP ports of {VICTIM} in 10 s: potential port scanning"
    assert event.severity is Severity.LOW
    assert event.end - event.start == 10_000_000


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("outcome", ["null", "fin", "fin refused", "null refused"])
def test_stealth_scans_are_told_as_such(format_: str, outcome: str) -> None:
    (event,) = found(watched(_NAME), format_, ports(_ELEVEN, outcome))
    assert "by stealth" in event.message
    assert event.ecs["trailhound.score"] == 70
    assert [part["name"] for part in event.ecs["trailhound.parts"]] == ["ports", "stealth"]


_NEAR_MISSES = {
    "one port less": ports(range(10)),
    "the same ports": ports([22, 80, 443] * 20),
    "slower than the window": ports(_ELEVEN, step=3.1),
    "many hosts": [replace(one, target=f"10.0.1.{one.port - 999}") for one in ports(_ELEVEN)],
    "in use": ports(_ELEVEN, "in use"),
    "broken off": ports(_ELEVEN, "broken off"),
    "picked up": ports(_ELEVEN, "picked up"),
    "bare acks": ports(_ELEVEN, "bare ack"),
    "udp": ports(_ELEVEN, "unheard"),
    "ping": ports(_ELEVEN, "ping"),
    "last words of a server": [replace(one, near_port=443) for one in ports(range(40_000, 40_011), "fin")],
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("connections", _NEAR_MISSES.values(), ids=_NEAR_MISSES)
def test_near_misses_are_silent(format_: str, connections: list[Connection]) -> None:
    assert found(watched(_NAME), format_, connections) == []


def test_a_scan_that_goes_on_is_told_at_each_tenfold_with_counts_that_add_up() -> None:
    events = found(watched(_NAME), "zeek-tsv", ports(range(1, 2001), step=0.01))
    assert [event.count for event in events] == [11, pytest.approx(99, abs=3), pytest.approx(990, abs=20)]
    assert len({event.id for event in events}) == 3
    assert {event.severity for event in events} == {Severity.LOW}
    ours = [replace(one, source="10.0.0.8") for one in ports(range(1, 2001), step=0.01)]
    levels = [event.severity for event in found(watched(_NAME), "zeek-tsv", ours)]
    assert levels == [Severity.LOW, Severity.MEDIUM, Severity.HIGH]


def test_a_scan_is_told_again_after_it_was_over_or_after_an_hour() -> None:
    machine = watched(_NAME)
    assert len(found(machine, "zeek-tsv", ports(_ELEVEN))) == 1
    assert found(machine, "zeek-tsv", ports(range(2000, 2050), start=20, step=0.1)) == []
    assert len(found(machine, "zeek-tsv", ports(_ELEVEN, start=200))) == 1
    lasting = found(watched(_NAME), "zeek-tsv", ports([*range(1, 21)] * 400, step=1))
    assert sum(event.count for event in lasting) == 2 * 3600 + 1


def test_order_and_cuts_make_no_difference() -> None:
    connections = ports(_ELEVEN)
    random.Random(3).shuffle(connections)
    for cuts in ((), (9,), tuple(range(8, 19))):
        (event,) = found(watched(_NAME), "zeek-tsv", connections, cuts)
        assert (event.count, event.end - event.start) == (11, 10_000_000)


def test_what_is_late_by_less_than_the_slack_counts_where_it_belongs() -> None:
    later = Connection(9, 200)
    assert len(found(watched(_NAME), "zeek-tsv", [later, *ports(_ELEVEN)])) == 1
    assert found(watched(_NAME), "zeek-tsv", [replace(later, time=400), *ports(_ELEVEN)]) == []


def test_two_sensors_and_two_programs_see_one_scan() -> None:
    machine = watched(_NAME)
    assert found(machine, "zeek-tsv", ports(range(6))) == []
    assert found(machine, "eve", ports(range(6))) == []
    assert len(found(machine, "zeek-json", ports(range(11)))) == 1
    assert found(machine, "eve", ports(range(11))) == []


def test_addresses_of_both_programs_are_the_same() -> None:
    machine = watched(_NAME)
    short = [replace(one, source="2001:db8::9", target="2001:db8::7") for one in ports(range(6))]
    long = [replace(one, source="2001:0db8:0000:0000:0000:0000:0000:0009") for one in ports(range(6, 11), start=6)]
    assert found(machine, "zeek-tsv", short) == []
    (event,) = found(machine, "eve", [replace(one, target="2001:0db8:0:0:0:0:0:0007") for one in long])
    assert event.source_ip == "2001:db8::9"


def test_what_is_whitelisted_or_muted_is_silent() -> None:
    assert found(watched(_NAME, allowed=f"{INTRUDER}\n"), "zeek-tsv", ports(_ELEVEN)) == []
    muted = watched(_NAME, muted=Mutes([Mute(rule=_NAME, below=61)]))
    assert found(muted, "zeek-tsv", ports(_ELEVEN)) == []


def test_thresholds_are_the_sites() -> None:
    machine = watched_by({_NAME: {"ports": 4, "seconds": 600}})
    (event,) = found(machine, "zeek-tsv", ports(range(5), step=100))
    assert event.count == 5


def test_state_is_bounded_in_a_storm_and_a_scan_shows_in_it() -> None:
    machine = watched(_NAME)
    draw = random.Random(5)
    storm = [
        Connection(draw.randrange(1, 65_536), place / 16_000, "silent", f"{draw.randrange(11, 99)}.7.{place >> 8}.1")
        for place in range(60_000)
    ]
    storm[1000::5000] = ports(range(12), step=5 / 16)
    (event,) = [one for one in found(machine, "zeek-tsv", storm) if one.source_ip == INTRUDER]
    assert event.count == 11
    assert machine.heuristics is not None
    assert 0 < machine.heuristics.held()[_NAME] <= KEYS + ITEMS + GOING
