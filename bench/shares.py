"""What heuristics cost the loop: its speed with all of them and with none, and the share of each."""

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.engine import chunks, make_engine, run
from matchers.heuristics import registry
from matchers.heuristics.heuristic import Chosen, Surroundings
from matchers.heuristics.running import Heuristics
from matchers.networks import HomeNetworks
from matchers.trailset import TrailSet
from trailhound.record import MICROSECONDS
from trailhound.settings import HOME_NETWORKS

if TYPE_CHECKING:
    from matchers.engine import Engine

SLACK = 300 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Shares:
    """Rows a second of CPU without heuristics and with all that are on by default, and seconds a row of each."""

    name: str
    without: float
    with_all: float
    each: Mapping[str, float]
    found: int

    @property
    def kept(self) -> float:
        """Tell what share of its speed the loop keeps."""
        return self.with_all / self.without


def measure(name: str, trails: TrailSet, format_: str, log: str, data: bytes, runs: int) -> Shares:
    """Measure in turns, since a machine's speed changes."""
    pieces = chunks(data)
    off, on = [], []
    each: dict[str, list[float]] = {}
    rows = found = 0
    for _ in range(runs):
        begun = time.process_time()
        rows, without = run(make_engine(trails), format_, log, pieces)
        off.append(time.process_time() - begun)
        machine = watched(trails)
        begun = time.process_time()
        _, events = run(machine, format_, log, pieces)
        on.append(time.process_time() - begun)
        found = events - without
        for one, seconds in _spent(trails, format_, log, pieces).items():
            each.setdefault(one, []).append(seconds)
    spent = {one: statistics.median(seconds) / rows for one, seconds in each.items()}
    ranked = dict(sorted(spent.items(), key=lambda item: -item[1]))
    return Shares(name, rows / statistics.median(off), rows / statistics.median(on), ranked, found)


def watched(trails: TrailSet, *, clock: bool = False, everything: bool = False) -> "Engine":
    """Make an engine with all heuristics that are on by default, or with all there are."""
    machine = make_engine(trails)
    chosen = [Chosen(one, one.thresholds()) for one in registry().values() if everything or one.enabled]
    surroundings = Surroundings(HomeNetworks(HOME_NETWORKS), machine.rules, SLACK)
    machine.use(Heuristics(chosen, surroundings, clock=time.process_time if clock else None))
    return machine


def _spent(trails: TrailSet, format_: str, log: str, pieces: list[bytes]) -> Mapping[str, float]:
    """Give the seconds of each. What several look at together is counted for the first of them."""
    machine = watched(trails, clock=True)
    run(machine, format_, log, pieces)
    heuristics = machine.heuristics
    if heuristics is None or heuristics.failures:
        raise ValueError(f"heuristics failed: {heuristics.failures if heuristics is not None else 'none is there'}")
    return heuristics.spent
