"""Probes for open proxies, and requests that name no host."""

import pytest

from matchers.engine import Engine
from matchers.heuristics import chosen, registry
from matchers.heuristics.heuristic import Surroundings
from matchers.heuristics.mutes import Mute, Mutes
from matchers.heuristics.running import Heuristics
from matchers.networks import HomeNetworks
from tests.matchers.build import engine
from tests.matchers.heuristics.exchanges import ABROAD, FORMATS, HOME, Exchange, found, found_by_sensor, log
from tests.matchers.heuristics.questions import SLACK, watched
from trailhound.settings import HOME_NETWORKS

_PROBE, _HOST = "proxy-probe", "missing-host"
_OUTSIDE = "198.51.100.9"
_URI = "http://proxycheck.example/azenv.php"


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("status", "score", "label"), [(None, 45, "low"), (404, 45, "low"), (200, 70, "medium")])
@pytest.mark.parametrize("uri", [_URI, "http://www.example.org/echo.php", "http://api.ipify.org/"])
def test_probes(format_: str, status: int | None, score: int, label: str, uri: str) -> None:
    host = uri.split("/")[2]
    (event,) = found(watched(_PROBE), format_, [Exchange(uri, host=host, client=_OUTSIDE, server=HOME, status=status)])
    assert (event.trail.info, event.severity.label) == ("potential proxy probe", label)
    assert event.ecs["trailhound.score"] == score


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "exchange",
    [
        Exchange("/check.php?u=http://proxycheck.example/", client=_OUTSIDE, server=HOME),
        Exchange(_URI, client=_OUTSIDE, server=HOME, port=3128),
        Exchange(_URI, server="10.0.0.9"),
        Exchange("http://www.example.org/index.html", client=_OUTSIDE, server=HOME),
        Exchange(f"http://{ABROAD}/check", host=ABROAD),
    ],
    ids=["only named", "a proxy's port", "a proxy of ours", "ordinary", "itself"],
)
def test_near_misses_of_probes(format_: str, exchange: Exchange) -> None:
    assert found(watched(_PROBE), format_, [exchange]) == []


def test_probes_by_two_sensors_muted_and_whitelisted() -> None:
    probe, machine = [Exchange(_URI, host="proxycheck.example", client=_OUTSIDE, server=HOME)], watched(_PROBE)
    assert len(found_by_sensor(machine, "one", "http", "eve", log("eve", probe))) == 1
    assert found_by_sensor(machine, "two", "http", "zeek-tsv", log("zeek-tsv", probe)) == []
    assert found(watched(_PROBE, muted=Mutes([Mute(rule=_PROBE)])), "zeek-tsv", probe) == []
    assert found(watched(_PROBE, allowed=f"{_OUTSIDE}\n"), "zeek-tsv", probe) == []


def _asking_for_hosts() -> Engine:
    machine = engine([])
    off = [name for name in registry() if name != _HOST]
    surroundings = Surroundings(HomeNetworks(HOME_NETWORKS), machine.rules, SLACK)
    machine.use(Heuristics(chosen(off, [_HOST], {}), surroundings))
    return machine


@pytest.mark.parametrize("format_", FORMATS)
def test_requests_without_a_host_are_told_when_that_is_asked_for(format_: str) -> None:
    exchanges = [Exchange("/a", host=None), Exchange("/b"), Exchange("/c", host=None, time=1)]
    (event,) = found(_asking_for_hosts(), format_, exchanges)
    assert (event.trail.info, event.observed) == ("missing host header (suspicious)", f"{ABROAD}/a")
    assert found(watched(_HOST), format_, exchanges) == []
    assert found(_asking_for_hosts(), format_, [Exchange(_URI, host=None)]) == []
