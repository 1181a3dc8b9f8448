"""What Prometheus scrapes of behaviour, which is looked for beside the loop."""

from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from matchers.behaviour.status import Status, load
from trailhound.record import MICROSECONDS

_GAUGES: tuple[tuple[str, str, Callable[[Status, int], float]], ...] = (
    ("age_seconds", "How long ago behaviour was looked for.", lambda one, now: max(now - one.looked, 0) / MICROSECONDS),
    ("seconds", "How long the latest look took.", lambda one, _: one.seconds),
    ("records", "Records that were looked through.", lambda one, _: one.records),
    ("found", "What the latest look found.", lambda one, _: one.found),
    ("lost_records", "Records that found no room in the spool since the start.", lambda one, _: one.lost),
    ("dropped_records", "Records of the latest look that were out of bounds.", lambda one, _: one.dropped),
    ("spool_bytes", "Bytes of records that wait to be looked through.", lambda one, _: one.waiting),
    ("window_bytes", "Bytes of the window on disk.", lambda one, _: one.held),
    ("failed", "Behaviours that could not be looked for.", lambda one, _: len(one.failed)),
    ("ended_badly", "Whether the latest look came to nothing.", lambda one, _: bool(one.reason)),
)


class BehaviourMeasures(Collector):
    """Metrics of the latest look; none before the first."""

    def __init__(self, state_dir: Path, now: int) -> None:
        self._state_dir = state_dir
        self._now = now

    def collect(self) -> Iterator[Metric]:
        status = load(self._state_dir)
        if status is None:
            return
        for name, text, measure in _GAUGES:
            gauge = GaugeMetricFamily(f"trailhound_behaviour_{name}", text)
            gauge.add_metric([], float(measure(status, self._now)))
            yield gauge
