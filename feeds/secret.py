"""Secrets that go with requests: where they are kept, and how they are kept out of everything else."""

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from trailhound.errors import FetchError, SettingsError
from trailhound.secret import find

# Where a secret belongs in a header or URL of a feed.
MARK = "{secret}"
# Masking shorter ones would turn every message into stars.
_SHORTEST = 4


def find_secret(name: str, folder: Path | None = None) -> str:
    """Give the secret of a name, as `trailhound.secret.find` does. Raises `FetchError`, which does not hold it."""
    try:
        return find(name, folder)
    except SettingsError as error:
        raise FetchError(str(error)) from error


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
