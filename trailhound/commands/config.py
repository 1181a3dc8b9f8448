"""`config`: show, check and document the settings."""

import json
from typing import Any

import tomli_w
import typer

from trailhound.commands import suspicions
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.settings import ENVIRONMENT_PREFIX, REQUIRED, TAKEN_UP, default_file, keys

app = typer.Typer(no_args_is_help=True, help="Show, check and document the settings.")


@app.command()
def show(config: ConfigOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Show all settings as they are in force, as a settings file that can be used.

    Example:

      trailhound config show > trailhound.toml
    """
    values = settings_of(config, state).model_dump(mode="json", exclude_none=True)
    typer.echo(json.dumps(values) if as_json else tomli_w.dumps(values), nl=as_json)


@app.command()
def check(config: ConfigOption = None, state: StateOption = None) -> None:
    """Read the settings and say whether they are right. Exit status: 0 right, 2 not.

    Example:

      trailhound config check --config /etc/trailhound.toml
    """
    suspicions.standings(settings_of(config, state))
    path = config or default_file()
    typer.echo(
        f"{path}: the settings are right" if path.exists() else f"{path} is not there; the defaults are in force"
    )


@app.command()
def docs() -> None:
    """Write the documentation of every setting, in Markdown.

    Example:

      trailhound config docs > docs/settings.md
    """
    typer.echo(document(), nl=False)


def document() -> str:
    """Give the page of all settings, made from the model itself."""
    lines = [
        "# Settings",
        "",
        "Settings come from a TOML file (`--config FILE`, else `~/.config/trailhound/trailhound.toml`), from the",
        "environment and from the command line, each stronger than the one before. An unknown key is an error.",
        f"In the environment `api.port` is `{ENVIRONMENT_PREFIX}API__PORT`; lists and tables are written as JSON.",
        "A key with `[]` stands in each table of a list (`[[logs.folders]]`) or in each named table.",
        "",
        "At SIGHUP (`systemctl reload trailhound`) a running Trailhound reads them again, trails and whitelists too.",
        f"It takes up {', '.join(f'`{key}`' for key in TAKEN_UP)};",
        "of other changes it says that they need a restart. Settings that are wrong change nothing; it says what is",
        "wrong with them.",
        "",
        "This page is made by `trailhound config docs`.",
        "",
        "| setting | default | what it is |",
        "|---|---|---|",
    ]
    lines += [f"| `{key}` | {_default(key, value)} | {about} |" for key, (about, value) in keys().items()]
    return "\n".join(lines) + "\n"


def _default(key: str, value: Any) -> str:
    if key == "state_dir":
        return "`~/.local/state/trailhound`"  # Whoever writes the page may have it elsewhere.
    if value is None or value is REQUIRED:
        return value or "unset"
    if isinstance(value, tuple):
        return " ".join(f"`{item}`" for item in value) or "none"
    return f"`{json.dumps(value)}`" if value != {} else "none"
