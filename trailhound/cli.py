"""The command line: ties all parts together, and turns their errors into one clear sentence."""

import sys
from typing import Annotated

import typer

from trailhound import __version__
from trailhound.commands import (
    central,
    config,
    deadletters,
    decisions,
    doctor,
    es,
    events,
    export,
    feeds,
    key,
    keys,
    positions,
    rules,
    run,
    scan,
    send,
    trails,
    users,
    whitelist,
)
from trailhound.commands.screen import visible
from trailhound.errors import TrailhoundError

USAGE = 2  # Exit status of whatever could not be done.
INTERRUPTED = 130

app = typer.Typer(
    name="trailhound",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run.run)
app.command()(run.serve)
app.command()(run.demo)
app.command()(scan.scan)
app.command()(events.events)
app.command()(doctor.doctor)
app.add_typer(positions.app, name="positions")
app.add_typer(deadletters.app, name="deadletters")
trails.app.command()(export.export)
trails.app.command("pull")(central.pull_command)
trails.app.command()(key.key)
app.add_typer(trails.app, name="trails")
app.add_typer(feeds.app, name="feeds")
app.add_typer(rules.app, name="rules")
app.add_typer(whitelist.app, name="whitelist")
app.add_typer(decisions.app, name="decisions")
app.add_typer(es.app, name="es")
app.add_typer(send.app, name="send")
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(config.app, name="config")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"trailhound {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Look for threats in the logs that Zeek and Suricata already write."""


def main() -> None:
    """Run a command."""
    try:
        app()
    except TrailhoundError as error:
        typer.echo(visible(f"trailhound: {error}"), err=True)
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # The reader of our output left; there is nobody to tell.
        sys.exit(USAGE)
