"""quic.log, and EVE `quic`: names of connections over QUIC."""

from collections.abc import Iterator

from matchers.observer import ENDS, Observer, Probe, Sighting, ends
from matchers.observers.ssl import fingerprints, server_name
from trailhound.record import Record


def _observe(record: Record) -> Iterator[Sighting]:
    yield from server_name(record)
    yield from fingerprints(record)
    yield from ends(record)


QUIC = Observer(
    log="quic",
    suricata="quic",
    protocol="quic",
    probes={**ENDS, "server_name": Probe.HOST, "ja3": Probe.HASH, "ja3s": Probe.HASH, "ja4": Probe.HASH},
    observe=_observe,
    ecs={"tls.client.server_name": "server_name", "tls.client.ja3": "ja3", "zeek.quic.version": "version"},
)
