"""The loop: batches of rows in, events out.

A row that meets nothing costs only its share of cutting columns and of a set difference: each distinct value of a
column is asked about once, and what was clean is remembered. A row with a value that could be an indicator is read
whole and judged by the rules.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import cast

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
from trailhound.record import Batch, Record

# Cells that are remembered as clean by each probe and generation; with 100 bytes each, both stay under 14 MB.
REMEMBERED = 65_536
# Sees a column: its name, its probe, its cells, and the distinct ones (of paths only those that could be a trail's).
Look = Callable[[str, Probe, Sequence[Hashable], set[Hashable]], None]
LONGEST_REMEMBERED = 512  # Characters of a value; longer ones hardly repeat, and would let a client fill the memory.
MAX_ANSWERS = 32  # Probes and dialects; a site has far fewer, a log with made-up headers does not.


@dataclass(slots=True)
class _Answers:
    """What one probe said of raw cells in one dialect, whatever the log and the column.

    Clean ones are kept in two generations: when the young one is full it becomes the old one, and of that only what is
    seen again stays. So a probe that meets more values than can be remembered keeps those that are common.
    """

    young: set[Hashable] = field(default_factory=set)
    old: set[Hashable] = field(default_factory=set)
    hot: set[Hashable] = field(default_factory=set)

    def unknown(self, cells: set[Hashable]) -> set[Hashable]:
        """Give those of some cells that were not asked about."""
        new = cells.difference(self.young, self.hot)
        again = new & self.old
        if again:
            self.young |= again
            new -= again
        return new

    def remember(self, new: set[Hashable], hot: set[Hashable], *, is_short: bool) -> None:
        if not is_short:
            new = {cell for cell in new if length(cell) <= LONGEST_REMEMBERED}
        self.young |= new - hot
        self.hot |= new & hot
        if len(self.young) > REMEMBERED:
            self.young, self.old = set(), self.young
        if len(self.hot) > REMEMBERED:
            self.hot.clear()


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
        own: TrailSet | None = None,
    ) -> None:
        """Make an engine. `occasions` are those of the engine before it, so that none counts again.

        Of the logs of `detectors` every record is an event of its own. `own` is a small set over the other.
        """
        self._detectors = {detector.observer.log: detector for detector in detectors}
        self.observers: Mapping[str, Observer] = _observers(self._detectors, custom)
        self.rules = Rules(trails, whitelist, exceptions, standing, own)
        self._homes = homes
        self._probes = Probes(trails)
        self._own_probes = Probes(own) if own is not None else None
        self._answers: dict[tuple[Probe, Hashable], _Answers] = {}
        self.occasions = occasions or Occasions()

    def hot_rows(self, batch: Batch, look: Look | None = None) -> list[int]:
        """Give the rows of a batch that could hold an indicator, in order.

        `look` is shown the distinct cells of each column on the way, since they are at hand.
        """
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
            distinct = self._near_paths(batch, name, column) if probe is Probe.PATH else set(column)
            if look is not None:
                look(name, probe, column, distinct)
            hot = self._hot_cells(batch, name, probe, distinct)
            rows.update(_rows_of(hot, column))
        return sorted(rows)

    def _near_paths(self, batch: Batch, name: str, column: Sequence[Hashable]) -> set[Hashable]:
        """Give the cells of which the path could be a trail's: it repeats where most URLs are seen once."""
        paths = _without_query(column)
        near = self._hot_cells(batch, name, Probe.BARE_PATH, set(paths))
        return {cell for cell, path in zip(column, paths, strict=True) if path in near} if near else near

    def _hot_cells(self, batch: Batch, name: str, probe: Probe, distinct: set[Hashable]) -> set[Hashable]:
        if len(self._answers) > MAX_ANSWERS:
            self._answers.clear()
        answers = self._answers.setdefault((probe, batch.dialect(name)), _Answers())
        hot = distinct & answers.hot
        new = answers.unknown(distinct)
        if not new:
            return hot
        texts, cells = batch.texts(name, new)
        hot_texts = self._probes.hot(probe, texts)
        if self._own_probes is not None:
            hot_texts = {*hot_texts, *self._own_probes.hot(probe, texts)}
        found = {cell for text, cell in zip(texts, cells, strict=True) if text in hot_texts} if hot_texts else set()
        answers.remember(new, found, is_short=_is_short(texts, new))
        return hot | found

    def judge(self, record: Record, events: Events) -> None:
        """Match one record of a log that has an observer; what it meets goes to `events`."""
        observer = self.observers[record.log]
        detector = self._detectors.get(record.log)
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


def _rows_of(cells: set[Hashable], column: Sequence[Hashable]) -> Iterable[int]:
    """Give the rows of a column that hold one of some cells."""
    if not cells:
        return ()
    if len(cells) == 1:  # The usual case, and a quick one.
        (cell,) = cells
        first = column.index(cell)
        if column.count(cell) == 1:
            return (first,)
    return compress(range(len(column)), map(cells.__contains__, column))


def length(cell: Hashable) -> int:
    """Give the length of a raw cell: bytes or text, or a set of texts of which some may be unset."""
    if isinstance(cell, tuple):
        return sum(len(item) + 1 for item in cell if isinstance(item, str))
    return len(cell) if isinstance(cell, bytes | str) else 0


def _without_query(column: Sequence[Hashable]) -> list[Hashable]:
    """Cut the query off the raw cells of a column of URLs or paths."""
    try:
        return [cell.partition(b"?")[0] for cell in cast("Sequence[bytes]", column)]
    except (AttributeError, TypeError):  # They are text, or some are unset.
        return [cell.partition("?")[0] if isinstance(cell, str) else cell for cell in column]


def _is_short(texts: Sequence[str], cells: Collection[Hashable]) -> bool:
    """Tell at a glance that no cell is too long to be remembered, where each has one text."""
    return len(texts) == len(cells) and max(map(len, texts)) <= LONGEST_REMEMBERED
