"""`keys`: what programs show instead of logging in."""

import json
import re
import time
from dataclasses import asdict
from typing import Annotated

import typer

from api.access.people import Key
from api.access.principal import Scope
from trailhound.commands.noted import note
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.commands.users import NetworkOption, accounts, day

app = typer.Typer(no_args_is_help=True, help="Keys of programs: playbooks, firewalls, monitoring.")
_DAYS = re.compile(r"[1-9][0-9]{0,4}d?")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who will have the key.")],
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may; several times for several. Without any: read.")
    ] = None,
    network: NetworkOption = None,
    hide_custom: Annotated[bool, typer.Option("--hide-custom", help="Hide trails of the site's own.")] = False,
    expires: Annotated[
        str | None, typer.Option(metavar="DAYS", help="After how many days it ends, such as 90; else never.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Make a key. It is shown this once.

    Examples:

      trailhound keys add soar --scope read --scope triage --expires 90

      trailhound keys add firewall --scope lists
    """
    settings = settings_of(config, state)
    ends = None if expires is None else int(time.time()) + 86_400 * _days(expires)
    wanted = Key(
        *("", name, frozenset(scope or [Scope.READ]), tuple(network or ()), not hide_custom),
        expires=ends,
        creator="command line",
    )
    secret, made = accounts(settings).add_key(wanted)
    note(settings, "key.add", f"key/{name}", after={"scopes": sorted(made.scopes), "networks": list(made.networks)})
    if as_json:
        typer.echo(json.dumps({"secret": secret, **_facts(made)}))
        return
    typer.echo(f"The key, which is not shown again:\n\n  {secret}\n")
    typer.echo("It is sent as `Authorization: Bearer KEY` or `X-Api-Key: KEY`.")


@app.command("list")
def list_(config: ConfigOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """List all keys, without their secrets.

    Example:

      trailhound keys list
    """
    found = accounts(settings_of(config, state)).all_keys()
    if as_json:
        typer.echo(json.dumps([_facts(key) for key in found]))
        return
    for key in found:
        sight = ", ".join(key.networks) or "all networks"
        scopes = " ".join(sorted(key.scopes))
        times = f"used {day(key.used)}, ends {day(key.expires)}"
        typer.echo(f"{key.id} {visible(key.name):24} {scopes:26} {sight}, {times}")
    if not found:
        typer.echo("There are no keys.")


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Name or id of the key.")],
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Revoke a key; whoever shows it is refused from now on.

    Example:

      trailhound keys revoke soar
    """
    settings = settings_of(config, state)
    revoked = accounts(settings).revoke(name)
    note(settings, "key.revoke", f"key/{revoked.name}", before={"scopes": sorted(revoked.scopes)})
    typer.echo(f"The key {visible(revoked.name)} is good for nothing any more.")


def _facts(key: Key) -> dict[str, object]:
    return {**asdict(key), "scopes": sorted(key.scopes)}


def _days(text: str) -> int:
    if not _DAYS.fullmatch(text):
        raise typer.BadParameter("a number of days such as 90 was expected", param_hint="--expires")
    return int(text.removesuffix("d"))
