"""`trails key`: make a key with which a sensor may have the trail set."""

import json
import secrets
from hashlib import sha256
from typing import Annotated

import tomli_w
import typer

from trailhound.commands.options import JsonOption
from trailhound.sharing import SensorKey

_BYTES = 32


def key(
    name: Annotated[str, typer.Argument(help="Who will have the key; stands in the log.")],
    custom: Annotated[bool, typer.Option("--custom", help="It may have trails of your own too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a key for a sensor, and the lines for the settings of this Trailhound. The key is shown this once.

    Examples:

      trailhound trails key dmz

      trailhound trails key --custom headquarters
    """
    if not 0 < len(name) <= 255 or not name.isprintable():
        raise typer.BadParameter("1 to 255 printable characters were expected", param_hint="NAME")
    made = secrets.token_urlsafe(_BYTES)
    entry = SensorKey(name=name, sha256=sha256(made.encode()).hexdigest(), custom=custom).model_dump()
    if as_json:
        typer.echo(json.dumps({"key": made, **entry}))
        return
    typer.echo(f"The key, for the sensor; keep it secret, it is not shown again:\n\n  {made}\n")
    typer.echo(f"For the settings file here, then restart:\n\n[[handing_on.keys]]\n{tomli_w.dumps(entry)}", nl=False)
