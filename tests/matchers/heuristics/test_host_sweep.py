"""Horizontal scans: one port of many hosts."""

from dataclasses import replace

import pytest

from tests.matchers.heuristics.connections import FORMATS, Connection, found, hosts, ports
from tests.matchers.heuristics.questions import watched, watched_by
from trailhound.severity import Severity

_NAME = "host-sweep"


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("outcome", ["silent", "refused", "let go", "fin"])
def test_one_port_of_many_hosts_is_a_sweep(format_: str, outcome: str) -> None:
    (event,) = found(watched(_NAME), format_, hosts(33, 22, outcome))
    assert event.message == "203.0.113.9 tried TCP port 22 of 33 hosts in 3 s: potential host sweep"
    assert (event.count, event.severity) == (33, Severity.LOW)


@pytest.mark.parametrize("port", [445, 22])
def test_who_sweeps_decides_how_urgent_it_is(port: int) -> None:
    (event,) = found(watched(_NAME), "zeek-tsv", hosts(33, 22, source="10.0.0.8"))
    assert event.severity is Severity.MEDIUM
    (event,) = found(watched(_NAME), "zeek-tsv", hosts(33, 22, source="10.0.0.8", net="198.51"))
    assert event.severity is Severity.LOW
    (event,) = found(watched(_NAME), "zeek-tsv", hosts(33, port))
    assert event.severity is Severity.LOW


_NEAR_MISSES = {
    "one host less": hosts(32, 22),
    "the same hosts": hosts(32, 22) * 2,
    "in use": hosts(40, 22, "in use"),
    "slower than the window": hosts(40, 22, step=2),
    "many ports": [replace(one, port=1000 + place) for place, one in enumerate(hosts(40, 22))],
    "many sources": [replace(one, source=f"203.0.113.{place}") for place, one in enumerate(hosts(40, 22))],
    "udp": hosts(40, 161, "unheard"),
    "what the heuristic for infections tells": hosts(40, 445, source="10.0.0.8"),
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("connections", _NEAR_MISSES.values(), ids=_NEAR_MISSES)
def test_near_misses_are_silent(format_: str, connections: list[Connection]) -> None:
    assert found(watched(_NAME), format_, connections) == []


def test_a_sweep_that_goes_on_is_told_at_each_tenfold() -> None:
    events = found(watched(_NAME), "zeek-tsv", hosts(5000, 22, step=0.01))
    assert [event.count for event in events] == [33, pytest.approx(297, abs=10), pytest.approx(2970, abs=60)]


def test_thresholds_and_whitelist_are_the_sites() -> None:
    assert len(found(watched_by({_NAME: {"hosts": 4}}), "eve", hosts(5, 22))) == 1
    assert found(watched(_NAME, allowed="203.0.113.9\n"), "eve", hosts(40, 22)) == []
    assert found(watched(_NAME), "eve", ports(range(40))) == []
