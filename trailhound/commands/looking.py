"""What the process does that looks for behaviour. It imports pandas; nothing else may import this."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from ingest.folding import Bounds, Folder, steps
from ingest.past import HOUR
from matchers import behaviour
from matchers.behaviour.analysing import analyse
from matchers.networks import HomeNetworks
from trailhound.commands.look import Look, Looked


def look_through(asked: Look, path: Path, segments: Sequence[Path], into: Looked) -> None:
    """Fold segments, look through the window or windows, and remember what was found. May raise `OSError`."""
    settings = asked.settings.behaviour
    folder = Folder(
        path,
        behaviour.columns(behaviour.registry().values()),
        _remembered(),
        HomeNetworks(asked.settings.networks.home),
        Bounds(None if asked.steps else settings.window_hours, asked.upto, settings.max_rows),
    )
    folder.open()
    with closing(folder):
        _look_through(asked, folder, segments, into)


def _look_through(asked: Look, folder: Folder, segments: Sequence[Path], into: Looked) -> None:
    folder.fold(segments)
    into.dropped += folder.dropped
    for start, end in _windows(asked, folder):
        window = folder.window(start, end)
        into.rows += sum(len(frame) for frame in window.frames.values())
        analysed = analyse(window, asked.chosen)
        into.seen += analysed.seen
        into.failed |= analysed.failed
        for name, seconds in analysed.spent.items():
            into.spent[name] = into.spent.get(name, 0.0) + seconds
        for one in analysed.seen:
            folder.past.note_found(one.behaviour, one.found.key, one.time)
    folder.keep_past()
    into.held += folder.held()


def _remembered() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in behaviour.registry().values():
        for log, column in one.remembers:
            found[log].append(column)
    return found


def _windows(asked: Look, folder: Folder) -> Iterator[tuple[int, int]]:
    extent = folder.extent()
    if extent is None:
        return
    hours = asked.settings.behaviour.window_hours
    if asked.steps:
        yield from steps(extent, hours)
    else:
        yield extent[1] - int(hours * HOUR), extent[1]
