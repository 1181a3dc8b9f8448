"""x509.log: certificates. Zeek logs them without the connection they came in; ssl.log has that."""

from collections.abc import Iterator

from matchers.observer import Observer, Probe, Sight, Sighting
from matchers.observers.ssl import common_name
from trailhound.record import Record


def _observe(record: Record) -> Iterator[Sighting]:
    fingerprint = record.text("fingerprint")
    if fingerprint:
        yield Sighting(Sight.CERTIFICATE, fingerprint, "tls.server.hash")
    subject = common_name(record.text("certificate.subject"))
    if subject:
        yield Sighting(Sight.NAME, subject, "tls.server.x509.subject.common_name")
    for name in record.texts("san.dns"):
        yield Sighting(Sight.NAME, name.removeprefix("*."), "tls.server.x509.alternative_names")


X509 = Observer(
    log="x509",
    protocol="tls",
    probes={"fingerprint": Probe.HASH, "certificate.subject": Probe.SUBJECT, "san.dns": Probe.NAME},
    observe=_observe,
    ecs={
        "tls.server.subject": "certificate.subject",
        "tls.server.issuer": "certificate.issuer",
        "tls.server.x509.serial_number": "certificate.serial",
        "tls.server.x509.alternative_names": "san.dns",
    },
)
