"""The frame of heuristics: what every one of them says of itself, what it is given, and what it finds.

A heuristic is one small file. It says which columns it reads, what it finds, by which thresholds and why these, and
what it takes for an attack that is none; it watches batches, keeps bounded state by the records' own time, and tells
what it finds. It stores nothing and reads no settings.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from matchers.findings import Described, Finding, Found, Thresholds
from matchers.networks import HomeNetworks
from matchers.rules import Meeting, Rules
from matchers.view import View
from trailhound.record import Record


@dataclass(slots=True)
class Surroundings:
    """What heuristics are given of the process around them.

    `slack` is how late a record may come after others of its time, in microseconds. `rules` are those in force; they
    are exchanged when trails change.
    """

    homes: HomeNetworks
    rules: Rules
    slack: int


class Watcher(Protocol):
    """A heuristic at work."""

    def see(self, view: View) -> Iterable[tuple[int, Found]]:
        """Look at a batch of one of the logs that the heuristic reads; give rows and what was found at them."""
        ...

    def held(self) -> int:
        """Count the keys that are held; never more than the heuristic's bound."""
        ...


@runtime_checkable
class Turner(Protocol):
    """A watcher that reports some of what trails meet in another way."""

    def turn(self, meeting: Meeting, record: Record) -> Found | None:
        """Give what is found in place of a meeting, None where that stands. It must not fail."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Heuristic(Described):
    """A heuristic, as the registry has it. `reads` maps logs to columns; `start` sets it to work."""

    reads: Mapping[str, tuple[str, ...]]
    start: Callable[[Any, Surroundings], Watcher]


# Tells whether a finding at a record is muted: see `matchers.heuristics.mutes`.
Muted = Callable[[Finding, Record], bool]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A heuristic that is on, with its thresholds."""

    heuristic: Heuristic
    thresholds: Thresholds = field(default_factory=Thresholds)
