"""`decisions`: block or allow an address, a range or a domain until a time."""

import getpass
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any

import typer
from fastapi.exceptions import RequestValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api import acting
from stores.desk import Desk
from stores.desk.contract import MAX_REASON, Author, Decision, Verdict
from trailhound.commands import prepare
from trailhound.commands.desks import open_desk
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.errors import SettingsError
from trailhound.event import timestamp
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Say what block lists give, and what they never give.")
ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why; whoever comes next wants to know.")]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="WHEN", help="When it ends: 4h, 30d, or a time in ISO 8601.")
]
AllowOption = Annotated[bool, typer.Option("--allow", help="Never block it, whatever else would.")]
ValueArgument = Annotated[str, typer.Argument(metavar="VALUE", help="An address, a network or a name.")]


@app.command()
def add(
    value: ValueArgument,
    reason: ReasonOption = "",
    until: UntilOption = None,
    allow: AllowOption = False,
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Block a value, or allow it.

    Examples:

      trailhound decisions add 45.155.205.233 --reason "brute force on ssh" --until 4h

      trailhound decisions add 203.0.113.0/24 --allow --reason "our office"
    """
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        raise SettingsError(f"--reason: a sentence of at most {MAX_REASON:,} characters was expected")
    settings = settings_of(config, state)
    author, verdict = _author(), Verdict.ALLOW if allow else Verdict.BLOCK
    try:
        scope, canonical = acting.decided(verdict, value, settings.networks.home)
        ends = acting.ending(until, author.at)
    except RequestValidationError as error:
        said = error.errors()[0]
        raise SettingsError(f"decisions add: {said['loc'][1]}: {said['msg']}") from error
    wanted = Decision(secrets.token_hex(8), verdict, scope, canonical, reason, author.who, author.at, ends)
    prepare.state_directory(settings)
    with closing(open_desk(settings)) as desk:
        made = desk.add_decision(wanted, author)
    typer.echo(visible(f"{made.id}: {made.verdict} {made.value}, {_when(made)}"))


@app.command("list")
def list_(config: ConfigOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Show the decisions in force, the oldest first.

    Example:

      trailhound decisions list --json
    """
    now = _now()
    with _desk(settings_of(config, state)) as desk:
        found = desk.decisions(now=now)
    if as_json:
        for one in found:
            typer.echo(json.dumps(_as_object(one, now)))
    elif not found:
        typer.echo("there are no decisions")
    else:
        table = Table("id", "what", "when", "by", "reason")
        for one in found:
            cells = (one.id, f"{one.verdict} {one.value}", _when(one), one.by, one.reason)
            table.add_row(*(Text(visible(cell), overflow="fold") for cell in cells))
        Console().print(table)


@app.command()
def lift(
    decision: Annotated[
        str, typer.Argument(metavar="ID|VALUE", help="The id of a decision, or the value that those to lift are about.")
    ],
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """End a decision, or all that are about a value.

    Examples:

      trailhound decisions lift 5f0c1d2e3f405162

      trailhound decisions lift 45.155.205.233
    """
    author = _author()
    with _desk(settings_of(config, state)) as desk:
        found = [one for one in desk.decisions(now=author.at) if decision.strip() in (one.id, one.value)]
        if not found:
            raise SettingsError(
                f"{decision!r}: there is no such decision; `trailhound decisions list` shows those there are"
            )
        for one in found:
            desk.lift_decision(one.id, one.version, author)
            typer.echo(visible(f"{one.id}: {one.verdict} {one.value} is lifted"))


@contextmanager
def _desk(settings: Settings) -> Iterator[Desk]:
    prepare.state_directory(settings)
    with closing(open_desk(settings)) as desk:
        yield desk


def _author() -> Author:
    try:
        return Author(f"command line ({getpass.getuser()})", "", _now())
    except (KeyError, OSError):
        return Author("command line", "", _now())


def _now() -> int:
    return time.time_ns() * MICROSECONDS // 10**9


def _when(one: Decision) -> str:
    return "until it is lifted" if one.ends is None else f"until {timestamp(one.ends)}"


def _as_object(one: Decision, now: int) -> dict[str, Any]:
    return acting.decision(one, now).model_dump(mode="json")
