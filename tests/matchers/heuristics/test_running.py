"""Heuristics at work: what one does to another, and who takes their place."""

from dataclasses import replace

from matchers.heuristics import chosen, registry
from matchers.heuristics.heuristic import Chosen, Surroundings
from matchers.heuristics.running import Heuristics
from matchers.networks import HomeNetworks
from tests.matchers.build import engine
from trailhound.settings import HOME_NETWORKS

SLACK = 300_000_000


def made(*names: str, thresholds: dict[str, dict[str, float]] | None = None) -> list[Chosen]:
    return chosen([name for name in registry() if name not in names], [], thresholds or {})


def surroundings(slack: int = SLACK) -> Surroundings:
    return Surroundings(HomeNetworks(HOME_NETWORKS), engine([]).rules, slack)


def test_those_that_stay_go_on_from_what_they_have_seen() -> None:
    before = Heuristics(made("port-scan", "udp-scan"), surroundings())
    after = Heuristics(made("port-scan", "host-sweep"), surroundings(), previous=before)
    old, new = before.handed_over(), after.handed_over()
    assert list(new.watchers) == ["port-scan", "host-sweep"]
    assert new.watchers["port-scan"][1] is old.watchers["port-scan"][1]
    assert new.twice is old.twice
    assert after.surroundings is before.surroundings


def test_other_thresholds_and_other_surroundings_begin_anew() -> None:
    before = Heuristics(made("port-scan"), surroundings())
    stricter = Heuristics(made("port-scan", thresholds={"port-scan": {"ports": 5}}), surroundings(), previous=before)
    elsewhere = Heuristics(made("port-scan"), surroundings(slack=1), previous=before)
    mine = before.handed_over().watchers["port-scan"][1]
    assert stricter.handed_over().watchers["port-scan"][1] is not mine
    assert elsewhere.handed_over().watchers["port-scan"][1] is not mine
    assert elsewhere.surroundings.slack == 1


def test_they_are_the_same_only_with_the_same_settings() -> None:
    running = Heuristics(made("port-scan"), surroundings())
    assert running.is_of(made("port-scan"), surroundings())
    assert not running.is_of(made("udp-scan"), surroundings())
    assert not running.is_of(made("port-scan"), replace(surroundings(), slack=1))
