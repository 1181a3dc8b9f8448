"""The loop: batches of rows in, events out.

A row that meets nothing costs only its share of cutting columns and of a set difference: each distinct value of a
column is asked about once, and what was clean is remembered. A row with a value that could be an indicator is read
whole and judged by the rules.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, cast

from matchers import detections
from matchers.asked import Asked
from matchers.detectors.detector import Detector
from matchers.events import Events
from matchers.exceptions import Exceptions
from matchers.findings import Finding
from matchers.heuristics.running import Heuristics, meeting_of
from matchers.memory import Occasions
from matchers.networks import HomeNetworks
from matchers.observer import Observer, Probe
from matchers.observers import OBSERVERS
from matchers.probes import Probes
from matchers.rules import Rules
from matchers.standing import Standing
from matchers.trailset import TrailSet
from matchers.view import View, rows_of
from matchers.whitelist import Whitelist
from trailhound import canonical
from trailhound.record import Record
from trailhound.severity import Direction

# Sees a column: its name, its probe, its cells, and the distinct ones (of paths only those that could be a trail's).
Look = Callable[[str, Probe, Sequence[Hashable], set[Hashable]], None]


class Onlooker(Protocol):
    """Is shown all that passes, beside those that match. `columns` are those it wants to see, by log."""

    columns: Mapping[str, Sequence[str]]

    def see(self, view: View) -> None: ...


@dataclass(frozen=True, slots=True)
class Looked:
    """What a batch came to: rows that could hold an indicator or at which something was found, in order."""

    rows: Sequence[int] = ()
    found: Mapping[int, Sequence[Finding]] = field(default_factory=dict)


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
        heuristics: Heuristics | None = None,
    ) -> None:
        """Make an engine. `occasions` are those of the engine before it, so that none counts again.

        Of the logs of `detectors` every record is an event of its own. `own` is a small set over the other.
        `heuristics` go by the rules of the engine that was given them last.
        """
        self._detectors = {detector.observer.log: detector for detector in detectors}
        self.observers: Mapping[str, Observer] = _observers(self._detectors, custom)
        self.rules = Rules(trails, whitelist, exceptions, standing, own)
        self._homes = homes
        self._probes = Probes(trails)
        self._own_probes = Probes(own) if own is not None else None
        self._asked: dict[Probe, Asked] = {probe: Asked(partial(self._hot_texts, probe)) for probe in Probe}
        self.occasions = occasions or Occasions()
        self.heuristics: Heuristics | None = None
        self.onlooker: Onlooker | None = None
        self.use(heuristics)

    def use(self, heuristics: Heuristics | None) -> None:
        """Have heuristics look at batches too, by the rules of this engine."""
        self.heuristics = heuristics
        if heuristics is not None:
            heuristics.surroundings.rules = self.rules

    def wanted(self) -> Mapping[str, Sequence[str]]:
        """Give the columns that are looked at, by log."""
        wanted: dict[str, Sequence[str]] = {log: ("ts", *observer.probes) for log, observer in self.observers.items()}
        for log, names in (self.heuristics.columns if self.heuristics is not None else {}).items():
            wanted[log] = tuple(dict.fromkeys((*wanted.get(log, ("ts",)), *names)))
        for log, also in (self.onlooker.columns if self.onlooker is not None else {}).items():
            wanted[log] = tuple(dict.fromkeys((*wanted.get(log, ("ts",)), *also)))
        return wanted

    def look_through(self, view: View, look: Look | None = None) -> Looked:
        """Give the rows of a batch that could hold an indicator, and what heuristics found.

        `look` is shown the distinct cells of each column on the way, since they are at hand.
        """
        if view.log not in self.observers:
            return Looked()
        rows = self.hot_rows(view, look)
        found = self.heuristics.see(view) if self.heuristics is not None else {}
        if self.onlooker is not None:
            self.onlooker.see(view)
        return Looked(sorted({*rows, *found}) if found else rows, found)

    def hot_rows(self, view: View, look: Look | None = None) -> list[int]:
        """Give the rows of a batch that could hold an indicator, in order."""
        observer = self.observers.get(view.log)
        if observer is None:
            return []
        if view.log in self._detectors:
            return list(range(len(view)))
        rows: set[int] = set()
        for name, probe in observer.probes.items():
            column = view.column(name)
            if column is None:
                continue
            distinct = self._near_paths(view, name, column) if probe is Probe.PATH else view.distinct(name)
            if look is not None:
                look(name, probe, column, distinct)
            rows.update(rows_of(self._asked[probe].hot(view, name, distinct), column))
        return sorted(rows)

    def _near_paths(self, view: View, name: str, column: Sequence[Hashable]) -> set[Hashable]:
        """Give the cells of which the path could be a trail's: it repeats where most URLs are seen once."""
        paths = _without_query(column)
        near = self._asked[Probe.BARE_PATH].hot(view, name, set(paths))
        return {cell for cell, path in zip(column, paths, strict=True) if path in near} if near else near

    def _hot_texts(self, probe: Probe, texts: Sequence[str]) -> Collection[str]:
        hot = self._probes.hot(probe, texts)
        return {*hot, *self._own_probes.hot(probe, texts)} if self._own_probes is not None else hot

    def judge(self, record: Record, events: Events, findings: Sequence[Finding] = ()) -> None:
        """Match one record of a log that has an observer; what it meets, and `findings` at it, go to `events`."""
        observer = self.observers[record.log]
        detector = self._detectors.get(record.log)
        if detector is not None:
            record = detector.placed(record)
        source = canonical.address(record.source or "")
        direction = self._homes.direction(record, source, canonical.address(record.destination or ""))
        for meeting in self.rules.meet(observer.observe(record), direction, source, record.time):
            if not self.occasions.counts(meeting.sighting, meeting.trail.value):
                continue
            turned = self.heuristics.turned(meeting, record) if self.heuristics is not None else None
            if turned is None:
                events.add(record, meeting, observer, direction)
            elif turned.found.value not in (
                other.found.value for other in findings if other.heuristic is turned.heuristic
            ):
                findings = (*findings, turned)  # Several answers may say the same of one name.
        found = detector.detected(record) if detector is not None else None
        if found is not None and detections.counts(self.rules, found, record, source):
            events.add(record, found, observer, direction)
        self._tell(findings, record, events, direction, source)

    def tell(self, findings: Sequence[Finding], record: Record, events: Events) -> None:
        """Let what was found beside the loop go to `events`, at a record that stands for it."""
        source = canonical.address(record.source or "")
        direction = self._homes.direction(record, source, canonical.address(record.destination or ""))
        self._tell(findings, record, events, direction, source)

    def _tell(
        self, findings: Sequence[Finding], record: Record, events: Events, direction: Direction, source: str | None
    ) -> None:
        for finding in findings:
            met = meeting_of(finding)
            if detections.counts(self.rules, met, record, source) and self._is_told(finding, record, events):
                events.add(record, met, self.observers[record.log], direction)

    def _is_told(self, finding: Finding, record: Record, events: Events) -> bool:
        return self.heuristics is not None and self.heuristics.counts(finding, record, events.sensor)


def _observers(detectors: Mapping[str, Detector], custom: Iterable[Observer]) -> dict[str, Observer]:
    """Give the observer of each log; columns that the site describes are looked at beside what is detected there."""
    observers = {**OBSERVERS, **{log: detector.observer for log, detector in detectors.items()}}
    for own in custom:
        known = detectors[own.log].observer if own.log in detectors else own
        observers[own.log] = replace(known, probes=own.probes, observe=own.observe)
    return observers


def _without_query(column: Sequence[Hashable]) -> list[Hashable]:
    """Cut the query off the raw cells of a column of URLs or paths."""
    try:
        return [cell.partition(b"?")[0] for cell in cast("Sequence[bytes]", column)]
    except (AttributeError, TypeError):  # They are text, or some are unset.
        return [cell.partition("?")[0] if isinstance(cell, str) else cell for cell in column]
