"""What Prometheus scrapes of feeds."""

import logging
from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from feeds.status import Status, Statuses
from trailhound.errors import TrailhoundError
from trailhound.record import MICROSECONDS

logger = logging.getLogger(__name__)
_GAUGES: tuple[tuple[str, str, Callable[[Status, int], float | None]], ...] = (
    ("age_seconds", "How long ago we knew that this is what the source has.", lambda status, now: status.age(now)),
    ("stale", "Whether the feed is older than three intervals.", lambda status, now: status.stale(now)),
    ("trails", "Trails that the feed lists.", lambda status, _: status.trails),
    ("refused", "Values that did not become trails.", lambda status, _: status.refused),
    ("failures", "Failed tries in a row.", lambda status, _: status.failures),
)


class FeedMeasures(Collector):
    """Metrics of the feeds that are on."""

    def __init__(self, feeds: Statuses, now: int) -> None:
        self._feeds = feeds
        self._now = now // MICROSECONDS

    def collect(self) -> Iterator[Metric]:
        try:
            found = [status for status in self._feeds.now() if status.enabled]
        except TrailhoundError as error:
            logger.warning("A scrape could not tell of feeds: %s", error)
            return
        for name, text, measure in _GAUGES:
            gauge = GaugeMetricFamily(f"trailhound_feed_{name}", text, labels=["feed"])
            for status in found:
                value = measure(status, self._now)
                if value is not None:
                    gauge.add_metric([status.feed.name], float(value))
            yield gauge
