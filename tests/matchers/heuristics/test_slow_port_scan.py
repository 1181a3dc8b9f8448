"""Vertical scans that take their time."""

import pytest

from matchers.engine import Engine
from matchers.heuristics import chosen, registry
from matchers.heuristics.heuristic import Surroundings
from matchers.heuristics.running import Heuristics
from matchers.networks import HomeNetworks
from tests.matchers.build import engine
from tests.matchers.heuristics.connections import FORMATS, found, ports
from tests.matchers.heuristics.questions import SLACK, watched
from trailhound.settings import HOME_NETWORKS

_NAME = "slow-port-scan"


def asked_for() -> Engine:
    machine = engine([])
    made = chosen([name for name in registry() if name != _NAME], [_NAME], {})
    machine.use(Heuristics(made, Surroundings(HomeNetworks(HOME_NETWORKS), machine.rules, SLACK)))
    return machine


@pytest.mark.parametrize("format_", FORMATS)
def test_a_port_every_other_minute_is_a_scan(format_: str) -> None:
    (event,) = found(asked_for(), format_, ports(range(21), step=120))
    assert event.trail.info == "potential slow port scanning"
    assert (event.count, event.end - event.start) == (21, 20 * 120 * 1_000_000)


@pytest.mark.parametrize("format_", FORMATS)
def test_near_misses_are_silent(format_: str) -> None:
    assert found(asked_for(), format_, ports(range(20), step=120)) == []
    assert found(asked_for(), format_, ports(range(30), step=181)) == []
    assert found(asked_for(), format_, ports(range(30), "in use", step=60)) == []


def test_it_is_off_unless_it_is_asked_for() -> None:
    machine = watched(_NAME)
    assert machine.heuristics is not None
    assert machine.heuristics.held() == {}
