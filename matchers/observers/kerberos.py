"""kerberos.log, and EVE `krb5`: what clients asked a domain controller for, and what it said."""

from typing import Any

from matchers.observer import ENDS, Observer, ends
from matchers.observers.ssh import outcome
from trailhound.record import Record


def _derive(record: Record) -> dict[str, Any]:
    name, _, domain = (record.text("client") or "").partition("/")
    return {"user.name": name or None, "user.domain": domain or None, **outcome(record.fields.get("success"))}


KERBEROS = Observer(
    log="kerberos",
    suricata="krb5",
    protocol="kerberos",
    probes=ENDS,
    observe=ends,
    derive=_derive,
    ecs={
        "zeek.kerberos.request_type": "request_type",
        "zeek.kerberos.service": "service",
        "zeek.kerberos.error_msg": "error_msg",
    },
)
