"""ssl.log, and EVE `tls`: names, certificates and fingerprints of encrypted connections."""

import re
from collections.abc import Iterator

from matchers.observer import ENDS, Observer, Probe, Sight, Sighting, ends, told_twice
from trailhound.record import Record

_COMMON_NAME = re.compile(r"(?:^|[,/]\s*)CN=([^,/]+)")
FINGERPRINTS = {"ja3": Sight.JA3, "ja3s": Sight.JA3S, "ja4": Sight.JA4}


def common_name(subject: str | None) -> str | None:
    """Give the name that a certificate's subject is about."""
    found = _COMMON_NAME.search(subject or "")
    return found[1].strip().removeprefix("*.") if found else None


def fingerprints(record: Record) -> Iterator[Sighting]:
    for field, sight in FINGERPRINTS.items():
        value = record.text(field)
        if value:
            yield Sighting(sight, value, f"tls.{'server' if sight is Sight.JA3S else 'client'}.{field}")


def server_name(record: Record) -> Iterator[Sighting]:
    name = record.text("server_name")
    if name:
        repeat, occasion = told_twice(record, name)
        yield Sighting(Sight.NAME, name, "tls.client.server_name", repeat, occasion)
        yield Sighting(Sight.URL, name, "tls.client.server_name", repeat, occasion, path="/")


def _observe(record: Record) -> Iterator[Sighting]:
    yield from server_name(record)
    for field in ("cert_chain_fps", "fingerprint"):
        for value in record.texts(field):
            yield Sighting(Sight.CERTIFICATE, value, "tls.server.hash")
    yield from fingerprints(record)
    subject = common_name(record.text("subject"))
    if subject:
        yield Sighting(Sight.NAME, subject, "tls.server.x509.subject.common_name")
    yield from ends(record)


def _answered(record: Record) -> bool | None:
    # The version is what the server chose; of a client that nobody answered Suricata says that it is undetermined.
    chosen = record.text("version") not in (None, "", "UNDETERMINED")
    return True if chosen or record.text("cipher") or record.fields.get("established") is True else None


SSL = Observer(
    log="ssl",
    suricata="tls",
    protocol="tls",
    probes={
        **ENDS,
        "server_name": Probe.HOST,
        "cert_chain_fps": Probe.HASH,
        "fingerprint": Probe.HASH,
        "subject": Probe.SUBJECT,
        "ja3": Probe.HASH,
        "ja3s": Probe.HASH,
        "ja4": Probe.HASH,
    },
    observe=_observe,
    answered=_answered,
    ecs={
        "tls.version": "version",
        "tls.cipher": "cipher",
        "tls.established": "established",
        "tls.resumed": "resumed",
        "tls.client.server_name": "server_name",
        "tls.client.ja3": "ja3",
        "tls.server.ja3s": "ja3s",
        "tls.server.subject": "subject",
        "tls.server.issuer": "issuer",
    },
)
