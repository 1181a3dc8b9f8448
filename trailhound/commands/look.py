"""What a process that looks for behaviour is asked, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matchers.behaviour.behaviour import Chosen, Seen
from trailhound.settings import Settings


@dataclass(frozen=True, slots=True)
class Look:
    """What one process is to do: fold segments into each folder, and look through it.

    With `steps` the whole of each folder is looked through, one window after the other, as of archives; without, the
    newest window is. Records after `upto` (microseconds) are none: the clock of a sensor is wrong.
    """

    settings: Settings
    folders: Mapping[Path, Sequence[Path]]
    chosen: Sequence[Chosen]
    steps: bool
    upto: int


@dataclass(slots=True)
class Looked:
    """What came of it: finds, records looked through, records out of bounds, bytes on disk, seconds by behaviour."""

    seen: list[Seen] = field(default_factory=list)
    rows: int = 0
    dropped: int = 0
    held: int = 0
    spent: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
