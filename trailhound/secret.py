"""Secrets: settings name them, and never hold them."""

import os
import re
from pathlib import Path

from trailhound.errors import SettingsError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_MAX_BYTES = 8192


def find(name: str, folder: Path | None = None) -> str:
    """Give the secret of a name: the environment variable, else the file in systemd's credentials, else in `folder`.

    `folder` is the site's folder of secrets, one file each. Raises `SettingsError`, which does not hold the secret.
    """
    if not _NAME.fullmatch(name):
        raise SettingsError(f"secret = {name[:100]!r}: a name of letters, digits, `_`, `-` and `.` was expected")
    found = os.environ.get(name)
    places = [Path(place) for place in (os.environ.get("CREDENTIALS_DIRECTORY"), folder) if place]
    for place in places if found is None else ():
        found = _of_file(place / name)
        if found is not None:
            break
    if not found or not found.strip():
        files = "".join(f", nor is there a file {place / name}" for place in places)
        raise SettingsError(f"the secret {name} is missing: there is no such environment variable{files}")
    found = found.strip()
    if not found.isascii() or not found.isprintable():
        raise SettingsError(f"the secret {name} cannot be sent: one line of printable ASCII was expected")
    return found


def _of_file(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path}: the secret cannot be read: {error.strerror}") from error
    if len(content) > _MAX_BYTES:
        raise SettingsError(f"{path}: the file is too large for a secret")
    return content.decode("utf-8", "replace")
