"""`positions`: see where in which file reading stands, and set it anew."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingest import positions
from ingest.archive import is_there
from ingest.positions import Position
from ingest.tail import Tail
from matchers.observers import OBSERVERS, custom
from trailhound.commands.alone import alone
from trailhound.commands.deadletters import is_named
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.commands.sensors import sensor_of
from trailhound.errors import SettingsError, SourceError
from trailhound.event import timestamp
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings

app = typer.Typer(no_args_is_help=True, help="See where in which file reading stands, and set it anew.")
NONE = 1


class Where(StrEnum):
    """Where reading of a file is to go on."""

    BEGINNING = "beginning"
    END = "end"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where reading of one file stands. Numbers are bytes of what the file holds, unpacked if it is compressed.

    `lag` is what is not read yet, as far as that is known; `size` and `lag` are None when nobody knows. `pending` is
    the length of a stretch that was under way to the store when positions were saved. `seen` is ISO 8601, or None.
    """

    file: str
    sensor: str
    log: str
    format: str
    offset: int
    size: int | None
    lag: int | None
    pending: int
    lines: int
    seen: str | None
    gone: bool


@app.command("list")
def list_(
    pattern: Annotated[
        str | None, typer.Argument(metavar="[PATTERN]", help="Only these files: a path, a name, a shell pattern.")
    ] = None,
    config: ConfigOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show where reading stands: what was saved last. With --json one object a line. Exit status: 0, 2 for trouble.

    Examples:

      trailhound positions list

      trailhound positions list "conn*" --json
    """
    settings = settings_of(config, state)
    found = [_standing(settings, saved) for saved in positions.load(settings.positions_path) if _fits(saved, pattern)]
    found.sort(key=lambda standing: (standing.gone, standing.file))
    if as_json:
        for standing in found:
            typer.echo(json.dumps(asdict(standing)))
        return
    if not found:
        typer.echo("there are no such positions" if pattern else "there are no positions")
        return
    _show(found)


@app.command()
def reset(
    pattern: Annotated[
        str | None, typer.Argument(metavar="[FILE|PATTERN]", help="These files: a path, a name, a shell pattern.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All files.")] = False,
    to: Annotated[Where, typer.Option("--to", help="Where reading is to go on.")] = Where.BEGINNING,
    config: ConfigOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set where reading goes on: at the beginning of a file, or after what is in it now. Not while `run` is at work.

    What is read again may be counted again, for events are told apart by stretches of a log, and those may be others
    this time. A file that is gone has no end: with --to end its position stays.

    Exit status: 0 done, 1 there is no such position, 2 trouble (then nothing was changed).

    Examples:

      trailhound positions reset /opt/zeek/logs/current/conn.log

      trailhound positions reset --all --to end --json
    """
    if every == (pattern is not None):
        raise SettingsError("positions reset: either a file (or pattern) or --all was expected")
    settings = settings_of(config, state)
    with alone(settings, "positions are reset"):
        saved = positions.load(settings.positions_path)
        chosen = [position for position in saved if _fits(position, pattern)]
        changed = _set(settings, saved, chosen, to)
    if as_json:
        typer.echo(json.dumps({"reset": sorted(position.path for position in changed), "to": to.value}))
    elif chosen:
        typer.echo(f"{len(changed):,} of {len(saved):,} positions were set to the {to.value}")
    else:
        typer.echo("there are no such positions")
    if not chosen:
        raise typer.Exit(NONE)


def _set(settings: Settings, saved: positions.Saved, chosen: Sequence[Position], to: Where) -> Sequence[Position]:
    """Save positions of which some are set anew; give these."""
    anew: dict[int, Position | None]
    if to is Where.BEGINNING:
        anew = {id(position): None for position in chosen}
    else:
        anew = {id(position): _end(settings, position) for position in chosen if is_there(position)}
    if anew:
        left = [anew.get(id(position), position) for position in saved]
        _save(settings, positions.Saved(filter(None, left), saved.looked))
    return [position for position in chosen if id(position) in anew]


def _save(settings: Settings, left: positions.Saved) -> None:
    path = settings.positions_path
    try:
        positions.save(path, left)
    except OSError as error:
        raise SettingsError(f"{path}: the positions cannot be saved: {error.strerror}") from error


def _fits(position: Position, pattern: str | None) -> bool:
    return pattern is None or is_named(position.path, pattern)


def _standing(settings: Settings, saved: Position) -> Standing:
    there = is_there(saved)
    size = _size(saved) if there else None
    return Standing(
        file=saved.path,
        sensor=sensor_of(settings, Path(saved.path)),
        log=saved.log,
        format=saved.format,
        offset=saved.offset,
        size=size,
        lag=max(0, size - saved.offset) if size is not None else None,
        pending=max(0, (saved.pending or 0) - saved.offset),
        lines=saved.lines,
        seen=timestamp(int(saved.seen * MICROSECONDS)) if saved.seen else None,
        gone=not there,
    )


def _size(saved: Position) -> int | None:
    """Give the bytes of content; of a compressed file they are known only when it was read to its end."""
    path = Path(saved.path)
    try:
        tail = Tail(path, "", {}, None)
    except SourceError:
        return None
    status = path.stat()
    try:
        if not tail.is_packed:
            return tail.size
        is_done = (saved.size, saved.modified) == (status.st_size, status.st_mtime_ns)
        return saved.offset if is_done else None
    finally:
        tail.close()


def _end(settings: Settings, position: Position) -> Position:
    """Give the position after what is in a file now. Raises `SourceError` when it cannot be read."""
    tail = Tail(Path(position.path), "", _wanted(settings), None)
    try:
        tail.skip_to_end()
        end = tail.position
    finally:
        tail.close()
    end.log, end.seen = position.log, time.time()
    return end


def _wanted(settings: Settings) -> Mapping[str, Sequence[str]]:
    own = (custom(log, described.columns) for log, described in settings.logs.custom.items())
    observers = {**OBSERVERS, **{observer.log: observer for observer in own}}
    return {log: ("ts", *observer.probes) for log, observer in observers.items()}


def _show(found: Sequence[Standing]) -> None:
    under_way = ["under way"] if any(standing.pending for standing in found) else []
    table = Table("file", "sensor", "log", "offset", "size", "unread", *under_way, "last seen")
    table.columns[0].overflow = "fold"
    for column in table.columns[3:]:
        column.justify, column.no_wrap = "right", True
    for standing in found:
        words = (standing.file, standing.sensor, standing.log)
        pending = [f"{standing.pending:,}"] if under_way else []
        table.add_row(*(Text(visible(word)) for word in words), *_numbers(standing), *pending, _seen(standing))
    Console().print(table)
    gone = sum(standing.gone for standing in found)
    typer.echo(f"{len(found):,} positions, {gone:,} of files that are gone")


def _numbers(standing: Standing) -> Iterator[str]:
    yield f"{standing.offset:,}"
    for number in (standing.size, standing.lag):
        yield "?" if number is None else f"{number:,}"


def _seen(standing: Standing) -> str:
    when = standing.seen[:19] if standing.seen else ""
    return f"{when} (gone)".lstrip() if standing.gone else when
