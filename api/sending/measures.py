"""What Prometheus scrapes of what is sent out."""

import logging
from collections.abc import Callable, Collection, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.sending.letters import TargetStatus
from api.sending.outbox import Outbox
from trailhound.errors import StoreError
from trailhound.record import MICROSECONDS

logger = logging.getLogger(__name__)
_COUNTERS: tuple[tuple[str, str, Callable[[TargetStatus], int]], ...] = (
    ("delivered", "Events that the target took.", lambda status: status.delivered),
    ("skipped", "Events that were of no use to it.", lambda status: status.skipped),
    ("quiet", "Events that followed another of their threat.", lambda status: status.quiet),
    ("dropped", "Events that found its queue full.", lambda status: status.dropped),
    ("buried", "Events that went to its dead letters.", lambda status: status.buried),
)


class SendMeasures(Collector):
    """Metrics of the targets of the settings."""

    def __init__(self, outbox: Outbox, targets: Collection[str], now: int) -> None:
        self._outbox = outbox
        self._targets = targets
        self._now = now

    def collect(self) -> Iterator[Metric]:
        try:
            found = [one for one in self._outbox.statuses() if one.name in self._targets] if self._targets else []
        except StoreError as error:
            logger.warning("A scrape could not tell of the outbox: %s", error)
            return
        for name, text, value in _COUNTERS:
            counter = CounterMetricFamily(f"trailhound_send_{name}", text, labels=["target"])
            for status in found:
                counter.add_metric([status.name], value(status))
            yield counter
        gauges = (
            ("waiting", "Events that wait for the target.", lambda one: one.waiting),
            ("waiting_seconds", "How long the oldest of them waits.", self._age),
            ("dead_letters", "Events among its dead letters.", lambda one: one.dead),
            ("failures", "How often it failed in a row.", lambda one: one.failures),
        )
        for name, text, measure in gauges:
            gauge = GaugeMetricFamily(f"trailhound_send_{name}", text, labels=["target"])
            for status in found:
                gauge.add_metric([status.name], measure(status))
            yield gauge

    def _age(self, status: TargetStatus) -> float:
        return 0.0 if status.oldest is None else max(0, self._now - status.oldest) / MICROSECONDS
