"""A stretch: some whole lines of one file, read, matched, and ready for the store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter

from ingest.batch import BadLine, PlacedBatch, Reader, bad
from matchers.engine import Engine
from matchers.events import Events
from trailhound.errors import RecordError
from trailhound.event import Event


@dataclass(slots=True)
class Stretch:
    """What a stretch came to. `last_time` is the latest time of its records, in microseconds since the epoch."""

    events: list[Event] = field(default_factory=list)
    bad_lines: list[BadLine] = field(default_factory=list)
    records: int = 0
    last_time: int | None = None


def match(reader: Reader, engine: Engine, data: bytes, events: Events, *, max_line: int) -> Stretch:
    """Read and match whole lines."""
    stretch = Stretch()
    hot: list[tuple[int, PlacedBatch, int]] = []
    for part in _feed(reader, data, max_line):
        if isinstance(part, BadLine):
            stretch.bad_lines.append(part)
            continue
        stretch.records += len(part)
        hot.extend((part.number(row), part, row) for row in engine.hot_rows(part))
        time = part.last_time()
        if time is not None:
            stretch.last_time = max(time, stretch.last_time or time)
    # In the order of the file, whatever batches it was read in: which of several records of one connection counts
    # depends on which is seen first.
    for number, part, row in sorted(hot, key=itemgetter(0)):
        try:
            engine.judge(part, row, events)
        except RecordError as error:
            stretch.records -= 1
            stretch.bad_lines.append(bad(number, str(error), part.line(row)))
    stretch.bad_lines.sort(key=attrgetter("number"))
    stretch.events = events.drain()
    return stretch


def _feed(reader: Reader, data: bytes, max_line: int) -> Iterator[PlacedBatch | BadLine]:
    """Feed a reader, but no line longer than `max_line`: one such line could hold up all others."""
    if _is_well_cut(data, max_line):
        yield from reader.feed(data)
        return
    for piece in _pieces(data.split(b"\n"), max_line):
        if isinstance(piece, bytes):
            reader.lines += 1
            yield bad(
                reader.lines, f"a line of {len(piece):,} bytes; the limit (logs.max_line_bytes) is {max_line:,}", piece
            )
        else:
            yield from reader.feed(b"\n".join((*piece, b"")))


def _is_well_cut(data: bytes, max_line: int) -> bool:
    """Tell whether no line can be too long: where each half of the limit holds an end of line, none is."""
    half = max_line // 2
    return all(data.find(b"\n", start, start + half) >= 0 for start in range(0, len(data) - half, half))


def _pieces(lines: Sequence[bytes], max_line: int) -> Iterator[bytes | Sequence[bytes]]:
    start = 0
    for index, line in enumerate(lines):
        if len(line) > max_line:
            if lines[start:index]:
                yield lines[start:index]
            yield line
            start = index + 1
    rest = lines[start:] if lines[-1] else lines[start:-1]
    if rest:
        yield rest
