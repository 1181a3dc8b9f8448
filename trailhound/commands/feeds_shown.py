"""`feeds list` and `feeds diff`: how feeds are, and what came and went."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from feeds import life
from feeds.feed import Feed
from feeds.granary import Granary
from feeds.status import Status
from matchers.trailset import value_of
from trailhound.commands import feeds_work
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.errors import SettingsError
from trailhound.start import start_of

_DAY = 86_400  # Seconds.
_WIDE = 160  # Columns.
_LONGEST = 40  # Letters of a licence.
_SHOWN = 20  # Trails of each sort that `diff` shows without --all.
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def list_(
    config: ConfigOption = None,
    state: StateOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Also feeds that are off.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show feeds: how old they are, what the last change brought, what went wrong, licence, and when they are due.

    Examples:

      trailhound feeds list

      trailhound feeds list --all --json | jq -r '.[] | select(.error != "") | .name'
    """
    settings = settings_of(config, state)
    now = int(time.time())
    found = [one for one in feeds_work.statuses(settings) if everything or one.enabled]
    if as_json:
        typer.echo(json.dumps([_as_object(one, now) for one in found]))
        return
    console = Console()
    # A file or a pipe has no width, so nothing needs to be cut for it.
    shown = console if console.is_terminal else Console(width=_WIDE)
    shown.print(_table(found, now, by_itself=settings.feeds.update))
    for one in found:
        if one.error and one.enabled:
            again = f", {one.failures} times in a row" if one.failures > 1 else ""
            typer.echo(visible(f"{one.feed.name}: {one.error} (since {_ago(now - one.failing)}{again})"))
    if not settings.feeds.update:
        typer.echo(
            "Feeds are updated by `trailhound feeds update`; with feeds.update = true, `trailhound run` does it."
        )


def _as_object(one: Status, now: int) -> dict[str, Any]:
    feed = one.feed
    said = asdict(one)
    del said["feed"]
    return {
        "name": feed.name,
        "origin": feed.origin,
        "format": feed.format,
        "class": feed.class_.value if feed.class_ else None,
        "group": feed.group,
        "agreement": feed.agreement,
        "licence": feed.licence,
        "reference": feed.reference,
        "note": feed.note,
        "interval": feed.interval,
        "age": one.age(now),
        "stale": one.stale(now),
        **said,
    }


def _table(found: Sequence[Status], now: int, *, by_itself: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for title in ("feed", "state"):
        table.add_column(title, no_wrap=True)
    for title in ("age", "trails"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("change", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    if by_itself:
        table.add_column("next", no_wrap=True)
    table.add_column("licence", no_wrap=True, overflow="ellipsis")
    for one in found:
        age = one.age(now)
        due = [_next(one, now) if one.enabled else ""] if by_itself else []
        table.add_row(
            Text(one.feed.name),
            Text(_state(one, now), style=_style(one, now)),
            "" if age is None else _ago(age),
            f"{one.trails:,}" if one.trails else "",
            _change(one),
            _size(one.bytes) if one.bytes else "",
            *due,
            Text(visible(_short(one.feed.licence))),
        )
    return table


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _change(one: Status) -> str:
    if not (one.added or one.removed or one.absent):
        return ""
    return f"+{one.added:,} -{one.removed:,}" + (f", {one.absent:,} leaving" if one.absent else "")


def _state(one: Status, now: int) -> str:
    if not one.enabled:
        return "off (by command)" if one.switched else "off"
    if one.stale(now):
        return "old"
    if one.error:
        return "failed" if one.trails or one.checked else "missing"
    return "well" if one.checked else "never"


def _style(one: Status, now: int) -> str:
    if not one.enabled or not one.tried:
        return "dim"
    return "red" if one.stale(now) else "yellow" if one.error else "green"


def _next(one: Status, now: int) -> str:
    return "now" if one.due <= now else f"in {_ago(one.due - now)}"


def _ago(seconds: int) -> str:
    for size, unit in _UNITS:
        if seconds >= 2 * size or (size == 60 and seconds >= size):
            return f"{seconds // size} {unit}"
    return f"{max(0, seconds)} s"


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"


def diff(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A feed.")],
    config: ConfigOption = None,
    state: StateOption = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="From then on (6h, 7d, 2026-01-31); else the last day, or two intervals."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All trails, not only the first of each sort.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show which trails came into a feed and which went, by when they were last listed; the last 90 days are known.

    Examples:

      trailhound feeds diff openphish

      trailhound feeds diff urlhaus --since 7d --json
    """
    settings = settings_of(config, state)
    feeds = feeds_work.known(settings)
    feeds_work.refuse_unknown([name], feeds)
    granary = Granary(settings.shelf_path)
    kept = granary.index().get(name)
    harvest = granary.get(name, kept) if kept is not None else None
    if kept is None or harvest is None:
        raise SettingsError(f"{name}: nothing has come of it yet; `trailhound feeds update {name}` fetches it")
    came, went = life.changes(harvest, _since(since, feeds[name]))
    if as_json:
        typer.echo(json.dumps({"name": name, "came": _listed(came), "went": _listed(went)}))
        return
    typer.echo(f"{name}: {len(came):,} came, {len(went):,} went")
    for sign, keys in (("+", came), ("-", went)):
        for key, _ in keys if everything else keys[:_SHOWN]:
            typer.echo(visible(f"{sign} {value_of(key)}"))
        if not everything and len(keys) > _SHOWN:
            typer.echo(f"{sign} ... {len(keys) - _SHOWN:,} more; all of them with --all")


def _since(text: str | None, feed: Feed) -> int:
    if text is None:
        return int(time.time()) - max(_DAY, 2 * feed.interval)
    try:
        found = start_of(text, time.time())
    except ValueError as error:
        raise SettingsError(f"--since = {text!r}: a time such as 2026-01-31T12:00 or 6h was expected") from error
    return int(found or 0)


def _listed(keys: Sequence[tuple[bytes, int]]) -> list[dict[str, Any]]:
    return [{"value": value_of(key), "when": when} for key, when in keys]
