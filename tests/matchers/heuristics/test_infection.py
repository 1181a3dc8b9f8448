"""Hosts of ours that look for victims."""

import pytest

from matchers.heuristics.infection import PORTS
from tests.matchers.heuristics.connections import FORMATS, Connection, found, hosts
from tests.matchers.heuristics.questions import watched
from trailhound.severity import Severity

_NAME = "infection"
_OURS = "10.0.0.8"


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("outcome", ["silent", "refused", "in use", "unheard"])
def test_many_hosts_at_once_are_an_infection_whether_they_answer_or_not(format_: str, outcome: str) -> None:
    (event,) = found(watched(_NAME), format_, hosts(33, 445, outcome, _OURS))
    assert event.message == "10.0.0.8 connected to port 445 (SMB) of 33 hosts in 3 s: potential infection"
    assert (event.count, event.severity) == (33, Severity.MEDIUM)


@pytest.mark.parametrize("port", PORTS)
def test_every_port_counts_and_victims_abroad_are_worse(port: int) -> None:
    (event,) = found(watched(_NAME), "zeek-tsv", hosts(33, port, source=_OURS, net="198.51"))
    assert f"port {port}" in event.message
    assert event.severity is Severity.HIGH


_NEAR_MISSES = {
    "one host less": hosts(32, 445, source=_OURS),
    "from abroad": hosts(40, 445),
    "another port": hosts(40, 22, source=_OURS),
    "slower than the window": hosts(40, 445, source=_OURS, step=1),
    "two ports": [*hosts(20, 445, source=_OURS), *hosts(20, 139, source=_OURS)],
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("connections", _NEAR_MISSES.values(), ids=_NEAR_MISSES)
def test_near_misses_are_silent(format_: str, connections: list[Connection]) -> None:
    assert found(watched(_NAME), format_, connections) == []


def test_what_is_whitelisted_is_silent() -> None:
    assert found(watched(_NAME, allowed=f"{_OURS}\n"), "zeek-tsv", hosts(40, 445, source=_OURS)) == []
