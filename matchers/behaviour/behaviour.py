"""The frame of behaviours: what shows only over hours, looked for beside the loop.

A behaviour is two small files. One says what it is, which columns of which logs it needs, and by which thresholds it
goes; every process may read it. The other is its analysis, which gets a window of records as pandas frames; only the
process that runs analyses imports it.
"""

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from matchers.findings import Described, Found, Thresholds
from trailhound.record import Value

if TYPE_CHECKING:
    from matchers.behaviour.window import Window

# Looks through a window; gives log, row of its frame, and what was found there.
Analysis = Callable[[Any, "Window"], Iterable[tuple[str, int, Found]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour(Described):
    """A behaviour, as the registry has it.

    `reads` maps logs to columns, as a heuristic's does. `analysis` names a function, as "package.module:function". Of
    the columns in `remembers` (log, column) it is kept for longer than a window when each value was first seen.
    """

    reads: Mapping[str, tuple[str, ...]]
    analysis: str
    remembers: tuple[tuple[str, str], ...] = ()

    def analyse(self) -> Analysis:
        """Import the analysis. Raises `ImportError`, `AttributeError` or `ValueError` when it is not there."""
        found: Analysis = pkgutil.resolve_name(self.analysis)
        return found


@dataclass(frozen=True, slots=True)
class Chosen:
    """A behaviour that is on, with its thresholds."""

    behaviour: Behaviour
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a behaviour found, and the record that stands for it.

    `module` is "zeek" or "suricata", `time` microseconds since the epoch, `fields` the collected fields of the record.
    """

    behaviour: str
    found: Found
    log: str
    module: str
    sensor: str
    time: int
    fields: Mapping[str, Value]
