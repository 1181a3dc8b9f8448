"""What readers hand on: batches of rows with the place of each, and lines that nobody can read."""

from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import repeat
from typing import Protocol

from ingest.hours import Hours
from trailhound.record import Batch

MAX_RAW = 262_144  # Bytes of a bad line that are kept; one that is longer cannot be read again from the dead letters.


@dataclass(frozen=True, slots=True)
class Known:
    """What a reader of a format knew of its log: enough to read a line of it again."""

    format: str
    log: str
    state: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be read. `number` counts from 1 in its file.

    With `cut`, `raw` is only the beginning of it. `known` is what was known where it stands.
    """

    number: int
    reason: str
    raw: bytes
    cut: bool = False
    known: Known | None = None


class PlacedBatch(Batch, Protocol):
    """A batch whose rows know their lines."""

    def line(self, row: int) -> bytes: ...

    def number(self, row: int) -> int:
        """Give the number of the row's line in its file, from 1."""
        ...

    def last_time(self) -> int | None:
        """Give the latest time in the batch, in microseconds since the epoch."""
        ...

    def hours(self) -> Hours | None:
        """Tell in which hours the rows happened; None where the log has no times."""
        ...


class Reader(Protocol):
    """Reads one file, fed with whole lines in order. `state` is what a later reader needs to go on from here.

    `name` is the log's name by its file.
    """

    format: str
    name: str
    lines: int

    def feed(self, data: bytes) -> Iterator[PlacedBatch | BadLine]: ...

    @property
    def state(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Rows:
    """The lines of a batch, with the number of each in its file."""

    lines: Sequence[bytes]
    numbers: Sequence[int]

    def only(self, rows: Sequence[int]) -> "Rows":
        """Give some of the rows."""
        lines, numbers = self.lines, self.numbers
        return Rows([lines[row] for row in rows], [numbers[row] for row in rows])


def without(rows: Rows, bad_rows: Mapping[int, str]) -> Generator[BadLine, None, Rows]:
    """Hand on the bad rows with their reasons, and give what is left."""
    for row, reason in bad_rows.items():
        yield bad(rows.numbers[row], reason, rows.lines[row])
    return rows.only([row for row in range(len(rows.lines)) if row not in bad_rows])


def bad(number: int, reason: str, raw: bytes, known: Known | None = None) -> BadLine:
    return BadLine(number, reason, raw[:MAX_RAW], len(raw) > MAX_RAW, known)


def known_to(reader: Reader) -> Known:
    """Tell what a reader knows at this moment."""
    return Known(reader.format, reader.name, reader.state)


def as_texts(cells: AbstractSet[Hashable]) -> tuple[Sequence[str], Sequence[Hashable]]:
    """Read raw cells of a JSON log, as `Batch.texts` does."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    if len(texts) == len(cells):
        return texts, texts
    owners: list[Hashable] = [*texts]
    for cell in cells:
        if isinstance(cell, tuple):
            members = [item for item in cell if isinstance(item, str)]
            texts += members
            owners += repeat(cell, len(members))
    return texts, owners
