"""A batch as the loop looks at it: each column is cut once, and its distinct cells are found once, for all who look."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import compress
from typing import TypeVar, cast

from trailhound.record import Batch, Record

Made = TypeVar("Made")


class View:
    """One batch. `sensor` is whose log it is of."""

    def __init__(self, batch: Batch, sensor: str = "") -> None:
        self.batch = batch
        self.log = batch.log
        self.sensor = sensor
        self._columns: dict[str, Sequence[Hashable] | None] = {}
        self._distinct: dict[str, set[Hashable]] = {}
        self._made: dict[object, object] = {}

    def __len__(self) -> int:
        return len(self.batch)

    def column(self, name: str) -> Sequence[Hashable] | None:
        """Give one raw cell a row; None when this log does not have the column."""
        try:
            return self._columns[name]
        except KeyError:
            column = self._columns[name] = self.batch.column(name)
            return column

    def columns(self, *names: str) -> Sequence[Sequence[Hashable]] | None:
        """Give several columns; None when this log lacks one of them."""
        found = [column for name in names if (column := self.column(name)) is not None]
        return found if len(found) == len(names) else None

    def distinct(self, name: str) -> set[Hashable]:
        """Give the distinct raw cells of a column, none when this log does not have it."""
        try:
            return self._distinct[name]
        except KeyError:
            distinct = self._distinct[name] = set(self.column(name) or ())
            return distinct

    def once(self, make: Callable[["View"], Made]) -> Made:
        """Give what a function makes of this batch; it is asked once, for all who look."""
        try:
            return cast("Made", self._made[make])
        except KeyError:
            made = self._made[make] = make(self)
            return made

    def dialect(self, name: str) -> Hashable:
        return self.batch.dialect(name)

    def texts(self, name: str, cells: AbstractSet[Hashable]) -> tuple[Sequence[str], Sequence[Hashable]]:
        return self.batch.texts(name, cells)

    def text(self, name: str, cell: Hashable) -> str | None:
        """Read one raw cell, None when it is unset; of a set, give its first member."""
        texts, _ = self.batch.texts(name, {cell})
        return texts[0] if texts else None

    def number(self, name: str, cell: Hashable) -> float | None:
        """Read one raw cell as a number, None when it is none."""
        if isinstance(cell, int | float):
            return None if isinstance(cell, bool) else float(cell)
        text = self.text(name, cell)
        try:
            return float(text) if text is not None else None
        except ValueError:
            return None

    def time(self, row: int) -> int:
        """Give the time of a row, in microseconds since the epoch."""
        return self.batch.time(row)

    def times(self) -> Sequence[object]:
        """Give the times of all rows as the log writes them, none where it has none."""
        return self.batch.times()

    def record(self, row: int) -> Record:
        """Read a row whole. Raises `RecordError`."""
        return self.batch.record(row)


def rows_of(cells: AbstractSet[Hashable], column: Sequence[Hashable]) -> Iterable[int]:
    """Give the rows of a column that hold one of some cells."""
    if not cells:
        return ()
    if len(cells) == 1:  # The usual case, and a quick one.
        (cell,) = cells
        first = column.index(cell)
        if column.count(cell) == 1:
            return (first,)
    return compress(range(len(column)), map(cells.__contains__, column))
