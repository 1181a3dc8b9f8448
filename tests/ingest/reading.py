"""Read logs the way archives are read, and see what came out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.batch import BadLine, Reader
from ingest.formats import ARRAY, HEAD, array_lines, detect, open_log, reader_of, whole_lines
from ingest.logtypes import log_of_file
from matchers.observers import OBSERVERS
from trailhound.errors import RecordError
from trailhound.record import Record

TRAPS = Path(__file__).parents[1] / "fixtures" / "traps"
MAX_LINE = 1 << 20
WANTED: Mapping[str, Sequence[str]] = {log: ("ts", *observer.probes) for log, observer in OBSERVERS.items()}


@dataclass(slots=True)
class Outcome:
    """What a log came to: its records and its bad lines, both by number of line."""

    records: dict[int, Record] = field(default_factory=dict)
    bad: dict[int, str] = field(default_factory=dict)

    @property
    def in_order(self) -> list[Record]:
        return [self.records[number] for number in sorted(self.records)]


def read(reader: Reader, chunks: Iterable[bytes], outcome: Outcome | None = None) -> Outcome:
    outcome = outcome or Outcome()
    for chunk in chunks:
        for part in reader.feed(chunk):
            if isinstance(part, BadLine):
                outcome.bad[part.number] = part.reason
                continue
            for row in range(len(part)):
                try:
                    outcome.records[part.number(row)] = part.record(row)
                except RecordError as error:
                    outcome.bad[part.number(row)] = str(error)
    return outcome


def read_file(path: Path) -> Outcome | None:
    """Read a file as an archive is read; None when it is no log."""
    with open_log(path) as stream:
        head = stream.read(HEAD)
    format_ = detect(head)
    if format_ is None:
        return None
    reader = reader_of(format_, WANTED, log_of_file(path.name))
    with open_log(path) as stream:
        lines = array_lines(stream, path) if format_ == ARRAY else whole_lines(stream, path, MAX_LINE)
        return read(reader, lines)


def trap(name: str) -> list[Record]:
    outcome = read_file(TRAPS / name)
    assert outcome is not None
    return outcome.in_order
