"""files.log, and EVE `fileinfo`: hashes of what was transferred. A certificate is a file to Zeek too."""

from collections.abc import Iterator

from matchers.observer import ENDS, Observer, Probe, Sight, Sighting, ends
from trailhound.record import Record

# The strongest first: one file that several trails know by different hashes is one match.
HASHES = ("sha256", "sha1", "md5")
_CERTIFICATES = frozenset({"application/x-x509-user-cert", "application/x-x509-ca-cert", "application/pkix-cert"})


def _observe(record: Record) -> Iterator[Sighting]:
    certificate = record.text("mime_type") in _CERTIFICATES
    for field in HASHES:
        value = record.text(field)
        if value and not certificate:
            yield Sighting(Sight.FILE, value, f"file.hash.{field}")
        elif value:
            yield Sighting(Sight.CERTIFICATE, value, f"tls.server.hash.{field}")
    yield from ends(record)


FILES = Observer(
    log="files",
    suricata="fileinfo",
    probes={**ENDS, **dict.fromkeys(HASHES, Probe.HASH)},
    observe=_observe,
    answered=lambda _: True,
    ecs={
        "file.hash.md5": "md5",
        "file.hash.sha1": "sha1",
        "file.hash.sha256": "sha256",
        "file.mime_type": "mime_type",
        "file.name": "filename",
        "file.size": "total_bytes",
        "network.application": "source",
    },
)
