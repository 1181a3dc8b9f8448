"""The loop: batches of rows in, events out.

A row that meets nothing costs only its share of cutting columns and of a set difference: each distinct value of a
column is asked about once, and what was clean is remembered. A row with a value that could be an indicator is read
whole and judged by the rules.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from matchers import detections
from matchers.detectors.detector import Detector
from matchers.events import Events
from matchers.exceptions import Exceptions
from matchers.memory import Occasions
from matchers.networks import HomeNetworks
from matchers.observer import Observer, Probe
from matchers.observers import OBSERVERS
from matchers.probes import Probes
from matchers.rules import Rules
from matchers.standing import Standing
from matchers.trailset import TrailSet
from matchers.whitelist import Whitelist
from trailhound import canonical
from trailhound.errors import RecordError
from trailhound.record import Batch

# Values that are remembered as clean for each column; with 100 bytes each the memory stays under 4 MB.
REMEMBERED = 40_000
LONGEST_REMEMBERED = 512  # Characters of a value; longer ones hardly repeat, and would let a client fill the memory.
MAX_ANSWERS = 64  # Columns of all logs and dialects; a site has far fewer, a log with made-up headers does not.


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that could not be read whole: its place in the batch, and why."""

    row: int
    reason: str


@dataclass(slots=True)
class _Answers:
    """What one probe said of the raw cells of one column in one dialect."""

    clean: set[Hashable] = field(default_factory=set)
    hot: set[Hashable] = field(default_factory=set)


class Engine:
    """Matches batches against one trail set and one whitelist."""

    def __init__(
        self,
        trails: TrailSet,
        whitelist: Whitelist,
        homes: HomeNetworks,
        custom: Iterable[Observer] = (),
        *,
        exceptions: Exceptions | None = None,
        occasions: Occasions | None = None,
        standing: Standing | None = None,
        detectors: Iterable[Detector] = (),
    ) -> None:
        """Make an engine. `occasions` are those of the engine before it, so that none counts again.

        Of the logs of `detectors` every record is an event of its own.
        """
        self._detectors = {detector.observer.log: detector for detector in detectors}
        self.observers: Mapping[str, Observer] = _observers(self._detectors, custom)
        self.rules = Rules(trails, whitelist, exceptions, standing)
        self._homes = homes
        self._ask = Probes(trails).ask
        self._answers: dict[tuple[str, Probe, Hashable], _Answers] = {}
        self.occasions = occasions or Occasions()

    def process(self, batch: Batch, events: Events) -> list[Unreadable]:
        """Match all rows of a batch; what they meet goes to `events`."""
        unreadable = []
        for row in self.hot_rows(batch):
            try:
                self.judge(batch, row, events)
            except RecordError as error:
                unreadable.append(Unreadable(row, str(error)))
        return unreadable

    def hot_rows(self, batch: Batch) -> list[int]:
        """Give the rows of a batch that could hold an indicator, in order."""
        observer = self.observers.get(batch.log)
        if observer is None:
            return []
        if batch.log in self._detectors:
            return list(range(len(batch)))
        rows: set[int] = set()
        for name, probe in observer.probes.items():
            column = batch.column(name)
            if column is None:
                continue
            hot = self._hot_values(batch, name, probe, set(column))
            if hot:
                rows.update(row for row, raw in enumerate(column) if raw in hot)
        return sorted(rows)

    def _hot_values(self, batch: Batch, name: str, probe: Probe, distinct: set[Hashable]) -> set[Hashable]:
        if probe is Probe.PATH:
            near = self._asked(batch, name, Probe.BARE_PATH, set(map(_bare, distinct)))
            distinct = {raw for raw in distinct if _bare(raw) in near} if near else near
        return self._asked(batch, name, probe, distinct)

    def _asked(self, batch: Batch, name: str, probe: Probe, distinct: set[Hashable]) -> set[Hashable]:
        if len(self._answers) > MAX_ANSWERS:
            self._answers.clear()
        answers = self._answers.setdefault((name, probe, batch.dialect), _Answers())
        hot = distinct & answers.hot
        ask = self._ask[probe]
        for raw in distinct.difference(answers.clean, hot):
            texts = batch.texts(name, raw)
            is_hot = any(map(ask, texts))
            if is_hot:
                hot.add(raw)
            if sum(map(len, texts)) + len(texts) <= LONGEST_REMEMBERED:
                (answers.hot if is_hot else answers.clean).add(raw)
        if len(answers.clean) > REMEMBERED:
            answers.clean &= distinct  # What is common in the log is in this batch too.
        if len(answers.hot) > REMEMBERED:
            answers.hot.clear()
        return hot

    def judge(self, batch: Batch, row: int, events: Events) -> None:
        """Read one row whole and match it. Raises `RecordError` when it cannot be read."""
        observer = self.observers[batch.log]
        record = batch.record(row)
        detector = self._detectors.get(batch.log)
        if detector is not None:
            record = detector.placed(record)
        source = canonical.address(record.source or "")
        direction = self._homes.direction(record, source, canonical.address(record.destination or ""))
        for meeting in self.rules.meet(observer.observe(record), direction, source, record.time):
            if self.occasions.counts(meeting.sighting, meeting.trail.value):
                events.add(record, meeting, observer, direction)
        found = detector.detected(record) if detector is not None else None
        if found is not None and detections.counts(self.rules, found, record, source):
            events.add(record, found, observer, direction)


def _observers(detectors: Mapping[str, Detector], custom: Iterable[Observer]) -> dict[str, Observer]:
    """Give the observer of each log; columns that the site describes are looked at beside what is detected there."""
    observers = {**OBSERVERS, **{log: detector.observer for log, detector in detectors.items()}}
    for own in custom:
        known = detectors[own.log].observer if own.log in detectors else own
        observers[own.log] = replace(known, probes=own.probes, observe=own.observe)
    return observers


def _bare(raw: Hashable) -> Hashable:
    """Cut the query off the raw cell of a URL or path."""
    if isinstance(raw, bytes):
        return raw.partition(b"?")[0]
    return raw.partition("?")[0] if isinstance(raw, str) else raw
