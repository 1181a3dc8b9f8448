"""`deadletters`: look at the lines that could not be read, and read them again."""

import fnmatch
import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingest.deadletters import Letter, LetterFile, files
from ingest.heartbeat import now
from ingest.replay import Replay, Replayed
from trailhound.commands import prepare
from trailhound.commands.alone import alone
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.errors import SourceError
from trailhound.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Look at the lines that could not be read, and read them again.")
LEFT = 1
SHOWN = 200  # Characters of a line in the table.
ReasonOption = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Only with this in the reason.")]
FileOption = Annotated[
    str | None, typer.Option("--file", metavar="PATTERN", help="Only of these files: a path, a name, a shell pattern.")
]


@dataclass(slots=True)
class _Group:
    """Letters of one file for one reason. `replayable` counts those that hold all it takes to read them again."""

    sensor: str
    file: str
    reason: str
    count: int
    replayable: int
    first: str
    last: str


@app.command("list")
def list_(
    reason: ReasonOption = None,
    file: FileOption = None,
    letters: Annotated[bool, typer.Option("--letters", help="Show the letters themselves, the newest ones.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many groups or letters at most.")] = 50,
    config: ConfigOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the dead letters by file and reason, the most first, or one by one. Exit status: 0, 2 for trouble.

    With --json one object: all groups, whatever the limit; with --letters one object a line.

    Examples:

      trailhound deadletters list

      trailhound deadletters list --file "conn*" --reason "columns expected" --letters --limit 5
    """
    settings = settings_of(config, state)
    chosen = _chosen(file, reason)
    if letters:
        _show_letters(deque((letter for letter in _letters(settings) if chosen(letter)), limit), as_json=as_json)
        return
    groups = _groups(letter for letter in _letters(settings) if chosen(letter))
    total = sum(group.count for group in groups)
    if as_json:
        typer.echo(json.dumps({"letters": total, "groups": [asdict(group) for group in groups]}))
        return
    _show_groups(groups, total, limit)


@app.command()
def replay(
    reason: ReasonOption = None,
    file: FileOption = None,
    config: ConfigOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read dead letters again, with the settings and trails of now; what can be read goes to the store.

    Its events have the ids that they would have had, so nothing is there twice. A letter is taken out after the store
    has acknowledged what came of it; what still cannot be read stays. Not while `trailhound run` is at work.

    Exit status: 0 all chosen letters were read, 1 some stay, 2 trouble (then none was taken out).

    Examples:

      trailhound deadletters replay

      trailhound deadletters replay --file "/opt/zeek/logs/*" --reason "max_line_bytes" --json
    """
    settings = settings_of(config, state)
    total = Replayed()
    with alone(settings, "dead letters are replayed"):
        there = files(settings.dead_letters_path)
        if there:
            total = _replay(settings, there, _chosen(file, reason))
    if as_json:
        typer.echo(json.dumps({**asdict(total), "left": total.left}))
    else:
        _print(total)
    if total.left:
        raise typer.Exit(LEFT)


def _replay(settings: Settings, there: list[Path], chosen: Callable[[Letter], bool]) -> Replayed:
    total = Replayed()
    engine = prepare.engine(settings, prepare.trail_set(settings))
    with closing(prepare.store(settings)) as store:
        work = Replay(engine, store, settings.logs.max_line_bytes, now)
        for path in there:
            try:
                one = work.run(LetterFile(path), chosen)
            except OSError as error:
                raise SourceError(f"{path}: the dead letters cannot be replayed: {error.strerror}") from error
            total = Replayed(*(mine + its for mine, its in zip(_numbers(total), _numbers(one), strict=True)))
    return total


def _numbers(replayed: Replayed) -> Iterator[int]:
    yield from asdict(replayed).values()


def _print(total: Replayed) -> None:
    if not total.chosen:
        typer.echo("there are no such dead letters")
        return
    events = f"{total.stored:,} new events"
    if total.known:
        events += f", {total.known:,} that the store had"
    typer.echo(f"{total.read:,} of {total.chosen:,} dead letters were read and taken out: {events}")
    for count, why in (
        (total.unreadable, "still cannot be read"),
        (total.cut, "hold only the beginning of a line that was too long to keep"),
        (total.unknown, "do not say what their reader knew (an older Trailhound wrote them)"),
    ):
        if count:
            typer.echo(f"{count:,} stay: they {why}")


def _chosen(file: str | None, reason: str | None) -> Callable[[Letter], bool]:
    def is_chosen(letter: Letter) -> bool:
        return (reason is None or reason in letter.reason) and (file is None or is_named(letter.file, file))

    return is_chosen


def is_named(path: str, pattern: str) -> bool:
    """Tell whether a shell pattern names a path, or the last part of it."""
    return path == pattern or fnmatch.fnmatch(path, pattern) or fnmatch.fnmatch(path.rpartition("/")[2], pattern)


def _letters(settings: Settings) -> Iterator[Letter]:
    for path in files(settings.dead_letters_path):
        letters = LetterFile(path)
        try:
            yield from letters
        except OSError as error:
            raise SourceError(f"{path}: the dead letters cannot be read: {error.strerror}") from error
        if letters.damaged:
            typer.echo(visible(f"{path}: {letters.damaged:,} lines are no dead letters; they are left alone"), err=True)


def _groups(letters: Iterator[Letter]) -> list[_Group]:
    found: dict[tuple[str, str, str], _Group] = {}
    for letter in letters:
        key = (letter.sensor, letter.file, letter.reason)
        group = found.setdefault(key, _Group(*key, 0, 0, letter.time, letter.time))
        group.count += 1
        group.replayable += letter.known is not None and not letter.cut
        group.first, group.last = min(group.first, letter.time), max(group.last, letter.time)
    return sorted(found.values(), key=lambda group: (-group.count, group.file, group.reason))


def _show_groups(groups: list[_Group], total: int, limit: int) -> None:
    if not groups:
        typer.echo("there are no dead letters")
        return
    table = Table("count", "can be replayed", "sensor", "file", "reason", "first", "last")
    for column in table.columns[:2]:
        column.justify = "right"
    for group in groups[:limit]:
        counts = f"{group.count:,}", f"{group.replayable:,}"
        words = (group.sensor, group.file, group.reason, group.first[:19], group.last[:19])
        table.add_row(*counts, *(Text(visible(word)) for word in words))
    console = Console()
    console.print(table)
    more = f"; {len(groups) - limit:,} more groups (--limit)" if len(groups) > limit else ""
    console.print(f"{total:,} dead letters{more}")


def _show_letters(letters: deque[Letter], *, as_json: bool) -> None:
    console = Console()
    for letter in letters:
        if as_json:
            typer.echo(json.dumps(_as_object(letter)))
            continue
        shown = letter.raw.decode("utf-8", "backslashreplace")
        more = "…" if len(shown) > SHOWN else ""
        place = f"{letter.time[:19]} {letter.sensor} {letter.file}:{letter.line}: {letter.reason}"
        console.print(Text(visible(place)), soft_wrap=True)
        console.print(Text(visible(f"    {shown[:SHOWN]}{more}")), soft_wrap=True)
    if not letters and not as_json:
        typer.echo("there are no dead letters")


def _as_object(letter: Letter) -> dict[str, Any]:
    return {
        "time": letter.time,
        "sensor": letter.sensor,
        "file": letter.file,
        "line": letter.line,
        "reason": letter.reason,
        "raw": letter.raw.decode("utf-8", "backslashreplace"),
        "cut": letter.cut,
        "format": letter.known.format if letter.known else None,
        "log": letter.known.log if letter.known else None,
    }
