"""Secrets that go with requests: where they are kept, and how they are kept out of everything else."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from trailhound.errors import FetchError

# Where a secret belongs in a header or URL of a feed.
MARK = "{secret}"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_MAX_BYTES = 8192
# Masking shorter ones would turn every message into stars.
_SHORTEST = 4


def find_secret(name: str, folder: Path | None = None) -> str:
    """Give the secret of a name: the environment variable, else the file in systemd's credentials, else in `folder`.

    `folder` is the site's folder of secrets, one file each. Raises `FetchError`, which does not hold the secret.
    """
    if not _NAME.fullmatch(name):
        raise FetchError(f"secret = {name[:100]!r}: a name of letters, digits, `_`, `-` and `.` was expected")
    found = os.environ.get(name)
    places = [Path(place) for place in (os.environ.get("CREDENTIALS_DIRECTORY"), folder) if place]
    for place in places if found is None else ():
        found = _of_file(place / name)
        if found is not None:
            break
    if not found or not found.strip():
        files = "".join(f", nor is there a file {place / name}" for place in places)
        raise FetchError(f"the secret {name} is missing: there is no such environment variable{files}")
    found = found.strip()
    if not found.isascii() or not found.isprintable():
        raise FetchError(f"the secret {name} cannot be sent: one line of printable ASCII was expected")
    return found


def _of_file(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FetchError(f"{path}: the secret cannot be read: {error.strerror}") from error
    if len(content) > _MAX_BYTES:
        raise FetchError(f"{path}: the file is too large for a secret")
    return content.decode("utf-8", "replace")


def filled(text: str, secret: str) -> str:
    return text.replace(MARK, secret)


def filled_url(url: str, secret: str) -> str:
    return url.replace(MARK, quote(secret, safe=""))


def masked(text: str, secrets: Iterable[str]) -> str:
    """Take every secret out of a text that people will see, in each form that it has on its way."""
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            forms = "|".join(re.escape(form) for form in (secret, quote(secret, safe=""), quote(secret)))
            # Hosts and escapes change their case on the way.
            text = re.sub(forms, "***", text, flags=re.IGNORECASE)
    return text
