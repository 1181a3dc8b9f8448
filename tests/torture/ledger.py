"""What was written: the true number of every trail, which the store must have in the end."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.ingest.living import name

NAMES = 20_000  # As many as there are trails.
_BLOCK = 6  # Lines, on average, after which the next name is asked for: the lines of one stretch share names.


@dataclass(slots=True)
class Ledger:
    """What one writer has written. `unreadable` are marks of lines that no reader can read."""

    who: str
    trails: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    rotations: int = 0
    unreadable: list[str] = field(default_factory=list)
    journal: list[str] = field(default_factory=list)

    def note(self, what: str) -> None:
        self.journal.append(f"{time.time():.3f} {self.who} {what}")

    def keep(self, folder: Path) -> None:
        """Write the journal where whoever looks into a failure finds it."""
        (folder / f"journal-{self.who}.txt").write_text("\n".join(self.journal) + "\n", "utf-8")


class Names:
    """Draws the names that a writer asks for; no two writers ask for the same."""

    def __init__(self, chance: random.Random, place: int, places: int) -> None:
        self._chance = chance
        self._numbers = self._walk(place, places)
        self._present = next(self._numbers)

    @staticmethod
    def _walk(place: int, places: int) -> Iterator[int]:
        while True:
            yield from range(place, NAMES, places)

    def draw(self) -> str | None:
        """Give a name that is a trail, or None: a line that meets none."""
        if self._chance.random() < 1 / _BLOCK:
            self._present = next(self._numbers)
        return name(self._present) if self._chance.random() < 0.75 else None
