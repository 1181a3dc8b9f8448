"""What readers hand on: batches of rows with the place of each, and lines that nobody can read."""

from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from trailhound.record import Batch

MAX_RAW = 8192  # Bytes of a bad line that are kept for a person to look at.


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be read. `number` counts from 1 in its file; `raw` may be cut."""

    number: int
    reason: str
    raw: bytes


class PlacedBatch(Batch, Protocol):
    """A batch whose rows know their lines."""

    def line(self, row: int) -> bytes: ...

    def number(self, row: int) -> int:
        """Give the number of the row's line in its file, from 1."""
        ...

    def last_time(self) -> int | None:
        """Give the latest time in the batch, in microseconds since the epoch."""
        ...


class Reader(Protocol):
    """Reads one file, fed with whole lines in order. `state` is what a later reader needs to go on from here."""

    format: str
    lines: int

    def feed(self, data: bytes) -> Iterator[PlacedBatch | BadLine]: ...

    @property
    def state(self) -> str: ...


@dataclass(slots=True)
class Rows:
    """The lines of a batch: where the first one stands, or the number of each when some were left out."""

    lines: Sequence[bytes]
    first: int
    numbers: Sequence[int] | None = None

    def number(self, row: int) -> int:
        return self.numbers[row] if self.numbers is not None else self.first + row

    def only(self, rows: Sequence[int]) -> "Rows":
        """Give some of the rows."""
        lines, first, numbers = self.lines, self.first, self.numbers
        kept = [first + row for row in rows] if numbers is None else [numbers[row] for row in rows]
        return Rows([lines[row] for row in rows], first, kept)


def without(rows: Rows, bad_rows: Mapping[int, str]) -> Generator[BadLine, None, Rows]:
    """Hand on the bad rows with their reasons, and give what is left."""
    for row, reason in bad_rows.items():
        yield bad(rows.number(row), reason, rows.lines[row])
    kept = [row for row in range(len(rows.lines)) if row not in bad_rows]
    return Rows([rows.lines[row] for row in kept], rows.first, [rows.number(row) for row in kept])


def bad(number: int, reason: str, raw: bytes) -> BadLine:
    return BadLine(number, reason, raw[:MAX_RAW])


def as_texts(raw: Hashable) -> Sequence[str]:
    """Read a raw cell of a JSON log."""
    if isinstance(raw, str):
        return (raw,)
    return [item for item in raw if isinstance(item, str)] if isinstance(raw, tuple) else ()
