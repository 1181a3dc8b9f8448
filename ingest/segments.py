"""Segments of one big plain file, for several processes to look through, with the outcome of reading it in one go.

Two things go from line to line: what a reader knows (a header, the logs of a JSON file), and which occasions were
reported already. What a reader will know where a segment begins is guessed, and seen to be right when the one before
it is done; else the segment is done again. Occasions stay with whoever puts the segments together: a segment gives all
that was met, in order, and `Joined` counts it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingest import formats
from ingest.batch import BadLine, Reader
from ingest.formats import lines_of_blocks, open_log, reader_of
from ingest.logtypes import log_of_file
from ingest.scan import FileReport, Scanned
from ingest.stretch import Stretch, match
from matchers.engine import Engine
from matchers.events import Events
from matchers.memory import Occasions
from matchers.observer import Observer, Sighting
from matchers.rules import Meeting
from trailhound.errors import SourceError
from trailhound.event import Event
from trailhound.record import Record
from trailhound.severity import Direction

SIZE = 8  # Blocks of a segment.
# Meetings and bad lines of a segment. More are not sent from process to process, which would take much memory.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Segment:
    """Whole lines of a file, from the byte `start` up to `end`, or to the end of the file.

    `block` is the number of bytes that are read at once; what is matched together depends on it.
    """

    path: Path
    format: str
    start: int
    end: int | None
    block: int


@dataclass(frozen=True, slots=True)
class Met:
    """One meeting, and the record in which it was seen."""

    record: Record
    meeting: Meeting
    direction: Direction


@dataclass(slots=True)
class Piece:
    """What was matched together. Bad lines are numbered from the beginning of their segment; `read` counts bytes."""

    met: Sequence[Met]
    bad_lines: Sequence[BadLine]
    records: int
    lines: int
    read: int


@dataclass(slots=True)
class Found:
    """What a segment came to. `state` is what the reader knew at its end, `problem` why it was not read to its end.

    With `too_much` the segment holds more than is sent around, and the rest says nothing.
    """

    pieces: list[Piece] = field(default_factory=list)
    state: str = ""
    problem: str | None = None
    too_much: bool = False


class _Uncounted(Occasions):
    """Lets everything count: which occasion was reported already is not known in the middle of a file."""

    def counts(self, sighting: Sighting, trail: str) -> bool:  # noqa: ARG002 - the signature of what it stands for
        return True


class _Collected(Events):
    """Keeps meetings as they are, in order."""

    def __init__(self) -> None:
        super().__init__("")
        self.met: list[Met] = []

    def add(self, record: Record, meeting: Meeting, observer: Observer, direction: Direction) -> None:
        del observer
        self.met.append(Met(record, meeting, direction))

    def drain(self) -> list[Event]:
        return []


def format_of(path: Path) -> str | None:
    """Give the format of a file that can be read in segments: plain, one record a line. None for all others."""
    try:
        with path.open("rb") as file:
            head = file.read(formats.HEAD)
    except OSError:
        return None
    format_ = formats.detect(head)
    return format_ if format_ in formats.READERS else None


def count(size: int) -> int:
    """Tell about how many segments a file of so many bytes has."""
    return size // (SIZE * formats.CHUNK) + 1


def segments(path: Path, format_: str) -> Iterator[Segment]:
    """Cut a file where reading it in one go would begin anew too: after the last line that ends in a block."""
    block = formats.CHUNK
    with open_log(path) as file:
        size = file.seek(0, 2)
        start, upto = 0, SIZE * block
        while upto < size:
            file.seek(upto - block)
            ends = file.read(block).rfind(b"\n") + 1
            if not ends:
                upto += block
                continue
            end = upto - block + ends
            yield Segment(path, format_, start, end, block)
            start, upto = end, upto + SIZE * block
    yield Segment(path, format_, start, None, block)


def first_state(segment: Segment, engine: Engine, max_line: int) -> str:
    """Guess what a reader knows further on by what it knows after the first block."""
    reader = _reader(segment, engine, "")
    stream = _chunks(segment, max_line)
    for _ in reader.feed(next(stream, b"")):
        pass
    return reader.state


def find(segment: Segment, state: str, engine: Engine, max_line: int) -> Found:
    """Find all that is met in a segment. The engine is good for nothing else afterwards: its occasions are gone."""
    engine.occasions = _Uncounted()
    collected = _Collected()
    found = Found()
    number = 0
    reader = _reader(segment, engine, state)
    for outcome in _matched(segment, reader, engine, collected, max_line):
        if isinstance(outcome, str):
            found.problem = outcome
            break
        stretch, lines, read = outcome
        number += len(collected.met) + len(stretch.bad_lines)
        if number > MOST:
            return Found(too_much=True)
        found.pieces.append(Piece(collected.met, stretch.bad_lines, stretch.records, lines, read))
        collected.met = []
    found.state = reader.state
    return found


class Joined:
    """Puts the segments of one file together, in order. `state` is what the reader knows after the last one."""

    def __init__(self, report: FileReport, engine: Engine, events: Events, max_line: int) -> None:
        self.report = report
        self.state = ""
        self._engine = engine
        self._events = events
        self._max_line = max_line
        self._read = 0

    def take(self, segment: Segment, found: Found) -> Iterator[Scanned]:
        """Give the stretches that reading in one go would have given."""
        if found.too_much:
            yield from self._alone(segment)
            return
        above = self.report.lines
        for piece in found.pieces:
            for met in piece.met:
                if self._engine.occasions.counts(met.meeting.sighting, met.meeting.trail.value):
                    self._events.add(met.record, met.meeting, self._engine.observers[met.record.log], met.direction)
            stretch = Stretch(self._events.drain(), list(piece.bad_lines), piece.records)
            yield self._scanned(stretch, above, piece.lines, piece.read)
        self.state, self.report.problem = found.state, found.problem

    def _alone(self, segment: Segment) -> Iterator[Scanned]:
        above = self.report.lines
        reader = _reader(segment, self._engine, self.state)
        for outcome in _matched(segment, reader, self._engine, self._events, self._max_line):
            if isinstance(outcome, str):
                self.report.problem = outcome
                return
            stretch, lines, read = outcome
            yield self._scanned(stretch, above, lines, read)
            self.state = reader.state

    def _scanned(self, stretch: Stretch, above: int, lines: int, read: int) -> Scanned:
        stretch.bad_lines = [replace(bad, number=bad.number + above) for bad in stretch.bad_lines]
        report = self.report
        report.note(stretch)
        report.lines += lines
        self._read += read
        return Scanned(report, stretch, self._read)


def _matched(
    segment: Segment, reader: Reader, engine: Engine, events: Events, max_line: int
) -> Iterator[tuple[Stretch, int, int] | str]:
    """Give each stretch with the lines and bytes of it; at the end, what went wrong."""
    try:
        for data in _chunks(segment, max_line):
            before = reader.lines
            stretch = match(reader, engine, data, events, max_line=max_line)
            if segment.start:
                stretch.bad_lines = [replace(bad, number=bad.number - 1) for bad in stretch.bad_lines]
            yield stretch, reader.lines - before, len(data)
    except SourceError as error:
        yield str(error)


def _reader(segment: Segment, engine: Engine, state: str) -> Reader:
    reader = reader_of(segment.format, engine.wanted(), log_of_file(segment.path.name), state)
    if segment.start:
        reader.lines = 1  # The first line of a file is read in its own way, and this one is not it.
    return reader


def _chunks(segment: Segment, max_line: int) -> Iterator[bytes]:
    return lines_of_blocks(_blocks(segment), segment.path, max(max_line, segment.block))


def _blocks(segment: Segment) -> Iterator[bytes]:
    """Read to each multiple of the block, as reading from the beginning does."""
    with open_log(segment.path) as file:
        place = file.seek(segment.start)
        while segment.end is None or place < segment.end:
            upto = (place // segment.block + 1) * segment.block
            data = file.read((upto if segment.end is None else min(upto, segment.end)) - place)
            if not data:
                return
            place += len(data)
            yield data
