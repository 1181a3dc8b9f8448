"""What the rules would say of a bare value: every reading of it, what it meets, what keeps it from counting."""

from collections.abc import Iterator

from matchers.observer import Sight, Sighting
from matchers.rules import Rules, Verdict
from trailhound.canonical import Indicator, host_port, readings
from trailhound.trail import TrailKind

_SIGHTS = {
    TrailKind.USER_AGENT: (Sight.AGENT, "user_agent.original"),
    TrailKind.CERT_SHA1: (Sight.CERTIFICATE, "tls.server.hash.sha1"),
    TrailKind.CERT_SHA256: (Sight.CERTIFICATE, "tls.server.hash.sha256"),
    TrailKind.JA3: (Sight.JA3, "tls.client.ja3"),
    TrailKind.JA3S: (Sight.JA3S, "tls.server.ja3s"),
    TrailKind.JA4: (Sight.JA4, "tls.client.ja4"),
    TrailKind.FILE_MD5: (Sight.FILE, "file.hash.md5"),
    TrailKind.FILE_SHA1: (Sight.FILE, "file.hash.sha1"),
    TrailKind.FILE_SHA256: (Sight.FILE, "file.hash.sha256"),
    TrailKind.EMAIL: (Sight.EMAIL, "email.from.address"),
}


def explain(rules: Rules, value: str) -> tuple[tuple[Indicator, ...], list[Verdict]]:
    """Give the readings of a value, and a verdict for each trail that it meets, each trail once."""
    found = readings(value)
    verdicts: dict[bytes, Verdict] = {}
    for reading in found:
        for sighting in _sightings(reading):
            for verdict in rules.verdicts(sighting):
                verdicts.setdefault(verdict.key, verdict)
    for reading in found:
        trail = rules.trails.get(reading.kind, reading.value)
        if trail is not None and not any(verdict.trail == trail for verdict in verdicts.values()):
            # Networks and patterns are not seen in records, but a person may ask for them.
            hidden = rules.exceptions.hides(trail.value)
            verdicts[reading.value.encode("utf-8", "surrogatepass")] = Verdict(b"", trail, reading.value, hidden)
    return found, list(verdicts.values())


def _sightings(reading: Indicator) -> Iterator[Sighting]:
    """Turn a reading into what it would be in a record."""
    kind, value = reading
    if kind in (TrailKind.DOMAIN, TrailKind.TLD):
        yield Sighting(Sight.NAME, value, "dns.question.name")
    elif kind in (TrailKind.IPV4, TrailKind.IPV6):
        yield Sighting(Sight.ADDRESS, value, "destination.ip")
    elif kind is TrailKind.IP_PORT:
        host, port = host_port(value)
        yield Sighting(Sight.ADDRESS, host, "destination.ip", port=port)
    elif kind in (TrailKind.URL, TrailKind.HTTP_HOST):
        authority, _, path = value.partition("/")
        host = host_port(authority)[0]
        yield Sighting(Sight.URL, authority, "url.original", path=f"/{path}")
        yield Sighting(Sight.NAME, host, "url.domain")
        yield Sighting(Sight.ADDRESS, host, "destination.ip")
    elif kind is TrailKind.PATH:
        yield Sighting(Sight.URL, "host.invalid", "url.original", path=value)
    elif kind in _SIGHTS:
        sight, role = _SIGHTS[kind]
        yield Sighting(sight, value, role)
