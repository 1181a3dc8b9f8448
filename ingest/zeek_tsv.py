"""Zeek's own format: tab-separated columns under a header that may change in mid-file."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import chain
from math import nan

from ingest.batch import BadLine, PlacedBatch, Rows, bad, without
from ingest.logtypes import log_of_columns
from ingest.moments import microseconds, untimely
from ingest.zeek_header import Header, as_text, header_word, read_header
from trailhound.errors import RecordError
from trailhound.record import Record


class TsvBatch:
    """Rows under one header, each with all its columns, cut as far as the last one that is asked for."""

    def __init__(self, header: Header, log: str, rows: Rows, wanted: Iterable[str]) -> None:
        self.log = log
        self._sets = frozenset(name for name in wanted if name in header.columns and header.is_set(name))
        self.dialect: Hashable = (header.set_separator, header.empty, header.unset, self._sets)
        self._header = header
        self._nothing = frozenset((header.unset, header.empty))
        self._rows = rows
        self._last = last = max((header.columns[name] for name in wanted if name in header.columns), default=0)
        separator = header.separator
        # One flat list: a list for each row would keep the garbage collector busy.
        self._cells = list(chain.from_iterable(line.split(separator, last + 1) for line in rows.lines))
        self._width = min(last + 2, len(header.fields))
        self._times: list[float] | None = None

    def __len__(self) -> int:
        return len(self._rows.lines)

    def column(self, name: str) -> Sequence[Hashable] | None:
        index = self._header.columns.get(name)
        if index is not None and index > self._last:
            raise LookupError(f"column {name} is not one that this batch was asked for")
        return None if index is None else self._cells[index :: self._width]

    def texts(self, name: str, raw: Hashable) -> Sequence[str]:
        if not isinstance(raw, bytes) or raw in self._nothing:
            return ()
        if name in self._sets:
            return [as_text(member) for member in raw.split(self._header.set_separator)]
        return (as_text(raw),)

    def record(self, row: int) -> Record:
        line = self._rows.lines[row]
        fields = self._header.typed(line)
        time = fields.get("ts")
        if not isinstance(time, float):
            raise RecordError("the row has no time (column ts)")
        return Record(self.log, "zeek", f"zeek.{self.log}", microseconds(time), line_identity(line), fields)

    def line(self, row: int) -> bytes:
        return self._rows.lines[row]

    def number(self, row: int) -> int:
        return self._rows.number(row)

    def untimely(self) -> dict[int, str]:
        """Give the rows whose time cannot be read, with the reason."""
        column = self.column("ts")
        if column is None:
            return {}
        try:
            self._times = list(map(float, column))  # type: ignore[arg-type] # cells of a TSV log are bytes
        except ValueError:
            self._times = [_time(cell) for cell in column]
        return {row: f"column ts: {reason}" for row, reason in untimely(self._times).items()}

    def last_time(self) -> int | None:
        return microseconds(max(self._times)) if self._times else None


def line_identity(line: bytes) -> str:
    """Tell a line from all others of a sensor by its content: Zeek gives each its time and uid."""
    return blake2b(line, digest_size=12).hexdigest()


def _time(cell: Hashable) -> float:
    try:
        return float(cell)  # type: ignore[arg-type] # as above
    except ValueError:
        return nan


class ZeekTsvReader:
    """Reads a Zeek TSV log. `name` is the log's name by its file, for a header that does not say."""

    format = "zeek-tsv"

    def __init__(self, wanted: Mapping[str, Sequence[str]], name: str, state: str = "") -> None:
        self.lines = 0
        self._wanted = wanted
        self._name = name
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
        lines = data.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        if b"\r" in data:
            lines = [line.removesuffix(b"\r") for line in lines]
            data = b"\n".join((*lines, b""))
        if not data.startswith(b"#") and b"\n#" not in data and b"" not in lines:
            yield from self._rows(lines)
            return
        start = 0
        for index, line in enumerate(lines):
            if line and not line.startswith(b"#"):
                continue
            yield from self._rows(lines[start:index])
            start = index + 1
            self.lines += 1
            self._take_header_line(line)
        yield from self._rows(lines[start:])

    def _take_header_line(self, line: bytes) -> None:
        word = header_word(line)
        if not word:
            return  # A frame (`#open`, `#close`), a comment, an empty line.
        if word == b"separator" or (not self._pending and self._header is None):
            self._pending = {}
        elif not self._pending and self._header is not None:
            self._pending = _by_word(self._header.lines)  # What a new header does not say stays as it was.
        if word == b"fields":
            self._pending.pop(b"types", None)  # They were those of other columns.
        self._pending[word] = line

    def _rows(self, lines: list[bytes]) -> Iterator[PlacedBatch | BadLine]:
        if not lines:
            return
        first = self.lines + 1
        self.lines += len(lines)
        try:
            header = self._current_header()
        except RecordError as error:
            for index, line in enumerate(lines):
                yield bad(first + index, str(error), line)
            return
        rows = Rows(lines, first)
        separators = len(header.fields) - 1
        counts = [line.count(header.separator) for line in lines]
        if counts.count(separators) != len(lines):
            expected = f"{separators + 1} columns expected by the header"
            misfits = {row: f"{expected}, {n + 1} found" for row, n in enumerate(counts) if n != separators}
            rows = yield from without(rows, misfits)
        batch = TsvBatch(header, self._log, rows, self._wanted.get(self._log, ("ts",)))
        late = batch.untimely()
        if late:
            rows = yield from without(rows, late)
            batch = TsvBatch(header, self._log, rows, self._wanted.get(self._log, ("ts",)))
            batch.untimely()
        if len(batch):
            yield batch

    def _current_header(self) -> Header:
        if self._pending:
            header = read_header(tuple(self._pending.values()))
            self._pending = {}
            self._header = header
            self._log = log_of_columns(header.fields, header.path or self._name, self._wanted)
        if self._header is None:
            raise RecordError("a row before any header")
        return self._header


def _by_word(lines: Iterable[bytes]) -> dict[bytes, bytes]:
    return {word: line for line in lines if (word := header_word(line))}
