"""Vertical scans over UDP."""

from dataclasses import replace

import pytest

from tests.matchers.heuristics.connections import FORMATS, INTRUDER, VICTIM, Connection, found, ports
from tests.matchers.heuristics.questions import watched
from trailhound.severity import Severity

_NAME = "udp-scan"
_ELEVEN = range(1000, 1011)


@pytest.mark.parametrize("format_", FORMATS)
def test_more_than_ten_ports_that_do_not_answer_are_a_scan(format_: str) -> None:
    (event,) = found(watched(_NAME), format_, ports(_ELEVEN, "unheard"))
    assert event.message == f"{INTRUDER} tried 11 UDP ports of {VICTIM} in 10 s: potential udp scanning"
    assert (event.count, event.severity) == (11, Severity.LOW)


_NEAR_MISSES = {
    "one port less": ports(range(1000, 1010), "unheard"),
    "answered": ports(_ELEVEN, "answered"),
    "tcp": ports(_ELEVEN),
    "slower than the window": ports(_ELEVEN, "unheard", step=3.1),
    "answers of a resolver": [replace(one, near_port=53) for one in ports(range(40_000, 40_020), "unheard")],
    "answers of a relay": [replace(one, near_port=3478) for one in ports(range(40_000, 40_020), "unheard")],
    "traceroute": ports(range(33_434, 33_500), "unheard"),
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("connections", _NEAR_MISSES.values(), ids=_NEAR_MISSES)
def test_near_misses_are_silent(format_: str, connections: list[Connection]) -> None:
    assert found(watched(_NAME), format_, connections) == []
