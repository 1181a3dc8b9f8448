"""Windows made of rows, through the spool and the folding that real records go through."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest import spool
from ingest.folding import Bounds, Folder
from matchers.behaviour import columns, registry
from matchers.behaviour.analysing import analyse
from matchers.behaviour.behaviour import Chosen, Seen
from matchers.behaviour.window import Window
from matchers.networks import HomeNetworks
from trailhound.record import MICROSECONDS

Row = Mapping[str, object]  # "ts" is seconds since the epoch; other columns as logs have them.
HOMES = ("10.0.0.0/8", "192.168.0.0/16")
START = 1_767_225_600.0  # The beginning of 2026.
DAY = 86_400.0
ALL_TIME = 2**62


def remembers() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for behaviour in registry().values():
        for log, column in behaviour.remembers:
            found[log].append(column)
    return found


def folder(path: Path, *, hours: float | None = None, upto: int = ALL_TIME, rows: int = 50_000_000) -> Folder:
    made = Folder(path, columns(registry().values()), remembers(), HomeNetworks(HOMES), Bounds(hours, upto, rows))
    made.open()
    return made


def segment(path: Path, logs: Mapping[str, Iterable[Row]], *, sensor: str = "s1", module: str = "zeek") -> Path:
    """Write rows as a segment of the spool."""
    frames = []
    for log, rows in logs.items():
        many = list(rows)
        names = columns(registry().values())[log]
        cells = {name: [row.get(name) for row in many] for name in names}
        frames.append(spool.packed(log, module, sensor, (), [row["ts"] for row in many], cells))
    path.write_bytes(b"".join(frames))
    return path


def window(start: float | None = None, /, **logs: Iterable[Row]) -> Window:
    """Make the window of all rows, or of those from a time on (seconds); what is before is remembered."""
    with TemporaryDirectory() as place:
        made = folder(Path(place, "window"))
        made.fold([segment(Path(place, "1.spool"), logs)])
        extent = made.extent()
        assert extent is not None
        return made.window(extent[0] if start is None else round(start * MICROSECONDS), extent[1])


def seen(name: str, looked_at: Window, **thresholds: float) -> list[Seen]:
    """Look for one behaviour."""
    behaviour = registry()[name]
    analysed = analyse(looked_at, [Chosen(behaviour, behaviour.thresholds.model_validate(thresholds))])
    assert analysed.failed == {}
    return analysed.seen
