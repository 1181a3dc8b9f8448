"""Zeek's JSON: one object a line, unset fields left out; one log a file, or several told apart by `_path`."""

from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from operator import attrgetter
from typing import Any

import msgspec

from ingest.batch import BadLine, PlacedBatch, Rows, as_texts, bad, without
from ingest.hours import Hours, hours_of
from ingest.logtypes import log_of_columns
from ingest.moments import microseconds, untimely
from ingest.zeek_tsv import line_identity
from trailhound.errors import RecordError
from trailhound.record import Record, Value

# Where shippers write the log's name into each line.
_LABELS = ("_path", "@stream", "_stream")
# Groups of fields that shippers who dislike dots write with an underscore.
_DOTTED_GROUPS = ("id_", "certificate_", "san_", "basic_constraints_", "seen_indicator", "seen_where", "seen_node")
_DOTTED = ("id.", "certificate.", "san.")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_Cell = str | tuple[str | None, ...] | None
_Number = float | int | str | bool | None
# Fields that Zeek writes as numbers or truth values.
_NUMBERS = frozenset(
    [
        "id.orig_p",
        "id.resp_p",
        "trans_id",
        "rcode",
        "qtype",
        "qclass",
        "rejected",
        "AA",
        "TC",
        "RD",
        "RA",
        "duration",
        "orig_bytes",
        "resp_bytes",
        "orig_pkts",
        "resp_pkts",
        "orig_ip_bytes",
        "resp_ip_bytes",
        "missed_bytes",
        "local_orig",
        "local_resp",
        "trans_depth",
        "request_body_len",
        "response_body_len",
        "status_code",
        "established",
        "resumed",
        "total_bytes",
        "seen_bytes",
        "auth_success",
        "auth_attempts",
        "reply_code",
        "certificate.not_valid_before",
        "certificate.not_valid_after",
        "certificate.version",
        "certificate.key_length",
        "success",
        "cert_permanent",
        "cert_count",
        "logcert",
        "is_orig",
        "timedout",
    ]
)
_LOOK_AT = 50  # Lines of a file that are looked at to tell its log.
_MOST_LABELS = 1000  # Logs of one file that are remembered; Zeek has some eighty.


class JsonBatch:
    """Rows of one log, decoded as far as the columns that observers ask for."""

    def __init__(self, log: str, cells: Sequence[Any], rows: Rows, attributes: Mapping[str, str]) -> None:
        self.log = log
        self.module = "zeek"
        self._cells = cells
        self._rows = rows
        self._attributes = attributes

    def __len__(self) -> int:
        return len(self._cells)

    def column(self, name: str) -> Sequence[Hashable] | None:
        attribute = self._attributes.get(name)
        return None if attribute is None else list(map(attrgetter(attribute), self._cells))

    def dialect(self, name: str) -> Hashable:  # noqa: ARG002 - the protocol's signature
        return "json"

    def texts(
        self,
        name: str,  # noqa: ARG002 - the protocol's signature
        cells: AbstractSet[Hashable],
    ) -> tuple[Sequence[str], Sequence[Hashable]]:
        return as_texts(cells)

    def record(self, row: int) -> Record:
        line = self._rows.lines[row]
        fields = _fields(line)
        time = microseconds(fields.get("ts"))
        return Record(self.log, "zeek", f"zeek.{self.log}", time, line_identity(line), fields)

    def time(self, row: int) -> int:
        return microseconds(self._cells[row].c0)

    def times(self) -> Sequence[object]:
        return self.column("ts") or ()

    def line(self, row: int) -> bytes:
        return self._rows.lines[row]

    def number(self, row: int) -> int:
        return self._rows.numbers[row]

    def last_time(self) -> int | None:
        return last_time(self.column("ts") or ())

    def hours(self) -> Hours | None:
        return hours_of(self.column("ts") or ())


def last_time(times: Iterable[object]) -> int | None:
    """Give the latest of times as logs write them; what is no time is passed over."""
    latest: int | None = None
    numbers = [time for time in times if time.__class__ is float or time.__class__ is int]
    texts = {time for time in times if time.__class__ is str}
    for candidate in ([max(numbers)] if numbers else []) + ([max(texts)] if texts else []):
        try:
            moment = microseconds(candidate)
        except RecordError:
            continue
        latest = moment if latest is None else max(latest, moment)
    return latest


