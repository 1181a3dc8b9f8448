"""Zeek's own format: tab-separated columns under a header that may change in mid-file."""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from hashlib import blake2b
from itertools import chain, repeat
from math import nan
from typing import cast

from ingest.batch import BadLine, PlacedBatch, Rows, bad, without
from ingest.hours import Hours, hours_of_seconds
from ingest.logtypes import log_of_columns
from ingest.moments import are_times, microseconds, untimely
from ingest.zeek_header import Header, as_texts, header_word, read_header
from trailhound.errors import RecordError
from trailhound.record import Record


class TsvBatch:
    """Rows under one header.

    `cells` holds all cells of all rows, and after each row an end of line; `numbers` those of the lines.
    """

    def __init__(
        self, header: Header, log: str, cells: Sequence[bytes], numbers: Sequence[int], wanted: Iterable[str]
    ) -> None:
        self.log = log
        self.module = "zeek"
        self._sets = frozenset(name for name in wanted if name in header.columns and header.is_set(name))
        self._header = header
        self._nothing = frozenset((header.unset, header.empty))
        self._cells = cells
        self._numbers = numbers
        self._width = len(header.fields) + 1
        self._times: list[float] | None = None

    def __len__(self) -> int:
        return len(self._numbers)

    def column(self, name: str) -> Sequence[Hashable] | None:
        index = self._header.columns.get(name)
        return None if index is None else self._cells[index :: self._width]

    def dialect(self, name: str) -> Hashable:
        return self._header.set_separator if name in self._sets else None, self._nothing

    def texts(self, name: str, cells: AbstractSet[Hashable]) -> tuple[Sequence[str], Sequence[Hashable]]:
        said = cast("list[bytes]", list(cells - self._nothing))
        if name not in self._sets:
            return as_texts(said), said
        members = [cell.split(self._header.set_separator) for cell in said]
        owners = list(chain.from_iterable(map(repeat, said, map(len, members))))
        return as_texts(list(chain.from_iterable(members))), owners

    def record(self, row: int) -> Record:
        line = self.line(row)
        fields = self._header.typed(line)
        time = fields.get("ts")
        if not isinstance(time, float):
            raise RecordError("the row has no time (column ts)")
        return Record(self.log, "zeek", f"zeek.{self.log}", microseconds(time), line_identity(line), fields)

    def time(self, row: int) -> int:
        return microseconds(self._times[row]) if self._times else 0

    def times(self) -> Sequence[object]:
        return self._times or ()

    def line(self, row: int) -> bytes:
        start = row * self._width
        return self._header.separator.join(self._cells[start : start + self._width - 1])

    def number(self, row: int) -> int:
        return self._numbers[row]

    def untimely(self) -> dict[int, str]:
        """Give the rows whose time cannot be read, with the reason."""
        column = self.column("ts")
        if column is None:
            return {}
        try:
            self._times = list(map(float, column))  # type: ignore[arg-type] # cells of a TSV log are bytes
        except ValueError:
            self._times = [_time(cell) for cell in column]
        if not self._times or are_times(self._times):
            return {}
        return {row: f"column ts: {reason}" for row, reason in untimely(self._times).items()}

    def last_time(self) -> int | None:
        return microseconds(max(self._times)) if self._times else None

    def hours(self) -> Hours | None:
        return hours_of_seconds(self._times) if self._times else None


def line_identity(line: bytes) -> str:
    """Tell a line from all others of a sensor by its content: Zeek gives each its time and uid."""
    return blake2b(line, digest_size=12).hexdigest()


def _time(cell: Hashable) -> float:
    try:
        return float(cell)  # type: ignore[arg-type] # as above
    except ValueError:
        return nan


_HEADER_LINE = re.compile(rb"^#.*\n", re.MULTILINE)


