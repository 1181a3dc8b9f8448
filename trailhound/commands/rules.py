"""`rules`: which heuristics and behaviours there are, what each does and why, and switching them on and off."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from feeds import switches
from matchers.heuristics import choice
from trailhound.commands import feeds, prepare, rules_measured, rules_pages, rules_shown, suspicions
from trailhound.commands.options import ConfigOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.errors import SettingsError
from trailhound.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Heuristics and behaviours: what they find and why, on and off.")
NamesArgument = Annotated[list[str], typer.Argument(metavar="NAME...", help="Heuristics or behaviours.")]


@app.command()
def enable(names: NamesArgument, config: ConfigOption = None, state: StateOption = None) -> None:
    """Switch heuristics on. Running processes take it up by themselves.

    It is kept in the state directory. What the settings say of a heuristic by name (heuristics.disabled,
    heuristics.also) is stronger, so such a one is refused here.

    Example:

      trailhound rules enable port-scan
    """
    _switch(names, config, state, on=True)
    typer.echo(visible(f"{', '.join(names)}: on"))


@app.command()
def disable(names: NamesArgument, config: ConfigOption = None, state: StateOption = None) -> None:
    """Switch heuristics off. Running processes take it up by themselves.

    To silence one for a host, a network, a name or below a score, mute that instead (heuristics.mute in the settings).

    Example:

      trailhound rules disable port-scan
    """
    _switch(names, config, state, on=False)
    typer.echo(visible(f"{', '.join(names)}: off"))


def _switch(names: Sequence[str], config: Path | None, state: Path | None, *, on: bool) -> None:
    settings = settings_of(config, state)
    prepare.state_directory(settings)
    for name in names:
        _refuse_settled(name, settings, on=on)
    switches.switch(suspicions.switches_in(settings), suspicions.rules(), dict.fromkeys(names, on), suspicions.SWITCHED)


def _refuse_settled(name: str, settings: Settings, *, on: bool) -> None:
    """Raise `SettingsError` for a heuristic that there is not, and for one of which the settings say the opposite."""
    if name not in suspicions.rules():
        raise SettingsError(choice.no_such(name, suspicions.rules()))
    asked = settings.heuristics
    if on and not asked.enabled:
        raise SettingsError("heuristics.enabled is false in the settings, so no heuristic can be switched on")
    key = "disabled" if name in asked.disabled else "also" if name in asked.also else ""
    if key and (key == "also") != on:
        raise SettingsError(f"{name} stands in heuristics.{key} of the settings, which is stronger; take it out there")


@app.command()
def docs(
    into: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Put them into this page, in the place of those before.")
    ] = None,
) -> None:
    """Write what docs/heuristics.md says of each heuristic, in Markdown.

    Example:

      trailhound rules docs --into docs/heuristics.md
    """
    all_ = suspicions.rules().values()
    parts = {"heuristics": rules_pages.table(all_), "each heuristic": rules_pages.pages(all_)}
    if into is None:
        typer.echo("\n".join(parts.values()), nl=False)
        return
    try:
        into.write_text(feeds.with_tables(into.read_text("utf-8"), parts), "utf-8")
    except OSError as error:
        raise SettingsError(f"{into}: cannot be written: {error.strerror}") from error


app.command("list")(rules_shown.list_)
app.command()(rules_shown.explain)
app.command()(rules_measured.measure)
