"""An event: a match as it is stored, one ECS document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from trailhound.record import MICROSECONDS
from trailhound.severity import Direction, Severity
from trailhound.threat import threat_id
from trailhound.trail import Trail, TrailClass, TrailGroup, TrailKind

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
_VENDORS = {"zeek": "Zeek", "suricata": "OISF"}
_SEVERITIES = {severity: severity.label for severity in Severity}
_DIRECTIONS = {direction: direction.value for direction in Direction}
_NAMES = ("dns.question.name", "url.domain", "tls.client.server_name")
_ADDRESSES = (TrailKind.IPV4, TrailKind.IPV6)
_HASHED = (TrailGroup.TLS, TrailGroup.FILE)
_FILE_HASH = ("file", "hash")
_EMPTY: tuple[object, ...] = ("", [], {})
_MINUTE = 60 * MICROSECONDS


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
    minutes, micros = divmod(time, _MINUTE)
    return f"{_minute(minutes)}{micros // MICROSECONDS:02d}.{micros % MICROSECONDS:06d}Z"


@lru_cache(maxsize=1024)
def _minute(minutes: int) -> str:
    """Write a minute since the epoch, up to where its seconds stand."""
    return datetime.fromtimestamp(minutes * 60, UTC).isoformat()[: len("0000-00-00T00:00:")]


def to_ecs(event: Event) -> dict[str, Any]:
    """Write an event as a nested ECS document; what is None or empty is left out.

    What it says of the trail is shared with the documents of other events: it is not to be changed.
    """
    trail = _said_of(event.trail)
    start = timestamp(event.start)
    document: dict[str, Any] = {
        "@timestamp": start,
        "ecs": {"version": ECS_VERSION},
        "event": _about(event, start, trail.category),
        "observer": _observer(event),
        "network": _network(event),
    }
    if event.message:
        document["message"] = event.message
    if event.tags:
        document["tags"] = list(event.tags)
    if source := _end(event.source_ip, event.source_port):
        document["source"] = source
    if destination := _end(event.destination_ip, event.destination_port):
        document["destination"] = destination
    hashes = _put(document, event.ecs)
    if related := _related(event, hashes):
        document["related"] = related
    if trail.indicator:
        document.setdefault("threat", {}).update(_threat(event, trail.indicator))
    document.setdefault("trailhound", {}).update(_own(event, trail.own))
    return document


def _about(event: Event, start: str, category: list[str]) -> dict[str, Any]:
    severity = int(event.severity)
    about: dict[str, Any] = {
        "kind": "alert",
        "category": category,
        "type": ["connection", "info"],
        "severity": severity,
        "risk_score": float(severity),
        "start": start,
        "end": start if event.end == event.start else timestamp(event.end),
    }
    if event.id:
        about["id"] = event.id
    if event.module:
        about["module"] = event.module
    if event.dataset:
        about["dataset"] = event.dataset
    if event.ingested:
        about["ingested"] = timestamp(event.ingested)
    return about


def _observer(event: Event) -> dict[str, Any]:
    observer = {"type": "ids" if event.module == "suricata" else "sensor"}
    if event.sensor:
        observer["name"] = event.sensor
    if vendor := _VENDORS.get(event.module):
        observer["vendor"] = vendor
    return observer


def _network(event: Event) -> dict[str, Any]:
    network = {"direction": _DIRECTIONS[event.direction]}
    if event.transport:
        network["transport"] = event.transport
    if event.protocol:
        network["protocol"] = event.protocol
    return network


def _end(address: str | None, port: int | None) -> dict[str, Any]:
    end: dict[str, Any] = {"ip": address, "address": address} if address else {}
    if port is not None:
        end["port"] = port
    return end


def _threat(event: Event, indicator: dict[str, Any]) -> dict[str, Any]:
    matched = {"atomic": event.trail.value, "field": event.role, "type": "trail", "id": event.id}
    return {"indicator": indicator, "enrichments": [{"indicator": indicator, "matched": matched}]}


def _own(event: Event, said: Mapping[str, Any]) -> dict[str, Any]:
    """Write what ECS has no field for."""
    own = {
        **said,
        "count": event.count,
        "severity": _SEVERITIES[event.severity],
        "threat_id": threat_id(event.source_ip, event.trail.kind, event.trail.value),
    }
    if event.observed:
        own["observed"] = event.observed
    if event.answered is not None:
        own["answered"] = event.answered
    return own


@dataclass(frozen=True, slots=True)
class _Said:
    """What every event of a trail says of it."""

    category: list[str]
    indicator: dict[str, Any]
    own: dict[str, Any]


@lru_cache(maxsize=2048)
def _said_of(trail: Trail) -> _Said:
    own = {
        "trail": trail.value,
        "kind": trail.kind.value,
        "group": trail.kind.group.value,
        "class": trail.class_.value,
        "info": trail.info,
        "sources": list(trail.sources),
        "confidence": trail.confidence,
        "custom": trail.custom,
    }
    return _Said(
        category=["network", "intrusion_detection", *_CLASS_CATEGORIES.get(trail.class_, ())],
        # The name of a rule indicates nothing: it stands in `rule.name`.
        indicator=_indicator(trail) if trail.kind is not TrailKind.RULE else {},
        own=nest(own),
    )


def nest(dotted: Mapping[str, Any]) -> dict[str, Any]:
    """Turn dotted names into nested objects; what is None or empty is left out."""
    document: dict[str, Any] = {}
    _put(document, dotted)
    return document


def _put(document: dict[str, Any], dotted: Mapping[str, Any]) -> set[str]:
    """Put what has a dotted name into its place; give the hashes of files among it."""
    hashes: set[str] = set()
    for name, value in dotted.items():
        if not value and (value is None or value in _EMPTY):
            continue
        parents, leaf = _path(name)
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = value
        if parents == _FILE_HASH and isinstance(value, str):
            hashes.add(value)
    return hashes


@lru_cache(maxsize=4096)
def _path(name: str) -> tuple[tuple[str, ...], str]:
    *parents, leaf = name.split(".")
    return tuple(parents), leaf


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


def _related(event: Event, hashes: set[str]) -> dict[str, Sequence[str]]:
    ecs, trail = event.ecs, event.trail
    addresses = {event.source_ip, event.destination_ip, *ecs.get("dns.resolved_ip", ())}
    # A log may hold a list where its sensor's manual says a text.
    names = {value for name in _NAMES if isinstance(value := ecs.get(name), str)}
    if trail.kind in _ADDRESSES:
        addresses.add(trail.value)
    elif trail.kind is TrailKind.DOMAIN:
        names.add(trail.value)
    elif trail.kind.group in _HASHED:
        hashes.add(trail.value)
    related = {"ip": addresses, "hosts": names, "hash": hashes}
    return {name: sorted(filter(None, values)) for name, values in related.items() if any(values)}
