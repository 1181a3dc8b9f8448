"""`users`: who may log in."""

import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from api.access import passwords
from api.access.accounts import Accounts
from api.access.people import User
from api.access.principal import Role
from trailhound.commands import prepare
from trailhound.commands.noted import note
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.errors import AccessError
from trailhound.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Who may log in to console and API.")
NameArgument = Annotated[str, typer.Argument(help="Name of the user.")]
NetworkOption = Annotated[
    list[str] | None,
    typer.Option(
        "--network", metavar="CIDR", help="Only events of this network are shown; may be given several times."
    ),
]
StdinOption = Annotated[bool, typer.Option("--stdin", help="Read the password from standard input; else one is made.")]


def accounts(settings: Settings) -> Accounts:
    """Open the accounts of a state directory."""
    return Accounts(prepare.state_directory(settings) / "accounts.sqlite")


@app.command()
def add(
    name: NameArgument,
    role: Annotated[Role, typer.Option(help="viewer: read; analyst: triage and lists too; admin: everything.")] = (
        Role.VIEWER
    ),
    network: NetworkOption = None,
    hide_custom: Annotated[bool, typer.Option("--hide-custom", help="Hide trails of the site's own.")] = False,
    stdin: StdinOption = False,
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Add a user. Without --stdin a password is made, and shown this once.

    Examples:

      trailhound users add alice --role analyst

      trailhound users add bob --network 192.0.2.0/24
    """
    settings = settings_of(config, state)
    password, made = _password(stdin=stdin)
    wanted = User(name, role, tuple(network or ()), not hide_custom)
    added = accounts(settings).add_user(wanted, password)
    note(settings, "user.add", f"user/{name}", after={"role": str(role), "networks": list(added.networks)})
    typer.echo(f"{name} may log in, as {role}.")
    if made:
        typer.echo(f"The password, which is not shown again:\n\n  {password}\n")


@app.command("list")
def list_(config: ConfigOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """List all users.

    Example:

      trailhound users list
    """
    found = accounts(settings_of(config, state)).users()
    if as_json:
        typer.echo(json.dumps([asdict(user) for user in found]))
        return
    for user in found:
        sight = ", ".join(user.networks) or "all networks"
        hidden = "" if user.sees_custom else ", no trails of the site's own"
        typer.echo(f"{visible(user.name):24} {user.role:8} {sight}{hidden}, since {day(user.created)}")
    if not found:
        typer.echo("There are no users.")


@app.command()
def passwd(
    name: NameArgument, stdin: StdinOption = False, config: ConfigOption = None, state: StateOption = None
) -> None:
    """Give a user another password; all their sessions end. Without --stdin one is made, and shown this once.

    Examples:

      trailhound users passwd admin

      trailhound users passwd alice --stdin < password.txt
    """
    settings = settings_of(config, state)
    password, made = _password(stdin=stdin)
    accounts(settings).set_password(name, password)
    note(settings, "user.password", f"user/{name}")
    typer.echo(f"The password of {visible(name)} is another now; all sessions of {visible(name)} have ended.")
    if made:
        typer.echo(f"It is not shown again:\n\n  {password}\n")


@app.command()
def remove(name: NameArgument, config: ConfigOption = None, state: StateOption = None) -> None:
    """Remove a user; all their sessions end.

    Example:

      trailhound users remove alice
    """
    settings = settings_of(config, state)
    removed = accounts(settings).remove_user(name)
    note(settings, "user.remove", f"user/{name}", before={"role": str(removed.role)})
    typer.echo(f"{visible(name)} may not log in any more.")


def first_admin(settings: Settings) -> None:
    """Make the first admin where there is no user yet, and show the password: on the terminal, and nowhere else."""
    if settings.api.access == "open":
        return
    known = accounts(settings)
    try:
        if known.has_users():
            return
        password = passwords.generate()
        if known.first_admin(password):
            _show(settings, password)
    finally:
        known.close()


def _show(settings: Settings, password: str) -> None:
    if _is_journal():
        state = f" --state {settings.state_dir}"
        typer.echo(
            "Trailhound: there is a user admin now. A journal is no place for a password: get one with"
            f" `trailhound users passwd admin{state}`",
            err=True,
        )
        return
    typer.echo(
        f"Trailhound: there is a user now; this password is not shown again:\n\n  user      admin\n"
        f"  password  {password}\n",
        err=True,
    )


def _is_journal() -> bool:
    """Tell whether standard error goes to systemd's journal, where it would stay (systemd.exec(5))."""
    try:
        device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
        about = os.fstat(2)
        return (about.st_dev, about.st_ino) == (int(device), int(inode))
    except (OSError, ValueError):
        return False


def day(seconds: int | None) -> str:
    return "never" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _password(*, stdin: bool) -> tuple[str, bool]:
    """Give a password, and whether it was made here."""
    if not stdin:
        return passwords.generate(), True
    given = sys.stdin.read(passwords.MAX_LENGTH + 2).removesuffix("\n").removesuffix("\r")
    if "\n" in given:
        raise AccessError("one line with the password was expected on standard input")
    return given, False
