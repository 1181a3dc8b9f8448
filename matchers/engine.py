"""The loop: batches of rows in, events out.

A row that meets nothing costs only its share of cutting columns and of a set difference: each distinct value of a
column is asked about once, and what was clean is remembered. A row with a value that could be an indicator is read
whole and judged by the rules.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from matchers.events import Events
from matchers.memory import Occasions
from matchers.networks import HomeNetworks
from matchers.observer import Observer, Probe
from matchers.observers import OBSERVERS
from matchers.probes import Probes
from matchers.rules import Rules
from matchers.trailset import TrailSet
from matchers.whitelist import Whitelist
from trailhound import canonical
from trailhound.errors import RecordError
from trailhound.record import Batch

# Values that are remembered as clean for each probe; with 100 bytes each the memory stays under 40 MB.
REMEMBERED = 40_000


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that could not be read whole: its place in the batch, and why."""

    row: int
    reason: str


@dataclass(slots=True)
class _Answers:
    """What one probe said of the raw cells of one dialect."""

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
    ) -> None:
        self.observers: Mapping[str, Observer] = {**OBSERVERS, **{observer.log: observer for observer in custom}}
        self.rules = Rules(trails, whitelist)
        self._homes = homes
        self._ask = Probes(trails).ask
        self._answers: dict[tuple[Probe, Hashable], _Answers] = {}
        self._occasions = Occasions()

    def process(self, batch: Batch, events: Events) -> list[Unreadable]:
        """Match all rows of a batch; what they meet goes to `events`."""
        observer = self.observers.get(batch.log)
        if observer is None:
            return []
        unreadable = []
        for row in sorted(self._hot_rows(batch, observer)):
            try:
                self._judge(batch, row, observer, events)
            except RecordError as error:
                unreadable.append(Unreadable(row, str(error)))
        return unreadable

    def _hot_rows(self, batch: Batch, observer: Observer) -> set[int]:
        rows: set[int] = set()
        for name, probe in observer.probes.items():
            column = batch.column(name)
            if column is None:
                continue
            answers = self._answers.setdefault((probe, batch.dialect), _Answers())
            distinct = set(column)
            for raw in distinct.difference(answers.clean, answers.hot):
                ask = self._ask[probe]
                place = answers.hot if any(map(ask, batch.texts(name, raw))) else answers.clean
                place.add(raw)
            hot = distinct & answers.hot
            if hot:
                rows.update(row for row, raw in enumerate(column) if raw in hot)
            if len(answers.clean) > REMEMBERED:
                answers.clean.clear()
            if len(answers.hot) > REMEMBERED:
                answers.hot.clear()
        return rows

    def _judge(self, batch: Batch, row: int, observer: Observer, events: Events) -> None:
        record = batch.record(row)
        direction = self._homes.direction(
            record, canonical.address(record.source or ""), canonical.address(record.destination or "")
        )
        for meeting in self.rules.meet(observer.observe(record), direction):
            if self._occasions.counts(meeting.sighting, meeting.trail.value):
                events.add(record, meeting, observer, direction)
