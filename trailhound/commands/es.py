"""`es`: set up Elasticsearch as a store, look at it, and find out what is wrong with it."""

from typing import Annotated

import typer

from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of

# `es_work` is imported where it is needed: its client takes half a second, which no other command should wait for.
app = typer.Typer(no_args_is_help=True, help="Set up Elasticsearch as the store of events, and look at it.")

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Change nothing in the cluster; write what would be sent, as JSON.")
]


@app.command()
def setup(
    config: ConfigOption = None, state: StateOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Bring the cluster up to what this version needs: templates, lifecycle, indices. What is right is left alone.

    Exit status: 0 done, or nothing to do; 2 trouble.

    Example:

      trailhound es setup --dry-run

      trailhound es setup
    """
    from trailhound.commands import es_work  # noqa: PLC0415

    es_work.set_up(settings_of(config, state), dry_run=dry_run, as_json=as_json)


@app.command()
def status(config: ConfigOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Show the cluster and our part of it. Exit status: 0 set up, 1 `es setup` is due, 2 trouble.

    Example:

      trailhound es status --json
    """
    from trailhound.commands import es_work  # noqa: PLC0415

    if not es_work.show(settings_of(config, state), as_json=as_json):
        raise typer.Exit(1)


@app.command()
def check(config: ConfigOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Try to use the cluster, and say what is wrong and how to mend it. Exit status: 0 all well, 1 not, 2 trouble.

    Example:

      trailhound es check --config /etc/trailhound.toml
    """
    from trailhound.commands import es_work  # noqa: PLC0415

    if not es_work.check(settings_of(config, state), as_json=as_json):
        raise typer.Exit(1)
