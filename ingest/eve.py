"""Suricata's eve.json: one event a line, all kinds in one file."""

from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec

from ingest.batch import BadLine, PlacedBatch, Rows, as_texts, bad, without
from ingest.eve_columns import COLUMNS
from ingest.eve_event import EVENTS, Eve, Fields
from ingest.moments import microseconds, untimely
from ingest.zeek_json import UNREADABLE, last_time, numbered
from ingest.zeek_tsv import line_identity
from trailhound.record import Record, Value


class EveBatch:
    """Events of one type, in the words of Zeek's log of the same kind."""

    dialect: Hashable = "json"

    def __init__(self, event_type: str, events: Sequence[Eve], rows: Rows) -> None:
        self.log, self._translate = EVENTS[event_type]
        self._event_type = event_type
        self._events = events
        self._rows = rows

    def __len__(self) -> int:
        return len(self._events)

    def column(self, name: str) -> Sequence[Hashable] | None:
        columns = COLUMNS.get(self._event_type)
        if columns is None:
            return [_hashable(fields.get(name)) for fields in self._fields]
        read = columns.get(name)
        try:
            return list(map(read, self._events)) if read is not None else None
        except AttributeError:  # An event without the object of its own type.
            return [_hashable(fields.get(name)) for fields in self._fields]

    @cached_property
    def _fields(self) -> Sequence[Fields]:
        return list(map(self._translate, self._events))

    def texts(self, name: str, raw: Hashable) -> Sequence[str]:  # noqa: ARG002 - the protocol's signature
        return as_texts(raw)

    def record(self, row: int) -> Record:
        event = self._events[row]
        # A flow is logged when it is over; what counts is when it began.
        began = event.flow.start if self._event_type == "flow" and event.flow is not None else None
        return Record(
            self.log,
            "suricata",
            f"suricata.{self._event_type}",
            microseconds(began or event.timestamp),
            line_identity(self._rows.lines[row]),
            self._translate(event),
        )

    def line(self, row: int) -> bytes:
        return self._rows.lines[row]

    def number(self, row: int) -> int:
        return self._rows.number(row)

    def last_time(self) -> int | None:
        return last_time([event.timestamp for event in self._events])


def _hashable(cell: Value | None) -> Hashable:
    return tuple(cell) if isinstance(cell, list) else cell


class EveReader:
    """Reads eve.json, whichever thread or rotation of it."""

    format = "eve"
    state = ""

    def __init__(self, wanted: Mapping[str, Sequence[str]], name: str, state: str = "") -> None:
        del wanted, name, state  # Every line of EVE says itself what it is.
        self.lines = 0
        self._decode = msgspec.json.Decoder(Eve).decode

    def feed(self, data: bytes) -> Iterator[PlacedBatch | BadLine]:
        rows, count = numbered(data, self.lines + 1)
        self.lines += count
        try:
            events = list(map(self._decode, rows.lines))
        except UNREADABLE:
            events, rows = yield from self._one_by_one(rows)
        late = untimely([event.timestamp for event in events])
        if late:
            rows = yield from without(rows, {row: f"timestamp: {reason}" for row, reason in late.items()})
            events = [event for row, event in enumerate(events) if row not in late]
        by_type: dict[str, list[int]] = {}
        for row, event in enumerate(events):
            by_type.setdefault(event.event_type, []).append(row)
        for row in by_type.pop("", ()):
            yield bad(rows.number(row), "no EVE event: it has no event_type", rows.lines[row])
        for event_type, chosen in by_type.items():
            if event_type in EVENTS:
                yield EveBatch(event_type, [events[row] for row in chosen], rows.only(chosen))

    def _one_by_one(self, rows: Rows) -> Generator[BadLine, None, tuple[list[Eve], Rows]]:
        events, misfits = [], {}
        for row, line in enumerate(rows.lines):
            try:
                events.append(self._decode(line))
            except UNREADABLE as error:
                misfits[row] = f"no EVE event: {error}"
        of_no_interest = {row for row in misfits if _is_of_no_interest(rows.lines[row])}
        reasons = {row: reason for row, reason in misfits.items() if row not in of_no_interest}
        for row, reason in reasons.items():
            yield bad(rows.number(row), reason, rows.lines[row])
        kept = [row for row in range(len(rows.lines)) if row not in misfits]
        return events, Rows([rows.lines[row] for row in kept], rows.first, [rows.number(row) for row in kept])


def _is_of_no_interest(line: bytes) -> bool:
    """Tell whether a line is empty, or well-formed but of a type in which our fields have other types."""
    if not line.strip():
        return True
    try:
        return msgspec.json.decode(line, type=_EventType).event_type not in EVENTS
    except UNREADABLE:
        return False


class _EventType(msgspec.Struct):
    event_type: str
