"""`whitelist`: say what must not become an event, and who must never be blocked."""

import json
import os
import pwd
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from matchers import exceptions, hiding
from matchers.exceptions import Exemption, Level
from matchers.whitelist import Entry, local
from matchers.whitelist import entries as listed
from trailhound import canonical
from trailhound.commands import prepare
from trailhound.commands.noted import note
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.errors import SettingsError, TrailError
from trailhound.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Say what must not become an event, and who must never be blocked.")
HIDDEN = 1
_DURATION = re.compile(r"([0-9]{1,5})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

SourceOption = Annotated[
    str | None, typer.Option("--source", metavar="ADDRESS", help="Only for this source: an address or a network.")
]


ValueArgument = Annotated[str | None, typer.Argument(metavar="VALUE", help="A name, an address or a network.")]
ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why; whoever comes next wants to know.")]
TrailOption = Annotated[str | None, typer.Option("--trail", help="Only this trail, by its exact value.")]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="WHEN", help="When it runs out: 7d, 12h, or a time in ISO 8601.")
]
NeverBlockOption = Annotated[
    bool, typer.Option("--never-block", help="Events are made, but this address never stands on a block list.")
]


@app.command()
def add(
    value: ValueArgument = None,
    reason: ReasonOption = "",
    trail: TrailOption = None,
    source: SourceOption = None,
    until: UntilOption = None,
    never_block: NeverBlockOption = False,
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Add an exception: a value with all below it, a trail, or a trail for a source.

    Examples:

      trailhound whitelist add intranet.example --reason "our own"

      trailhound whitelist add --source 10.0.5.0/24 --trail evil.example --reason "malware lab" --until 30d

      trailhound whitelist add 203.0.113.9 --never-block --reason "the scanner that we pay for"
    """
    if not reason.strip():
        raise SettingsError("--reason is missing: one sentence on why this is an exception was expected")
    now = exceptions.utc_now().replace(microsecond=0)
    end = _moment(until, now) if until is not None else None
    level = Level.NEVER_BLOCK if never_block else Level.HIDE
    wanted = Exemption(1, reason.strip(), _user(), now, value or "", (trail or "").strip(), source or "", level, end)
    settings = settings_of(config, state)
    prepare.state_directory(settings)
    try:
        entry = exceptions.add(exceptions.path_in(settings.state_dir), wanted)
    except TrailError as error:
        raise SettingsError(f"whitelist add: {error}") from error
    note(settings, "exception.add", f"exception/{entry.id}", after=_as_object(entry, now))
    typer.echo(visible(f"entry {entry.id}: {_what(entry)}, {_when(entry, now)}"))


@app.command("list")
def list_(
    config: ConfigOption = None,
    state: StateOption = None,
    builtin: Annotated[bool, typer.Option("--builtin", help="Show also what comes with Trailhound.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the exceptions, and the lines of the whitelists that the settings name.

    Examples:

      trailhound whitelist list

      trailhound whitelist list --json --builtin
    """
    settings = settings_of(config, state)
    now = exceptions.utc_now()
    entries = exceptions.load(exceptions.path_in(settings.state_dir))
    lines = list(listed(settings.trails.whitelist, builtin=builtin))
    if builtin:
        lines += local(settings.trails.local_suffixes)
    if as_json:
        for said in (*(_as_object(entry, now) for entry in entries), *map(_line_as_object, lines)):
            typer.echo(json.dumps(said))
        return
    if not entries and not lines:
        typer.echo("there are no exceptions")
    _show(("entry", "what", "when", "by", "added", "reason"), (_row(entry, now) for entry in entries))
    _show(("line", "what", "reason"), ((line.place, line.value, line.reason) for line in lines))


@app.command()
def remove(
    number: Annotated[int, typer.Argument(metavar="ID", help="The number of the entry, as `whitelist list` shows it.")],
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Remove an exception.

    Example:

      trailhound whitelist remove 3
    """
    settings = settings_of(config, state)
    entry = exceptions.remove(exceptions.path_in(settings.state_dir), number)
    note(settings, "exception.remove", f"exception/{entry.id}", _as_object(entry, exceptions.utc_now()))
    typer.echo(visible(f"entry {entry.id} is removed: {_what(entry)}"))


@app.command()
def explain(
    value: Annotated[str, typer.Argument(metavar="VALUE", help="A name, an address, a URL, a hash, ...")],
    source: SourceOption = None,
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Say which entry would hide a value, the one that decides first. Exit status: 0 none, 1 one, 2 trouble.

    Examples:

      trailhound whitelist explain www.intranet.example

      trailhound whitelist explain evil.example --source 10.0.5.7
    """
    address = canonical.address(source) if source is not None else None
    if source is not None and address is None:
        raise SettingsError(f"--source: an address was expected, not {source!r}")
    said = _explained(settings_of(config, state), value, address)
    typer.echo(visible(f"{value!r}: {'hidden' if said.hidden else 'not hidden'}"))
    for line in (*said.hidden, *said.others):
        typer.echo(visible(f"  {line}"))
    if said.hidden:
        raise typer.Exit(HIDDEN)


def _explained(settings: Settings, value: str, source: str | None) -> hiding.Explanation:
    path = exceptions.path_in(settings.state_dir)
    entries = exceptions.load(path)
    trails = settings.trails
    now = exceptions.utc_now()
    return hiding.explain(value, source, entries, path, trails.whitelist, now, trails.local_suffixes)


def _user() -> str:
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _moment(text: str, now: datetime) -> datetime:
    """Read `7d` or ISO 8601; without a zone it is UTC."""
    match = _DURATION.fullmatch(text.strip())
    try:
        if match is not None:
            moment = now + timedelta(**{_UNITS[match[2]]: int(match[1])})
        else:
            read = datetime.fromisoformat(text.strip())
            moment = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SettingsError(
            f"--until: 7d, 12h or a time such as 2030-01-31T12:00Z was expected, not {text!r}"
        ) from error
    if moment <= now:
        raise SettingsError(f"--until: a time that is still to come was expected, not {text!r}")
    return moment


def _what(entry: Exemption) -> str:
    if entry.level is Level.NEVER_BLOCK:
        return f"never block {entry.source}"
    if entry.value:
        return f"hide {entry.value} and all below it"
    return f"hide trail {entry.trail}" + (f" from {entry.source}" if entry.source else "")


def _when(entry: Exemption, now: datetime) -> str:
    if entry.until is None:
        return "always"
    return f"{'until' if entry.in_force(now) else 'expired'} {_stamp(entry.until)}"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _row(entry: Exemption, now: datetime) -> tuple[str, ...]:
    return (str(entry.id), _what(entry), _when(entry, now), entry.by, _stamp(entry.added), entry.reason)


def _as_object(entry: Exemption, now: datetime) -> dict[str, Any]:
    return {
        "id": entry.id,
        "value": entry.value or None,
        "trail": entry.trail or None,
        "source": entry.source or None,
        "level": entry.level.value,
        "until": entry.until.isoformat() if entry.until is not None else None,
        "expired": not entry.in_force(now),
        "reason": entry.reason,
        "by": entry.by,
        "added": entry.added.isoformat(),
    }


def _line_as_object(line: Entry) -> dict[str, Any]:
    return {"value": line.value, "level": Level.HIDE.value, "reason": line.reason, "place": line.place}


def _show(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    table = Table(*titles)
    for row in rows:
        table.add_row(*(Text(visible(cell), overflow="fold") for cell in row))
    if table.row_count:
        Console().print(table)
