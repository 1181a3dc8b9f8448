"""Options that several commands share, and how they become settings."""

from pathlib import Path
from typing import Annotated, Any

import typer

from trailhound import log
from trailhound.settings import Settings, load

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", envvar="TRAILHOUND_CONFIG", help="Settings file (TOML)."),
]
StateOption = Annotated[
    Path | None, typer.Option("--state", metavar="FOLDER", help="State directory; stronger than the setting state_dir.")
]
TrailsOption = Annotated[
    list[Path] | None,
    typer.Option("--trails", "-t", metavar="PATH", help="Trail file, folder or archive; may be given several times."),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="KIND", help="`embedded` or `elasticsearch`; stronger than the setting store.kind."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for machines.")]


def settings_of(config: Path | None, state: Path | None = None, **sections: dict[str, Any]) -> Settings:
    """Read the settings, as `read_settings` does, and go by what they say of logs."""
    settings = read_settings(config, state, **sections)
    log.configure(settings)
    return settings


def read_settings(config: Path | None, state: Path | None = None, **sections: dict[str, Any]) -> Settings:
    """Read the settings; `sections` holds what the command line says, None for what it leaves open."""
    overrides: dict[str, Any] = {
        section: {key: value for key, value in values.items() if value is not None}
        for section, values in sections.items()
    }
    if state is not None:
        overrides["state_dir"] = state
    return load(config, overrides)
