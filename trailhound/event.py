"""An event: a match as it is stored, one ECS document."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from trailhound.record import MICROSECONDS
from trailhound.severity import Direction, Severity
from trailhound.trail import Trail, TrailClass, TrailKind

ECS_VERSION = "8.17.0"
_INDICATOR_TYPES = {
    TrailKind.DOMAIN: "domain-name",
    TrailKind.TLD: "domain-name",
    TrailKind.WILDCARD: "domain-name",
    TrailKind.IPV4: "ipv4-addr",
    TrailKind.IPV6: "ipv6-addr",
    TrailKind.CIDR: "ipv4-addr",
    TrailKind.IP_PORT: "ipv4-addr",
    TrailKind.URL: "url",
    TrailKind.HTTP_HOST: "url",
    TrailKind.PATH: "url",
    TrailKind.USER_AGENT: "user-agent",
    TrailKind.USER_AGENT_REGEX: "user-agent",
    TrailKind.CERT_SHA1: "x509-certificate",
    TrailKind.CERT_SHA256: "x509-certificate",
    TrailKind.JA3: "network-traffic",
    TrailKind.JA3S: "network-traffic",
    TrailKind.JA4: "network-traffic",
    TrailKind.FILE_MD5: "file",
    TrailKind.FILE_SHA1: "file",
    TrailKind.FILE_SHA256: "file",
    TrailKind.EMAIL: "email-addr",
    TrailKind.FILE_NAME: "file",
    TrailKind.USER_NAME: "user-account",
    TrailKind.PUBKEY_HASH: "artifact",
    TrailKind.OTHER: "artifact",
}
_CONFIDENCE_WORDS = ((70, "High"), (30, "Medium"), (1, "Low"), (0, "None"))
# What a class of trail says beside `network` and `intrusion_detection` in ECS `event.category`.
_CLASS_CATEGORIES = {TrailClass.MALWARE: ["malware"], TrailClass.C2: ["malware"], TrailClass.SINKHOLE: ["malware"]}


@dataclass(frozen=True, slots=True)
class Event:
    """A match, possibly of several like records.

    Times are microseconds since the epoch. `count` is the true number of records. `observed` is the value as it was
    seen, `role` where it stood, as an ECS field name. `ecs` holds the fields of the record itself under their dotted
    ECS names (`dns.question.name`).
    """

    id: str
    start: int
    end: int
    count: int
    sensor: str
    module: str
    dataset: str
    trail: Trail
    observed: str
    role: str
    severity: Severity
    direction: Direction
    answered: bool | None
    source_ip: str | None
    source_port: int | None
    destination_ip: str | None
    destination_port: int | None
    transport: str | None
    protocol: str | None
    message: str
    ingested: int = 0
    tags: tuple[str, ...] = ()
    ecs: Mapping[str, Any] = field(default_factory=dict)


def event_id(sensor: str, dataset: str, identity: str, time: int, kind: str, trail: str) -> str:
    """Name an event by immutable facts, so that a replay makes the same one.

    32 hexadecimal digits; the first eight are the time in seconds, which keeps neighbours in time together on disk.
    """
    facts = "\x1f".join((sensor, dataset, identity, str(time), kind, trail))
    digest = blake2b(facts.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return f"{time // MICROSECONDS & 0xFFFFFFFF:08x}{digest}"


def timestamp(time: int) -> str:
    """Write microseconds since the epoch as ISO 8601 in UTC."""
    seconds, micros = divmod(time, MICROSECONDS)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{micros:06d}Z"


def to_ecs(event: Event) -> dict[str, Any]:
    """Write an event as a nested ECS document."""
    # The name of a rule indicates nothing: it stands in `rule.name`.
    indicator = _indicator(event.trail) if event.trail.kind is not TrailKind.RULE else {}
    dotted: dict[str, Any] = {
        "@timestamp": timestamp(event.start),
        "ecs.version": ECS_VERSION,
        "message": event.message,
        "event.id": event.id,
        "event.kind": "alert",
        "event.category": ["network", "intrusion_detection", *_CLASS_CATEGORIES.get(event.trail.class_, ())],
        "event.type": ["connection", "info"],
        "event.module": event.module,
        "event.dataset": event.dataset,
        "event.severity": int(event.severity),
        "event.risk_score": float(event.severity),
        "event.start": timestamp(event.start),
        "event.end": timestamp(event.end),
        "event.ingested": timestamp(event.ingested) if event.ingested else None,
        "observer.name": event.sensor,
        "observer.type": "ids" if event.module == "suricata" else "sensor",
        "observer.vendor": {"zeek": "Zeek", "suricata": "OISF"}.get(event.module),
        "source.ip": event.source_ip,
        "source.address": event.source_ip,
        "source.port": event.source_port,
        "destination.ip": event.destination_ip,
        "destination.address": event.destination_ip,
        "destination.port": event.destination_port,
        "network.transport": event.transport,
        "network.protocol": event.protocol,
        "network.direction": event.direction.value,
        "tags": list(event.tags) or None,
        **event.ecs,
        "related": _related(event),
        "threat.indicator": indicator,
        "threat.enrichments": [
            {
                "indicator": indicator,
                "matched": {"atomic": event.trail.value, "field": event.role, "type": "trail", "id": event.id},
            }
        ]
        if indicator
        else [],
        "trailhound.count": event.count,
        "trailhound.trail": event.trail.value,
        "trailhound.kind": event.trail.kind.value,
        "trailhound.group": event.trail.kind.group.value,
        "trailhound.class": event.trail.class_.value,
        "trailhound.info": event.trail.info,
        "trailhound.sources": list(event.trail.sources),
        "trailhound.confidence": event.trail.confidence,
        "trailhound.custom": event.trail.custom,
        "trailhound.observed": event.observed,
        "trailhound.severity": event.severity.label,
        "trailhound.answered": event.answered,
    }
    return nest(dotted)


def nest(dotted: Mapping[str, Any]) -> dict[str, Any]:
    """Turn dotted names into nested objects; what is None or empty is left out."""
    document: dict[str, Any] = {}
    for name, value in dotted.items():
        if value is None or value in ("", [], {}):
            continue
        *parents, leaf = name.split(".")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = value
    return document


def _indicator(trail: Trail) -> dict[str, Any]:
    kind, value = trail.kind, trail.value
    type_ = _INDICATOR_TYPES[kind]
    address, port = value, None
    if kind is TrailKind.IP_PORT:
        address, _, digits = value.rpartition(":")
        address, port = address.strip("[]"), int(digits)
    if type_ == "ipv4-addr" and ":" in address:
        type_ = "ipv6-addr"
    dotted: dict[str, Any] = {
        "type": type_,
        "name": value,
        "description": trail.info,
        "provider": ", ".join(trail.sources),
        "reference": trail.reference or None,
        "confidence": next(word for least, word in _CONFIDENCE_WORDS if trail.confidence >= least),
        "first_seen": timestamp(trail.first_seen * MICROSECONDS) if trail.first_seen else None,
        "port": port,
    }
    if type_ in ("ipv4-addr", "ipv6-addr") and kind is not TrailKind.CIDR:
        dotted["ip"] = address
    elif kind in (TrailKind.URL, TrailKind.HTTP_HOST):
        host, _, path = value.partition("/")
        dotted |= {"url.original": value, "url.domain": host, "url.path": f"/{path}"}
    elif kind is TrailKind.PATH:
        dotted |= {"url.original": value, "url.path": value}
    elif kind is TrailKind.DOMAIN:
        dotted["url.domain"] = value
    elif kind in (TrailKind.FILE_MD5, TrailKind.FILE_SHA1, TrailKind.FILE_SHA256):
        dotted[f"file.hash.{kind.value.removeprefix('file-')}"] = value
    elif kind is TrailKind.EMAIL:
        dotted["email.address"] = value
    elif kind is TrailKind.FILE_NAME:
        dotted["file.name"] = value
    return nest(dotted)


def _texts(values: Iterable[Any]) -> set[str]:
    """Keep what is text; a log may hold a list where its sensor's manual says a text."""
    return {value for value in values if isinstance(value, str)}


def _related(event: Event) -> dict[str, Sequence[str]]:
    addresses = {event.source_ip, event.destination_ip, *event.ecs.get("dns.resolved_ip", ())}
    names = _texts(event.ecs.get(name) for name in ("dns.question.name", "url.domain", "tls.client.server_name"))
    hashes = _texts(value for name, value in event.ecs.items() if name.startswith("file.hash."))
    if event.trail.kind in (TrailKind.IPV4, TrailKind.IPV6):
        addresses.add(event.trail.value)
    elif event.trail.kind is TrailKind.DOMAIN:
        names.add(event.trail.value)
    elif event.trail.kind.group in ("TLS", "FILE"):
        hashes.add(event.trail.value)
    related = {"ip": addresses, "hosts": names, "hash": hashes}
    return {name: sorted(v for v in values if v) for name, values in related.items() if any(values)}
