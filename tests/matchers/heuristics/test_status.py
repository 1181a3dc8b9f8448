"""How heuristics are doing, from the process that reads to whoever serves metrics."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from api.heuristic_measures import HeuristicMeasures
from matchers.heuristics import chosen
from matchers.heuristics.heuristic import Surroundings
from matchers.heuristics.running import Heuristics
from matchers.heuristics.status import EVERY, Status, Telling, load
from matchers.networks import HomeNetworks
from tests.matchers.build import engine


@pytest.fixture
def heuristics() -> Heuristics:
    surroundings = Surroundings(HomeNetworks(("10.0.0.0/8",)), engine([]).rules, 0)
    return Heuristics(chosen((), (), {}), surroundings)


def metrics(state_dir: Path) -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(HeuristicMeasures(state_dir))
    return generate_latest(registry).decode()


def test_what_they_hold_is_told_now_and_then(tmp_path: Path, heuristics: Heuristics) -> None:
    now = [100.0]
    telling = Telling(tmp_path, lambda: now[0])
    telling(heuristics)
    assert 'trailhound_heuristic_keys{heuristic="port-scan"}' in metrics(tmp_path)
    heuristics.failures["port-scan"] = 3
    telling(heuristics)
    assert load(tmp_path).failures == {}, "it is not time yet"
    now[0] += EVERY
    telling(heuristics)
    assert 'trailhound_heuristic_failures_total{heuristic="port-scan"} 3.0' in metrics(tmp_path)


def test_where_none_are_on_none_are_told(tmp_path: Path, heuristics: Heuristics) -> None:
    now = [100.0]
    telling = Telling(tmp_path, lambda: now[0])
    telling(heuristics)
    now[0] += EVERY
    telling(None)
    assert load(tmp_path) == Status()


def test_a_folder_that_cannot_be_written_to_holds_nothing_up(tmp_path: Path, heuristics: Heuristics) -> None:
    (tmp_path / "rules").write_text("no folder")
    Telling(tmp_path)(heuristics)
    assert load(tmp_path) == Status()
    assert "trailhound_heuristic_keys{" not in metrics(tmp_path)
