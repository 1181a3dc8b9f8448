"""ntlm.log, and EVE `smb`: log-ins with NTLM, mostly over SMB."""

from typing import Any

from matchers.observer import ENDS, Observer, ends
from matchers.observers.ssh import outcome
from trailhound.record import Record


def _derive(record: Record) -> dict[str, Any]:
    return outcome(record.fields.get("success"))


NTLM = Observer(
    log="ntlm",
    suricata="smb",
    probes=ENDS,
    observe=ends,
    derive=_derive,
    ecs={"user.name": "username", "user.domain": "domainname", "zeek.ntlm.hostname": "hostname"},
)
