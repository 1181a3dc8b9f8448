"""A stretch: some whole lines of one file, read, matched, and ready for the store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter, itemgetter

from ingest.batch import BadLine, Reader, bad, known_to
from ingest.observables import Gatherer
from matchers.engine import Engine
from matchers.events import Events
from matchers.findings import Finding
from matchers.view import View
from trailhound.errors import RecordError
from trailhound.event import Event
from trailhound.record import Record

# Bytes that are cut and matched at once. Of pieces of 4 MB, the cells alone take several times as long.
PIECE = 524_288


@dataclass(slots=True)
class Stretch:
    """What a stretch came to. `last_time` is the latest time of its records, in microseconds since the epoch."""

    events: list[Event] = field(default_factory=list)
    bad_lines: list[BadLine] = field(default_factory=list)
    records: int = 0
    last_time: int | None = None


def match(
    reader: Reader,
    engine: Engine,
    data: bytes,
    events: Events,
    *,
    max_line: int,
    since: int = 0,
    gatherer: Gatherer | None = None,
) -> Stretch:
    """Read and match whole lines; records before `since` (microseconds since the epoch) are read only.

    `gatherer` is shown what passes, whether it meets a trail or not.
    """
    stretch = Stretch()
    for piece in _pieces(data, max_line):
        if len(piece) > max_line + 1:  # With its end.
            reader.lines += 1
            line = piece.removesuffix(b"\n")
            reason = f"a line of {len(line):,} bytes; the limit (logs.max_line_bytes) is {max_line:,}"
            stretch.bad_lines.append(bad(reader.lines, reason, line, known_to(reader)))
        else:
            _match(reader, engine, piece, events, stretch, since, gatherer)
    stretch.bad_lines.sort(key=attrgetter("number"))
    stretch.events = events.drain()
    return stretch


def _match(
    reader: Reader,
    engine: Engine,
    piece: bytes,
    events: Events,
    stretch: Stretch,
    since: int,
    gatherer: Gatherer | None,
) -> None:
    hot: list[tuple[int, Record, Sequence[Finding]]] = []
    for part in reader.feed(piece):
        if isinstance(part, BadLine):
            stretch.bad_lines.append(replace(part, known=known_to(reader)))
            continue
        stretch.records += len(part)
        # Read whole at once: a row that is kept for later keeps the cells of all others.
        look = gatherer.look(part, events.sensor, since) if gatherer is not None else None
        looked = engine.look_through(View(part, events.sensor), look)
        for row in looked.rows:
            try:
                hot.append((part.number(row), part.record(row), looked.found.get(row, ())))
            except RecordError as error:
                stretch.records -= 1
                stretch.bad_lines.append(bad(part.number(row), str(error), part.line(row), known_to(reader)))
        time = part.last_time()
        if time is not None:
            stretch.last_time = max(time, stretch.last_time or time)
    # In the order of the file, whatever batches it was read in: which of several records of one connection counts
    # depends on which is seen first.
    for _, record, findings in sorted(hot, key=itemgetter(0)):
        if record.time >= since:
            engine.judge(record, events, findings)


def _pieces(data: bytes, max_line: int) -> Iterator[bytes]:
    """Cut whole lines into pieces that the processor's memory keeps at hand; a line that is too long comes alone."""
    size = min(PIECE, max_line + 1)
    start = 0
    while start < len(data):
        end = data.rfind(b"\n", start, start + size) + 1
        if not end:
            end = data.find(b"\n", start + size) + 1 or len(data)
        yield data[start:end]
        start = end
