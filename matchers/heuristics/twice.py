"""One flow seen by two sensors counts once, where a row alone is what was found."""

from collections import OrderedDict

from matchers.findings import Finding
from trailhound.record import Record

CAPACITY = 16_384


class Twice:
    """Remembers findings by their connection and time; forgets the stalest when it is full."""

    def __init__(self, slack: int, capacity: int = CAPACITY) -> None:
        self._slack = slack
        self._capacity = capacity
        self._told: OrderedDict[tuple[object, ...], tuple[str, int]] = OrderedDict()

    def told(self, finding: Finding, record: Record, sensor: str) -> bool:
        """Tell whether another sensor told the same within the slack; remember who told it first."""
        if finding.found.key:
            return False  # State is shared by all sensors, which has counted it once.
        key = (
            finding.heuristic.name,
            finding.found.value,
            finding.found.observed,
            record.source,
            record.number("id.orig_p"),
            record.destination,
            record.number("id.resp_p"),
        )
        first = self._told.pop(key, None)
        is_told = first is not None and first[0] != sensor and abs(first[1] - record.time) <= self._slack
        self._told[key] = first if is_told and first is not None else (sensor, record.time)
        if len(self._told) > self._capacity:
            self._told.popitem(last=False)
        return is_told
