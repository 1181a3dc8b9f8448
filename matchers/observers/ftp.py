"""ftp.log, and EVE `ftp`: commands and what the server replied."""

from typing import Any

from matchers.observer import ENDS, Observer, ends
from matchers.observers.ssh import outcome
from trailhound.record import Record

LOGGED_IN, NOT_LOGGED_IN = 230, 530  # RFC 959.


def _derive(record: Record) -> dict[str, Any]:
    return outcome({LOGGED_IN: True, NOT_LOGGED_IN: False}.get(record.number("reply_code") or 0))


FTP = Observer(
    log="ftp",
    suricata="ftp",
    protocol="ftp",
    probes=ENDS,
    observe=ends,
    derive=_derive,
    # Never `arg` and `password`: they may be what somebody logs in with.
    ecs={"user.name": "user", "zeek.ftp.command": "command", "zeek.ftp.reply_code": "reply_code"},
)
