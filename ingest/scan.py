"""Archives: files and folders, compressed or not, read once from beginning to end."""

import fnmatch
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.formats import ARRAY, HEAD, array_lines, detect, open_log, reader_of, whole_lines
from ingest.logtypes import log_of_file
from ingest.positions import Position
from ingest.stretch import Stretch, match
from ingest.tail import shown
from ingest.unpack import DAMAGE
from matchers.engine import Engine
from matchers.events import Events
from trailhound.errors import SourceError


@dataclass(slots=True)
class FileReport:
    """What became of one file. `skipped` says why it was not read, `problem` why not to its end.

    `already` counts the bytes of its content that had been read before, and were not read again.
    """

    path: str
    format: str | None = None
    records: int = 0
    lines: int = 0
    unreadable: int = 0
    events: int = 0
    skipped: str | None = None
    problem: str | None = None
    already: int = 0

    def note(self, stretch: Stretch) -> None:
        """Add what a stretch came to."""
        self.records += stretch.records
        self.unreadable += len(stretch.bad_lines)
        self.events += len(stretch.events)


@dataclass(frozen=True, slots=True)
class Scanned:
    """A stretch of a file, or with `stretch` None the end of the file. `read` counts bytes on disk so far.

    `position` says where reading of the file stands after it, where that is kept.
    """

    report: FileReport
    stretch: Stretch | None
    read: int
    position: Position | None = None


@dataclass(slots=True)
class Unit:
    """Files that belong together: logs of one folder and one rotation, which show the same connections.

    `known` holds the saved positions that may be those of a file.
    """

    files: list[Path] = field(default_factory=list)
    bytes: int = 0
    known: dict[Path, tuple[Position, ...]] = field(default_factory=dict)


def find_files(paths: Iterable[Path], exclude: Sequence[str] = ()) -> list[Path]:
    """List the files under the given files and folders, sorted. Raises `SourceError` for a path that is not there.

    A file that is named is read whatever its name; `exclude` holds for files found in folders.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise SourceError(f"{path}: there is no such file or folder")
        if not path.is_dir():
            found[path] = None
            continue
        for folder, folders, names in os.walk(path, onerror=_refuse):
            folders.sort()
            for name in sorted(names):
                file = Path(folder, name)
                # A named pipe would hold up reading for ever.
                if file.is_file() and not any(fnmatch.fnmatch(name, pattern) for pattern in exclude):
                    found[file] = None
    return list(found)


def _refuse(error: OSError) -> None:
    raise SourceError(f"{error.filename}: the folder cannot be read: {error.strerror}") from error


def units(files: Iterable[Path]) -> list[Unit]:
    """Group files so that each group can be read by a process of its own; the largest first."""
    groups: dict[tuple[Path, str], Unit] = {}
    for file in files:
        rotation = file.name.partition(".")[2]
        unit = groups.setdefault((file.parent, rotation), Unit())
        unit.files.append(file)
        unit.bytes += size_of(file)
    return sorted(groups.values(), key=lambda unit: -unit.bytes)


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def scan_file(path: Path, engine: Engine, sensor: str, *, max_line: int, now: Callable[[], int]) -> Iterator[Scanned]:
    """Read and match one file. What is wrong with the file is in its report; nothing is raised."""
    report = FileReport(str(path))
    read = 0
    try:
        with open_log(path) as stream:
            head = _head(path)
            report.format = detect(head)
            if report.format is None:
                report.skipped = "empty" if not head else "no log of Zeek or Suricata"
            else:
                wanted = engine.wanted()
                reader = reader_of(report.format, wanted, log_of_file(path.name))
                events = Events(sensor, shown(path), now)
                chunks = array_lines(stream, path) if report.format == ARRAY else whole_lines(stream, path, max_line)
                for data in chunks:
                    stretch = match(reader, engine, data, events, max_line=max_line)
                    report.note(stretch)
                    report.lines = reader.lines
                    read += len(data)
                    yield Scanned(report, stretch, read)
    except SourceError as error:
        if report.format is None:
            report.skipped = str(error)
        else:
            report.problem = str(error)
    yield Scanned(report, None, size_of(path))


def _head(path: Path) -> bytes:
    with open_log(path) as stream:
        try:
            return stream.read(HEAD)
        except DAMAGE as error:
            raise SourceError(f"{path}: the log is damaged: {error}") from error
