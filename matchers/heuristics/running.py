"""Heuristics at work: each sees the batches of the logs that it reads, and what they find becomes meetings."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from matchers.findings import SOURCE, Finding, Found
from matchers.heuristics.heuristic import Chosen, Heuristic, Muted, Surroundings, Turner, Watcher
from matchers.heuristics.twice import Twice
from matchers.observer import Sight, Sighting
from matchers.rules import Meeting
from matchers.view import View
from trailhound import canonical
from trailhound.record import Record
from trailhound.trail import Trail

_log = structlog.get_logger("heuristics")
MOST_FAILURES = 10  # Of one heuristic, until it is switched off: a plug-in's fault must not fill the log.


@dataclass(frozen=True, slots=True)
class _Handed:
    """What heuristics have seen, when others take their place."""

    twice: Twice
    watchers: Mapping[str, tuple[Chosen, Watcher]]
    failures: Mapping[str, int]


class Heuristics:
    """The heuristics that are on. They outlive the engine: trails may change, what was counted stays.

    With a `clock` (seconds), `spent` says how long each took. Those that `previous` had too, in the same surroundings,
    go on from there.
    """

    def __init__(
        self,
        chosen: Iterable[Chosen],
        surroundings: Surroundings,
        muted: Muted = lambda _finding, _record: False,
        clock: Callable[[], float] | None = None,
        *,
        previous: "Heuristics | None" = None,
    ) -> None:
        self._chosen = tuple(chosen)
        before = previous if previous is not None and previous.is_in(surroundings) else None
        self.surroundings: Surroundings = before.surroundings if before is not None else surroundings
        self.muted = muted
        self.spent: dict[str, float] = {}
        self.failures: dict[str, int] = {}
        self._clock = clock
        self._watchers: dict[str, Watcher] = {}
        self._of_log: dict[str, list[Heuristic]] = {}
        self.begin_anew()
        if before is not None:
            self._go_on_from(before.handed_over())
        for one in self._chosen:
            for log in one.heuristic.reads:
                self._of_log.setdefault(log, []).append(one.heuristic)
        self.columns: Mapping[str, tuple[str, ...]] = {
            log: tuple(dict.fromkeys(name for heuristic in those for name in heuristic.reads[log]))
            for log, those in self._of_log.items()
        }

    def begin_anew(self) -> None:
        """Forget what was seen, as between logs that have nothing to do with each other."""
        self._twice = Twice(self.surroundings.slack)
        for one in self._chosen:
            self._watchers[one.heuristic.name] = one.heuristic.start(one.thresholds, self.surroundings)

    def is_of(self, chosen: Iterable[Chosen], surroundings: Surroundings) -> bool:
        """Tell whether these are the heuristics that are asked for, in the same surroundings."""
        return self.is_in(surroundings) and self._chosen == tuple(chosen)

    def is_in(self, surroundings: Surroundings) -> bool:
        """Tell whether these are in the same surroundings, whatever rules are in force there."""
        mine = self.surroundings
        return mine.slack == surroundings.slack and mine.homes.networks == surroundings.homes.networks

    def handed_over(self) -> "_Handed":
        """Give what these have seen, for others to go on from."""
        watchers = {one.heuristic.name: (one, self._watchers[one.heuristic.name]) for one in self._chosen}
        return _Handed(self._twice, watchers, dict(self.failures))

    def _go_on_from(self, handed: "_Handed") -> None:
        self._twice = handed.twice
        for one in self._chosen:
            name = one.heuristic.name
            before, watcher = handed.watchers.get(name, (None, None))
            if before == one and watcher is not None:
                self._watchers[name] = watcher
                if name in handed.failures:
                    self.failures[name] = handed.failures[name]

    def see(self, view: View) -> dict[int, list[Finding]]:
        """Show a batch to those that read its log; give what they found, by row."""
        found: dict[int, list[Finding]] = {}
        for heuristic in self._of_log.get(view.log, ()):
            for row, one in self._ask(heuristic, view):
                found.setdefault(row, []).append(Finding(heuristic, one))
        return found

    def held(self) -> Mapping[str, int]:
        """Count the keys that each holds."""
        return {name: watcher.held() for name, watcher in self._watchers.items()}

    def counts(self, finding: Finding, record: Record, sensor: str) -> bool:
        """Tell whether a finding is neither muted nor told by another sensor already."""
        return not self.muted(finding, record) and not self._twice.told(finding, record, sensor)

    def turned(self, meeting: Meeting, record: Record) -> Finding | None:
        """Give what a heuristic reports in place of what a trail met, None when none does."""
        for heuristic in self._of_log.get(record.log, ()):
            watcher = self._watchers[heuristic.name]
            if isinstance(watcher, Turner) and (found := watcher.turn(meeting, record)) is not None:
                return Finding(heuristic, found)
        return None

    def _ask(self, heuristic: Heuristic, view: View) -> Sequence[tuple[int, Found]]:
        if self.failures.get(heuristic.name, 0) >= MOST_FAILURES:
            return ()
        begun = self._clock() if self._clock is not None else 0.0
        try:
            found = list(self._watchers[heuristic.name].see(view))
        except Exception as error:  # noqa: BLE001 - a plug-in may fail in any way; detection by all others goes on.
            failures = self.failures[heuristic.name] = self.failures.get(heuristic.name, 0) + 1
            _log.exception(
                "heuristic failed",
                heuristic=heuristic.name,
                reason=repr(error),
                switched_off=failures >= MOST_FAILURES,
            )
            found = []
        if self._clock is not None:
            self.spent[heuristic.name] = self.spent.get(heuristic.name, 0.0) + self._clock() - begun
        return found


def meeting_of(finding: Finding) -> Meeting:
    """Write what was found as the meeting with a trail of the heuristic's own."""
    heuristic, found = finding.heuristic, finding.found
    value = (found.value or heuristic.name)[: canonical.MAX_TEXT]
    trail = Trail(
        kind=found.kind,
        value=value,
        info=found.title or heuristic.title,
        class_=found.class_,
        sources=(SOURCE,),
        reference=heuristic.technique.reference if heuristic.technique is not None else "",
        confidence=found.score,
    )
    observed = (found.observed or value)[: canonical.MAX_TEXT]
    sighting = Sighting(Sight.DETECTION, observed, found.role)
    return Meeting(sighting, trail, observed, found.severity, found.said[: canonical.MAX_TEXT], finding)
