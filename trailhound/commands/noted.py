"""Changes that are made at the command line, in the audit log."""

import getpass
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import structlog

from stores.desk.contract import AuditEntry
from trailhound.commands import desks
from trailhound.errors import StoreError
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings

_log = structlog.get_logger("audit")


def note(
    settings: Settings,
    action: str,
    what: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down what was done. It is done already, so a desk that does not answer is only a warning."""
    entry = AuditEntry(_who(), "", int(time.time() * MICROSECONDS), action, what, before, after)
    try:
        with closing(desks.open_desk(settings)) as desk:
            desk.record(entry)
    except StoreError as error:
        _log.warning("this change does not stand in the audit log", action=action, object=what, reason=str(error))


def _who() -> str:
    try:
        return f"command line ({getpass.getuser()})"
    except (KeyError, OSError):
        return "command line"
