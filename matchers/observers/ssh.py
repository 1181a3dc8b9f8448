"""ssh.log: log-ins over SSH. Whether one succeeded Zeek tells by how much was said afterwards."""

from typing import Any

from matchers.observer import ENDS, Observer, ends
from trailhound.record import Record


def _derive(record: Record) -> dict[str, Any]:
    return outcome(record.fields.get("auth_success"))


def outcome(success: object) -> dict[str, Any]:
    """Say in ECS how a log-in ended; nothing where the log does not know."""
    return {"event.outcome": "success" if success else "failure"} if isinstance(success, bool) else {}


SSH = Observer(
    log="ssh",
    protocol="ssh",
    probes=ENDS,
    observe=ends,
    derive=_derive,
    ecs={"zeek.ssh.client": "client", "zeek.ssh.server": "server", "zeek.ssh.auth_attempts": "auth_attempts"},
)
