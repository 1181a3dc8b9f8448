"""`feeds`: update feeds, switch them on and off, carry them over an air gap."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from feeds import catalogue, status, switches, transfer
from feeds.feed import Feed
from feeds.fetch import Fetched, fetch
from feeds.formats import all_formats
from feeds.intake import FeedReport
from feeds.manners import Manners
from feeds.shelf import Shelf
from feeds.sources import SOURCES
from feeds.table import feeds_table, formats_table
from feeds.update import Update, update
from trailhound.commands import feeds_shown, feeds_trial, feeds_work, prepare
from trailhound.commands.feeds_progress import display
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.errors import FetchError, SettingsError
from trailhound.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Fetch public lists of trails, and see how old and how well they are.")
KEPT_OLD = 1
NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Feeds; without any, all that are on.")
]


@app.command("update")
def update_(
    names: NamesArgument = None,
    config: ConfigOption = None,
    state: StateOption = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Fetch nothing; read anew what was fetched before.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Take up also a named feed that shrank or changed shape: you have looked.")
    ] = False,
    due: Annotated[bool, typer.Option("--due", help="Only feeds whose time has come, as a timer wants it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch feeds, keep what is good, and put a new trail set in force; running processes take it up by themselves.

    Exit status: 0 all well, 1 some feeds kept their old copy, 2 trouble.

    Examples:

      trailhound feeds update

      trailhound feeds update openphish --accept
    """
    settings = _ready(config, state)
    if accept and not names:
        raise SettingsError("--accept: name the feeds that you have looked at")
    feeds = feeds_work.known(settings)
    chosen = _chosen(settings, feeds, names or [], due=due)
    shelf, manners = feeds_work.shelf(settings), feeds_work.manners(settings)
    with display(len(chosen)) as shown:

        def fetched(wanted: Sequence[Feed]) -> Iterator[Fetched]:
            for one in fetch(wanted, shelf, manners, shown.came, sources=SOURCES):
                shown.ended(one.feed.name)
                yield one

        results = None if offline else fetched
        done = update(chosen, settings, shelf, feeds, fetch=False, results=results, accept=chosen if accept else ())
    _say(done, as_json)


def _chosen(settings: Settings, feeds: Mapping[str, Feed], names: Sequence[str], *, due: bool) -> list[str]:
    feeds_work.refuse_unknown(names, feeds)
    feeds_work.refuse_off(names, feeds)
    wanted = list(dict.fromkeys(names)) or [name for name, feed in feeds.items() if feed.enabled]
    if not due:
        return wanted
    ripe = status.due_now(feeds_work.statuses(settings), int(time.time()))
    return [name for name in wanted if name in ripe]


def _ready(config: Path | None, state: Path | None) -> Settings:
    settings = settings_of(config, state)
    feeds_work.refuse_useless(settings)
    prepare.state_directory(settings)
    return settings


def _say(done: Update, as_json: bool, left_alone: Sequence[str] = ()) -> None:
    """Say what an update did, and end with the status that tells it."""
    if as_json:
        typer.echo(json.dumps(_as_object(done) | ({"left_alone": list(left_alone)} if left_alone else {})))
    else:
        for report in done.feeds:
            if report.outcome == "new" or not report.well:
                typer.echo(visible(_line(report)))
        for words in left_alone:
            typer.echo(visible(f"{words}, and was left alone"))
        typer.echo(_summary(done))
    if not done.well:
        raise typer.Exit(KEPT_OLD)


def _line(report: FeedReport) -> str:
    said = f"{report.trails:,} trails, {report.added:,} came, {report.removed:,} went"
    refused = f", {report.refused:,} refused" if report.refused else ""
    match report.outcome:
        case "new" | "unchanged":
            return f"{report.name}: {said}{refused}" + (f"; but {report.reason}" if report.reason else "")
        case "kept":
            return f"{report.name}: kept its old copy of {report.trails:,} trails: {report.reason}"
        case "missing":
            return f"{report.name}: nothing is there yet: {report.reason}"


def _summary(done: Update) -> str:
    words = ("new", "unchanged", "kept", "missing")
    counts = [(word, sum(report.outcome == word for report in done.feeds)) for word in words]
    said = ", ".join(f"{count} {word}" for word, count in counts if count) or "nothing to do"
    feeds = _feeds(len(done.feeds))
    if done.compiled is None:
        return f"{feeds} in {done.seconds:.1f} s: {said}; the trail set is as it was"
    return f"{feeds} in {done.seconds:.1f} s: {said}; {done.compiled.trails:,} trails in force{_left_out(done)}"


def _left_out(done: Update) -> str:
    if done.merged is None:
        return ""
    kept_out = sum(done.merged.kept_out.values())
    said = [f"{done.merged.unsettled:,} that too few lists have"] if done.merged.unsettled else []
    said += [f"{kept_out:,} kept out"] if kept_out else []
    return f" ({', '.join(said)})" if said else ""


def _as_object(done: Update) -> dict[str, Any]:
    made = done.compiled
    return {
        "feeds": [asdict(report) for report in done.feeds],
        "set": {"trails": made.trails, "bytes": made.bytes, "checksum": made.checksum} if made else None,
        "unsettled": done.merged.unsettled if done.merged else None,
        "kept_out": dict(done.merged.kept_out) if done.merged else None,
        "seconds": round(done.seconds, 3),
    }


