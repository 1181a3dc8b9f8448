"""Suricata's eve.json: one event a line, all kinds in one file."""

from collections import defaultdict
from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from operator import attrgetter

import msgspec

from ingest.batch import BadLine, PlacedBatch, Rows, as_texts, bad, without
from ingest.eve_event import EVENTS, Eve, Fields
from ingest.eve_glance import COLUMNS, Column, Glance
from ingest.hours import Hours, hours_of
from ingest.moments import microseconds, untimely
from ingest.zeek_json import UNREADABLE, last_time, numbered
from ingest.zeek_tsv import line_identity
from trailhound.errors import RecordError
from trailhound.record import Record, Value

_whole = msgspec.json.Decoder(Eve).decode
_TYPE = attrgetter("event_type")
_TIMESTAMP = attrgetter("timestamp")


class EveBatch:
    """Events of one type, in the words of Zeek's log of the same kind.

    `rows` are the lines of all types that were read together, `chosen` the places of these events among them, `latest`
    the latest time of them all. Events of a type without columns are decoded whole.
    """

    def __init__(
        self, event_type: str, events: Sequence[Glance], rows: Rows, chosen: Sequence[int], latest: int | None
    ) -> None:
        self.log, self._translate = EVENTS[event_type]
        self.module = "suricata"
        self._event_type = event_type
        self._events = events
        self._rows = rows
        self._chosen = chosen
        self._latest = latest

    def __len__(self) -> int:
        return len(self._events)

    def column(self, name: str) -> Sequence[Hashable] | None:
        columns = COLUMNS.get(self._event_type)
        if columns is None:
            return [_hashable(fields.get(name)) for fields in self._fields]
        read = columns.get(name)
        if read is None:
            return None
        try:
            return list(map(read, self._events))
        except AttributeError:  # An event without the object of its own type.
            return [_read(read, event) for event in self._events]

    @cached_property
    def _fields(self) -> Sequence[Fields]:
        return [self._translate(event) for event in self._events if isinstance(event, Eve)]

    def dialect(self, name: str) -> Hashable:  # noqa: ARG002 - the protocol's signature
        return "json"

    def texts(
        self,
        name: str,  # noqa: ARG002 - the protocol's signature
        cells: AbstractSet[Hashable],
    ) -> tuple[Sequence[str], Sequence[Hashable]]:
        return as_texts(cells)

    def record(self, row: int) -> Record:
        try:
            event = _whole(self.line(row))
        except UNREADABLE as error:
            raise RecordError(f"no EVE event: {error}") from error
        # A flow is logged when it is over; what counts is when it began.
        began = event.flow.start if self._event_type == "flow" and event.flow is not None else None
        return Record(
            self.log,
            "suricata",
            f"suricata.{self._event_type}",
            microseconds(began or event.timestamp),
            line_identity(self.line(row)),
            self._translate(event),
        )

    def time(self, row: int) -> int:
        event = self._events[row]
        try:
            return microseconds(_began(event) if self._event_type == "flow" else event.timestamp)
        except RecordError:  # Of its start; that it was written at some time was seen before.
            return microseconds(event.timestamp)

    def times(self) -> Sequence[object]:
        return list(map(_began if self._event_type == "flow" else _TIMESTAMP, self._events))

    def line(self, row: int) -> bytes:
        return self._rows.lines[self._chosen[row]]

    def number(self, row: int) -> int:
        return self._rows.numbers[self._chosen[row]]

    def last_time(self) -> int | None:
        return self._latest

    def hours(self) -> Hours | None:
        return hours_of([event.timestamp for event in self._events])


def _began(event: Glance) -> str | None:
    return (event.flow.start if event.flow is not None else None) or event.timestamp


def _read(read: Column, event: Glance) -> Hashable:
    try:
        return read(event)
    except AttributeError:
        return None


def _hashable(cell: Value | None) -> Hashable:
    return tuple(cell) if isinstance(cell, list) else cell


class EveReader:
    """Reads eve.json, whichever thread or rotation of it."""

    format = "eve"
    state = ""

    def __init__(self, wanted: Mapping[str, Sequence[str]], name: str, state: str = "") -> None:
        del wanted, state  # Every line of EVE says itself what it is.
        self.name = name
        self.lines = 0
        self._decode = msgspec.json.Decoder(Glance).decode

    def feed(self, data: bytes) -> Iterator[PlacedBatch | BadLine]:
        rows, count = numbered(data, self.lines + 1)
        self.lines += count
        try:
            events = list(map(self._decode, rows.lines))
        except UNREADABLE:
            events, rows = yield from self._one_by_one(rows)
        times = [event.timestamp for event in events]
        late = untimely(times)
        if late:
            rows = yield from without(rows, {row: f"timestamp: {reason}" for row, reason in late.items()})
            events = [event for row, event in enumerate(events) if row not in late]
            times = [event.timestamp for event in events]
        latest = last_time(times)
        by_type: defaultdict[str, list[int]] = defaultdict(list)
        for row, event_type in enumerate(map(_TYPE, events)):
            by_type[event_type].append(row)
        for row in by_type.pop("", ()):
            yield bad(rows.numbers[row], "no EVE event: it has no event_type", rows.lines[row])
        for event_type, chosen in by_type.items():
            if event_type in COLUMNS:
                yield EveBatch(event_type, list(map(events.__getitem__, chosen)), rows, chosen, latest)
            elif event_type in EVENTS:
                wholes, readable = yield from _decode_whole(rows, chosen)
                if wholes:
                    yield EveBatch(event_type, wholes, rows, readable, latest)

    def _one_by_one(self, rows: Rows) -> Generator[BadLine, None, tuple[list[Glance], Rows]]:
        events, misfits = [], {}
        for row, line in enumerate(rows.lines):
            try:
                events.append(self._decode(line))
            except UNREADABLE as error:
                misfits[row] = f"no EVE event: {error}"
        of_no_interest = {row for row in misfits if _is_of_no_interest(rows.lines[row])}
        reasons = {row: reason for row, reason in misfits.items() if row not in of_no_interest}
        for row, reason in reasons.items():
            yield bad(rows.numbers[row], reason, rows.lines[row])
        kept = [row for row in range(len(rows.lines)) if row not in misfits]
        return events, rows.only(kept)


def _decode_whole(rows: Rows, chosen: Sequence[int]) -> Generator[BadLine, None, tuple[list[Eve], list[int]]]:
    events, readable = [], []
    for row in chosen:
        try:
            events.append(_whole(rows.lines[row]))
        except UNREADABLE as error:
            yield bad(rows.numbers[row], f"no EVE event: {error}", rows.lines[row])
            continue
        readable.append(row)
    return events, readable


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
