"""What is said of log-ins: one line each, in a fixed form that a filter of fail2ban finds.

It goes to standard error whatever the form of the other lines, so that one filter fits all. Names come from outside:
only letters of names are written, so nobody can write a second line, or another address into this one.
"""

import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

from api.access.people import MAX_NAME

What = Literal["failed", "locked", "succeeded", "key-refused"]


def write(what: What, address: str | None, name: str) -> None:
    """Write a line such as `2026-02-01T12:00:00Z trailhound[login]: failed from 192.0.2.1 user "bob"`."""
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with suppress(OSError, ValueError):
        sys.stderr.write(f'{moment} trailhound[login]: {what} from {address or "nowhere"} user "{_plain(name)}"\n')
        sys.stderr.flush()


def _plain(name: str) -> str:
    return "".join(char if char.isascii() and (char.isalnum() or char in "._@+-") else "?" for char in name[:MAX_NAME])
