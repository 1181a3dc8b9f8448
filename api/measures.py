"""What Prometheus scrapes, worked out anew at each scrape from the store and the trail set."""

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from api.lookup import TrailLookup
from stores.contract import Dimension, Query, SensorStatus, Store
from trailhound import __version__
from trailhound.errors import StoreError, TrailSetError
from trailhound.record import MICROSECONDS

logger = logging.getLogger(__name__)
_COUNTERS: tuple[tuple[str, str, Callable[[SensorStatus], int]], ...] = (
    ("records_read", "Records read.", lambda status: status.records),
    ("matches", "Records that matched.", lambda status: status.matches),
    ("parse_errors", "Lines that could not be read and went to the dead letters.", lambda status: status.unreadable),
    ("lost_bytes", "Bytes that were cut off, rotated away or deleted unread.", lambda status: status.lost_bytes),
    ("retries", "How often events had to be given to the store once more.", lambda status: status.retries),
)


def _silent(group: Sequence[SensorStatus], now: int) -> float | None:
    read = [status.last_read for status in group if status.last_read is not None]
    return _seconds_since(max(read), now) if read else None


def _skew(group: Sequence[SensorStatus], now: int) -> float | None:  # noqa: ARG001 - as the others
    skews = [status.clock_skew for status in group if status.clock_skew is not None]
    return max(skews, key=abs) / MICROSECONDS if skews else 0.0


_GAUGES: tuple[tuple[str, str, Callable[[Sequence[SensorStatus], int], float | None]], ...] = (
    ("read_lag_bytes", "Bytes written and not yet read.", lambda group, _: sum(one.lag_bytes for one in group)),
    ("lag_seconds", "How far reading is behind.", lambda group, _: max(one.lag_seconds for one in group)),
    (
        "heartbeat_age_seconds",
        "Age of the newest heartbeat.",
        lambda group, now: _seconds_since(max(one.updated for one in group), now),
    ),
    ("silent_seconds", "How long nothing has been read.", _silent),
    ("clock_skew_seconds", "How far a sensor's clock is ahead, when that is too much; else 0.", _skew),
    ("problems", "Logs that cannot be read.", lambda group, _: sum(one.problem is not None for one in group)),
    ("warnings", "Logs to look at.", lambda group, _: sum(one.warning is not None for one in group)),
)


class Measures(Collector):
    """Metrics of heartbeats (added up by sensor and log), stored events and trails."""

    def __init__(self, store: Store, trails: TrailLookup, now: int) -> None:
        self._store = store
        self._trails = trails
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("trailhound_build", "Version of Trailhound.", value={"version": __version__})
        try:
            found = [*_of_sensors(self._store.sensors(), self._now), *self._of_events()]
        except StoreError as error:
            logger.warning("A scrape could not read the store: %s", error)
            found = []
        yield GaugeMetricFamily("trailhound_store_up", "Whether the store can be read.", value=float(bool(found)))
        yield from found
        try:
            yield from self._of_trails()
        except TrailSetError as error:
            logger.warning("A scrape could not read the trail set: %s", error)

    def _of_events(self) -> Iterator[Metric]:
        summary = self._store.summary(Query())
        for name, text, value in (
            ("events", "Stored events.", summary.events),
            ("threats", "Distinct pairs of source and trail.", summary.threats),
            ("sources", "Distinct sources of stored events.", summary.sources),
            ("trails_seen", "Distinct trails of stored events.", summary.trails),
        ):
            yield GaugeMetricFamily(f"trailhound_store_{name}", text, value=value)
        for dimension in (Dimension.SEVERITY, Dimension.GROUP, Dimension.CLASS):
            name = f"trailhound_store_records_by_{dimension.value}"
            family = GaugeMetricFamily(name, "Records in stored events.", labels=[dimension.value])
            for label, count in summary.by.get(dimension, {}).items():
                family.add_metric([label], count)
            yield family

    def _of_trails(self) -> Iterator[Metric]:
        info = self._trails.info()
        family = GaugeMetricFamily("trailhound_trails", "Trails in force.", labels=["kind"])
        for kind, count in info.by_kind.items():
            family.add_metric([kind], count)
        yield family
        if info.built is not None:
            age = max(0.0, self._now / MICROSECONDS - info.built)
            yield GaugeMetricFamily("trailhound_trails_age_seconds", "Age of the trail set.", value=age)


def _of_sensors(sensors: Sequence[SensorStatus], now: int) -> Iterator[Metric]:
    def key(status: SensorStatus) -> tuple[str, str]:
        return status.sensor, status.log

    logs = [(labels, list(group)) for labels, group in groupby(sorted(sensors, key=key), key)]
    for name, text, value in _COUNTERS:
        counter = CounterMetricFamily(f"trailhound_{name}", text, labels=["sensor", "log"])
        for labels, group in logs:
            counter.add_metric(labels, sum(map(value, group)))
        yield counter
    for name, text, measure in _GAUGES:
        gauge = GaugeMetricFamily(f"trailhound_{name}", text, labels=["sensor", "log"])
        for labels, group in logs:
            measured = measure(group, now)
            if measured is not None:
                gauge.add_metric(labels, measured)
        yield gauge


def _seconds_since(time: int, now: int) -> float:
    return max(0, now - time) / MICROSECONDS