class ZeekTsvReader:
    """Reads a Zeek TSV log. `name` is the log's name by its file, for a header that does not say."""

    format = "zeek-tsv"

    def __init__(self, wanted: Mapping[str, Sequence[str]], name: str, state: str = "") -> None:
        self.lines = 0
        self._wanted = wanted
        self.name = name
        self._pending: dict[bytes, bytes] = {}
        self._header: Header | None = None
        self._log = ""
        if state:
            self._pending = _by_word(state.encode("utf-8", "surrogateescape").split(b"\n"))

    @property
    def state(self) -> str:
        lines = tuple(self._pending.values()) or (self._header.lines if self._header else ())
        return b"\n".join(lines).decode("utf-8", "surrogateescape")

    def feed(self, data: bytes) -> Iterator[PlacedBatch | BadLine]:
        if data and not data.endswith(b"\n"):
            data += b"\n"
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        start = 0
        # To look for one byte costs nothing, to look for two at each line's beginning as much as to match.
        for found in _HEADER_LINE.finditer(data) if b"#" in data else ():
            yield from self._rows(data[start : found.start()])
            start = found.end()
            self.lines += 1
            self._take_header_line(found[0][:-1])
        yield from self._rows(data[start:])

    def _take_header_line(self, line: bytes) -> None:
        word = header_word(line)
        if not word:
            return  # A frame (`#open`, `#close`), a comment.
        if word == b"separator" or (not self._pending and self._header is None):
            self._pending = {}
        elif not self._pending and self._header is not None:
            self._pending = _by_word(self._header.lines)  # What a new header does not say stays as it was.
        if word == b"fields":
            self._pending.pop(b"types", None)  # They were those of other columns.
        self._pending[word] = line

    def _rows(self, data: bytes) -> Iterator[PlacedBatch | BadLine]:
        if not data:
            return
        numbers: Sequence[int] = range(self.lines + 1, self.lines + 1 + data.count(b"\n"))
        self.lines += len(numbers)
        try:
            header = self._current_header()
        except RecordError as error:
            for number, line in zip(numbers, data.split(b"\n"), strict=False):
                yield bad(number, str(error), line)
            return
        cells = _cut(header, data, len(numbers))
        if cells is None:
            lines = data.split(b"\n")[:-1]
            rows = Rows(lines, numbers).only([row for row, line in enumerate(lines) if line])
            rows = yield from without(rows, _misfits(header, rows.lines))
            cells, numbers = _cut_each(header, rows.lines), rows.numbers
        batch = TsvBatch(header, self._log, cells, numbers, self._wanted.get(self._log, ()))
        late = batch.untimely()
        if late:
            rows = Rows([batch.line(row) for row in range(len(batch))], numbers)
            rows = yield from without(rows, late)
            cells = _cut_each(header, rows.lines)
            batch = TsvBatch(header, self._log, cells, rows.numbers, self._wanted.get(self._log, ()))
            batch.untimely()
        if len(batch):
            yield batch

    def _current_header(self) -> Header:
        if self._pending:
            header = read_header(tuple(self._pending.values()))
            self._pending = {}
            self._header = header
            self._log = log_of_columns(header.fields, header.path or self.name, self._wanted)
        if self._header is None:
            raise RecordError("a row before any header")
        return self._header


def _cut(header: Header, data: bytes, count: int) -> list[bytes] | None:
    """Cut whole lines into cells, with a cell for each end of line; None when a line has another number of columns.

    One split for all lines takes half as long as one for each.
    """
    separator, width = header.separator, len(header.fields) + 1
    cells = data.replace(b"\n", separator + b"\n" + separator).split(separator)
    cells.pop()  # What comes after the last end of line: nothing.
    is_even = len(cells) == count * width and cells[width - 1 :: width].count(b"\n") == count
    return cells if is_even else None


def _cut_each(header: Header, lines: Iterable[bytes]) -> list[bytes]:
    return [cell for line in lines for cell in (*line.split(header.separator), b"\n")]


def _misfits(header: Header, lines: Sequence[bytes]) -> dict[int, str]:
    """Give the rows with another number of columns than the header says, each with the reason."""
    expected = len(header.fields)
    found = [line.count(header.separator) + 1 for line in lines]
    return {
        row: f"{expected} columns expected by the header, {columns} found"
        for row, columns in enumerate(found)
        if columns != expected
    }


def _by_word(lines: Iterable[bytes]) -> dict[bytes, bytes]:
    return {word: line for line in lines if (word := header_word(line))}
