"""What Prometheus scrapes of heuristics, which are at work in the process that reads."""

from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from matchers.heuristics.status import load


class HeuristicMeasures(Collector):
    """What each heuristic holds, and how often it failed; none where nothing reads."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir

    def collect(self) -> Iterator[Metric]:
        status = load(self._state_dir)
        held = GaugeMetricFamily("trailhound_heuristic_keys", "Keys that a heuristic holds.", labels=["heuristic"])
        failed = CounterMetricFamily(
            "trailhound_heuristic_failures", "Batches at which a heuristic failed.", labels=["heuristic"]
        )
        for name, keys in status.held.items():
            held.add_metric([name], keys)
            failed.add_metric([name], status.failures.get(name, 0))
        yield held
        yield failed