@app.command()
def enable(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Feeds.")],
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Switch feeds on. They are fetched at the next update.

    It is kept in the state directory and is stronger than the catalogue and your file of feeds, neither of which is
    written to.

    Example:

      trailhound feeds enable phishtank
    """
    settings = _switch(names, config, state, on=True)
    when = "soon" if settings.feeds.update else "by `trailhound feeds update`"
    typer.echo(visible(f"{', '.join(names)}: on, to be fetched {when}{_put_in_force(settings)}"))


@app.command()
def disable(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Feeds.")],
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Switch feeds off. What they gave counts no longer, and is there again when they are switched on.

    Example:

      trailhound feeds disable phishtank
    """
    settings = _switch(names, config, state, on=False)
    typer.echo(visible(f"{', '.join(names)}: off{_put_in_force(settings)}"))


def _put_in_force(settings: Settings) -> str:
    """Have what was switched count at once, with what lies on the shelf; say what came of it."""
    if not settings.compiles_trails:
        return ""
    try:
        done = update((), settings, feeds_work.shelf(settings), feeds_work.known(settings), fetch=False)
    except FetchError as error:
        return f"; it counts from the next update on, since {error}"
    return f"; {done.compiled.trails:,} trails in force" if done.compiled else "; the trail set is as it was"


def _switch(names: Sequence[str], config: Path | None, state: Path | None, *, on: bool) -> Settings:
    settings = settings_of(config, state)
    prepare.state_directory(settings)
    feeds = feeds_work.written(settings)
    feeds_work.refuse_unknown(names, feeds)
    switches.switch(settings.shelf_path, feeds, dict.fromkeys(names, on))
    return settings


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What `feeds export` wrote, or downloaded files.")],
    config: ConfigOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take feeds from a folder, for sites without a way to the Internet; they are judged as what is fetched.

    A downloaded file is called after its feed (openphish.txt), or as its URL ends, or lies in a folder of that name.
    Feeds that are off are left alone. Exit status: as of `feeds update`.

    Example:

      trailhound feeds import /media/stick/feeds
    """
    settings = _ready(config, state)
    feeds = feeds_work.known(settings)
    found = transfer.look(feeds, folder)
    wanted = [name for name in found.names if feeds[name].enabled]
    if not wanted:
        off = f"; {', '.join(found.names)} are off" if found.names else ""
        raise FetchError(f"{folder}: holds nothing of a feed that is on{off}")
    shelf = feeds_work.shelf(settings)
    bring = partial(_brought, _only(found, wanted), feeds, shelf, feeds_work.manners(settings))
    done = update(wanted, settings, shelf, feeds, results=bring)
    left = [f"{name} belongs to no feed" for name in found.strange]
    left += [f"{name} is off" for name in found.names if name not in wanted]
    _say(done, as_json, left)


def _brought(
    found: transfer.Found, feeds: Mapping[str, Feed], shelf: Shelf, manners: Manners, _: Sequence[Feed]
) -> Iterator[Fetched]:
    return transfer.import_folder(found, feeds, shelf, manners)


def _only(found: transfer.Found, wanted: Sequence[str]) -> transfer.Found:
    return transfer.Found(
        {name: copy for name, copy in found.exported.items() if name in wanted},
        {name: paths for name, paths in found.files.items() if name in wanted},
        found.strange,
    )


@app.command("export")
def export_(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; made when it is missing.")],
    names: NamesArgument = None,
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Write the last good copies of feeds to a folder, for `feeds import` on another host.

    Example:

      trailhound feeds export /media/stick/feeds
    """
    settings = settings_of(config, state)
    feeds = feeds_work.known(settings)
    feeds_work.refuse_unknown(names or (), feeds)
    shelf = feeds_work.shelf(settings)
    with shelf.alone():
        wanted: Sequence[str] = names or [name for name, feed in feeds.items() if feed.enabled]
        done = transfer.export_folder(shelf, wanted, folder)
    typer.echo(f"{_feeds(len(done))} in {folder}")
    for name in names or ():
        if name not in done:
            typer.echo(f"{name}: nothing is there yet")


def _feeds(number: int) -> str:
    return "1 feed" if number == 1 else f"{number} feeds"


@app.command()
def docs(
    into: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Put them into this page, in the place of those before.")
    ] = None,
) -> None:
    """Write the tables of docs/feeds.md in Markdown: all feeds with their licence, and all formats.

    Example:

      trailhound feeds docs --into docs/feeds.md
    """
    tables = {"feeds": feeds_table(catalogue.load().values()), "formats": formats_table(all_formats())}
    if into is None:
        typer.echo("\n".join(tables.values()), nl=False)
        return
    try:
        into.write_text(with_tables(into.read_text("utf-8"), tables), "utf-8")
    except OSError as error:
        raise SettingsError(f"{into}: cannot be written: {error.strerror}") from error


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """Put tables into a page, each between its marks."""
    for name, table in tables.items():
        begin, end = f"<!-- table of {name} -->\n", f"<!-- end of {name} -->\n"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise SettingsError(f"the page has no place for the table of {name}: {begin.strip()} ... {end.strip()}")
        page = f"{before}{begin}\n{table}\n{end}{after}"
    return page


app.command("list")(feeds_shown.list_)
app.command("diff")(feeds_shown.diff)
app.command("test")(feeds_trial.try_out)
