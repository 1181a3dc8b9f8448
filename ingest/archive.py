"""Archives that are read as `run` reads logs: each file on from its saved position, whatever it is called by now.

A live log that was renamed and compressed holds the same bytes, so its position is good for the archive too. Stretches
begin and end where positions say; so one that was under way at a crash, live or not, is read again as the same bytes.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ingest.eve import EveReader
from ingest.formats import ARRAY, CHUNK, HEAD, array_lines, detect, open_log, reader_of
from ingest.identity import check_of, fingerprint, head_of
from ingest.positions import Position
from ingest.scan import FileReport, Scanned, size_of
from ingest.stretch import Stretch, match
from ingest.tail import Tail, shown
from ingest.unpack import DAMAGE
from matchers.engine import Engine
from matchers.events import Events
from trailhound.errors import SourceError


@dataclass(frozen=True, slots=True)
class Reading:
    """What files are read with. `now` gives microseconds since the epoch."""

    engine: Engine
    max_line: int
    now: Callable[[], int]

    @property
    def wanted(self) -> Mapping[str, Sequence[str]]:
        return self.engine.wanted()


def read_on(path: Path, known: Sequence[Position], sensor: str, reading: Reading) -> Iterator[Scanned]:
    """Read and match a file from where one of the known positions says, else from its beginning.

    The first thing that is given is an empty stretch with the position where reading begins. What is wrong with the
    file is in its report; nothing is raised.
    """
    report = FileReport(str(path))
    try:
        tail = _open(path, known, sensor, reading)
    except SourceError as error:
        report.skipped = str(error)
        yield Scanned(report, None, size_of(path))
        return
    report.already = tail.position.offset
    report.format = tail.position.format or None
    yield Scanned(report, Stretch(), _on_disk(path, tail), _copy(tail.position))
    try:
        yield from _stretches(path, tail, report, reading)
        yield from _end(path, tail, report, reading)
    except SourceError as error:
        report.problem = str(error)
    finally:
        position = tail.let_go()
    is_read = tail.reader is not None or position.offset > 0
    yield Scanned(report, None, size_of(path), position if is_read else None)


def _open(path: Path, known: Sequence[Position], sensor: str, reading: Reading) -> Tail:
    """Open a file at the position that is its own by what the file holds, whatever inode it was in."""
    for position in known:
        try:
            status = path.stat()
        except OSError:
            break
        own = msgspec.structs.replace(position, device=status.st_dev, inode=status.st_ino, cut=False)
        tail = Tail(path, sensor, reading.wanted, own)
        if tail.position is own:
            return tail
        tail.close()
    return Tail(path, sensor, reading.wanted, None)


def _stretches(path: Path, tail: Tail, report: FileReport, reading: Reading) -> Iterator[Scanned]:
    while (piece := tail.read(CHUNK, reading.max_line)) is not None:
        stretch = Stretch()
        if piece.data and tail.reader is not None:
            events = Events(tail.sensor, shown(path), reading.now)
            since = tail.position.since
            stretch = match(tail.reader, reading.engine, piece.data, events, max_line=reading.max_line, since=since)
        if piece.overlong is not None:
            stretch.bad_lines.append(piece.overlong)
        tail.advance(piece)
        report.note(stretch)
        report.format = tail.position.format or report.format
        report.lines = tail.position.lines
        yield Scanned(report, stretch, _on_disk(path, tail), _copy(tail.position))


def _end(path: Path, tail: Tail, report: FileReport, reading: Reading) -> Iterator[Scanned]:
    """Say why a file was not read to its end, if it was not; a JSON array is read as a whole."""
    if tail.reader is None and not tail.position.offset:
        head = _head(path)
        report.format = detect(head)
        if report.format == ARRAY:
            yield _array(path, tail, report, reading)
            return
        if report.format is None:
            report.skipped = "no log of Zeek or Suricata" if head else "empty"
            return
    if tail.is_packed and not tail.is_done:
        report.problem = f"{shown(path)}: the log is damaged: the compressed file ends too early"
    elif tail.lag:
        report.problem = f"{shown(path)}: the last line has no end yet; its {tail.lag:,} bytes are left for later"


def _array(path: Path, tail: Tail, report: FileReport, reading: Reading) -> Scanned:
    with open_log(path) as stream:
        content = stream.read()
    data = b"".join(array_lines(io.BytesIO(content), path))
    reader = reader_of(ARRAY, reading.wanted, tail.position.log)
    events = Events(tail.sensor, shown(path), reading.now)
    stretch = match(reader, reading.engine, data, events, max_line=reading.max_line)
    position = tail.position
    position.offset, position.pending, position.lines = len(content), None, reader.lines
    position.format, position.check = EveReader.format, check_of(content)
    report.note(stretch)
    report.lines = reader.lines
    return Scanned(report, stretch, size_of(path), _copy(position))


def _head(path: Path) -> bytes:
    with open_log(path) as stream:
        try:
            return stream.read(HEAD)
        except DAMAGE as error:
            raise SourceError(f"{shown(path)}: the log is damaged: {error}") from error


def _on_disk(path: Path, tail: Tail) -> int:
    """Tell how much of a file on disk is behind the position; of a compressed one about."""
    size = size_of(path)
    if not tail.is_packed:
        return min(tail.position.offset, size)
    return min(size, size * tail.position.offset // max(1, tail.size))


def _copy(position: Position) -> Position:
    return msgspec.structs.replace(position)


def is_there(position: Position) -> bool:
    """Tell whether the file of a position is still there, under the name by which it was last seen."""
    path = Path(position.path)
    try:
        status = path.stat()
        head = head_of(path)
    except (OSError, ValueError, SourceError):
        return False
    # An inode is given to the next file as soon as it is free.
    is_same = (status.st_dev, status.st_ino) == (position.device, position.inode) and not position.cut
    return is_same and fingerprint(head[: position.prefix]) == (position.prefix, position.digest)