class ZeekJsonReader:
    """Reads a Zeek JSON log. `name` is the log's name by its file, for lines that do not say."""

    format = "zeek-json"

    def __init__(self, wanted: Mapping[str, Sequence[str]], name: str, state: str = "") -> None:
        self.lines = 0
        self._wanted = wanted
        self.name = name
        self._logs: dict[str, str] = {}
        if state:
            self._logs = msgspec.json.decode(state, type=dict[str, str])
        names = (
            "ts",
            *_LABELS,
            *dict.fromkeys(name for columns in wanted.values() for name in columns if name != "ts"),
        )
        self._attributes = {name: f"c{index}" for index, name in enumerate(names)}
        self._underscored = {name: f"u{index}" for index, name in enumerate(names) if name.startswith(_DOTTED)}
        self._decode = self._decoder()

    @property
    def state(self) -> str:
        return msgspec.json.encode(self._logs).decode() if self._logs else ""

    def _decoder(self) -> Callable[[bytes], Any]:
        fields = []
        keys = {}
        for name, attribute in self._attributes.items():
            fields.append((attribute, float | str | None if name == "ts" else _cell_type(name), None))
            keys[attribute] = name
            if name in self._underscored:
                fields.append((self._underscored[name], _cell_type(name), None))
                keys[self._underscored[name]] = name.replace(".", "_")
        row = msgspec.defstruct("Row", fields, rename=keys, gc=False)
        return msgspec.json.Decoder(row).decode

    def feed(self, data: bytes) -> Iterator[PlacedBatch | BadLine]:
        rows, count = numbered(data, self.lines + 1)
        self.lines += count
        try:
            cells = list(map(self._decode, rows.lines))
        except UNREADABLE:
            cells, rows = yield from self._one_by_one(rows)
        if cells:
            self._join(cells)
            yield from self._batches(cells, rows)

    def _join(self, cells: Sequence[Any]) -> None:
        """Put what was written with an underscore where it belongs."""
        for name, attribute in self._underscored.items():
            if set(map(attrgetter(attribute), cells)) == {None}:
                continue
            for cell in cells:
                value = getattr(cell, attribute)
                if value is not None:
                    setattr(cell, self._attributes[name], value)

    def _one_by_one(self, rows: Rows) -> Generator[BadLine, None, tuple[list[Any], Rows]]:
        cells, lines, numbers = [], [], []
        for row, line in enumerate(rows.lines):
            try:
                cells.append(self._decode(line))
            except UNREADABLE as error:
                if line.strip() and not self._is_of_no_interest(line):
                    yield bad(rows.numbers[row], f"no JSON object of a Zeek log: {error}", line)
                continue
            lines.append(line)
            numbers.append(rows.numbers[row])
        return cells, Rows(lines, numbers)

    def _is_of_no_interest(self, line: bytes) -> bool:
        """Tell whether a line is well-formed, but of a log in which our column names have other types."""
        try:
            fields = _fields(line)
        except RecordError:
            return False
        return log_of_columns(fields, _label(fields) or self.name, self._wanted) not in self._wanted

    def _batches(self, cells: list[Any], rows: Rows) -> Iterator[PlacedBatch | BadLine]:
        attributes = [self._attributes[label] for label in _LABELS]
        said = set(map(attrgetter(*attributes), cells))
        if len(said) == 1:  # One log a file, as Zeek itself writes them.
            label = next(filter(None, said.pop()), "")
            yield from self._batch(self._log(str(label), rows.lines), cells, rows)
            return
        labels = [next(filter(None, (getattr(cell, name) for name in attributes)), "") for cell in cells]
        distinct = dict.fromkeys(labels)
        for label in distinct:
            chosen = [row for row, own in enumerate(labels) if own == label]
            part = rows.only(chosen)
            yield from self._batch(self._log(str(label), part.lines), [cells[row] for row in chosen], part)

    def _batch(self, log: str, cells: list[Any], rows: Rows) -> Iterator[PlacedBatch | BadLine]:
        late = untimely([cell.c0 for cell in cells]) if log in self._wanted else {}
        if late:
            rows = yield from without(rows, {row: f"field ts: {reason}" for row, reason in late.items()})
            cells = [cell for row, cell in enumerate(cells) if row not in late]
        if cells:
            yield JsonBatch(log, cells, rows, self._attributes)

    def _log(self, label: str, lines: Sequence[bytes]) -> str:
        log = self._logs.get(label)
        if log is None:
            name = label or self.name
            found = (log_of_columns(_columns(line), name, self._wanted) for line in lines[:_LOOK_AT])
            log = next((log for log in found if log in self._wanted), None)
            if log is None:
                return name  # These lines do not tell; later ones may.
            if len(self._logs) < _MOST_LABELS:
                self._logs[label] = log
        return log


def _cell_type(name: str) -> Any:
    return _Number if name in _NUMBERS else _Cell


def _fields(line: bytes) -> dict[str, Value]:
    try:
        decoded = msgspec.json.decode(line)
    except UNREADABLE as error:
        raise RecordError(f"no JSON: {error}") from error
    if not isinstance(decoded, dict):
        raise RecordError("no JSON object")
    return {_dotted(name): _value(value) for name, value in decoded.items() if isinstance(value, _VALUES)}


def _columns(line: bytes) -> Collection[str]:
    """Give the names of a line's fields; none of a line that is only readable in part."""
    try:
        return _fields(line)
    except RecordError:
        return ()  # The decoder of rows passes over what nobody asked for, even when it is damaged.


def _dotted(name: str) -> str:
    return name.replace("_", ".", name.startswith("basic_") + 1) if name.startswith(_DOTTED_GROUPS) else name


_SCALARS = (str, int, float)
_VALUES = (*_SCALARS, list)


def _value(value: Any) -> Value:
    """Take out of a list what is unset (null) or no value of Zeek's."""
    return [item for item in value if isinstance(item, _SCALARS)] if isinstance(value, list) else value


def _label(fields: Mapping[str, Value]) -> str:
    return next((str(fields[label]) for label in _LABELS if fields.get(label)), "")


def numbered(data: bytes, first: int) -> tuple[Rows, int]:
    """Split lines and count them; empty ones, and the CR of a CR LF, are nothing."""
    if first == 1:
        data = data.removeprefix(BYTE_ORDER_MARK)
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if b"\r" in data or b"" in lines:
        placed = [(first + row, line.rstrip(b"\r")) for row, line in enumerate(lines) if line.strip()]
        return Rows([line for _, line in placed], [number for number, _ in placed]), len(lines)
    return Rows(lines, range(first, first + len(lines))), len(lines)
