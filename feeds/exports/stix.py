"""A STIX 2.1 bundle of indicators, each with the same identifier in every export."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from feeds.exports.export import Export, Piece, Wishes, identifier, iso, of_trail
from trailhound.canonical import host_port
from trailhound.trail import Trail, TrailClass, TrailKind

# An identifier stands for an object that was created at one time, in whatever export it is: 1 January 2020.
_CREATED = 1_577_836_800
_TYPES: Mapping[TrailClass, str] = {
    TrailClass.ANONYMIZER: "anonymization",
    TrailClass.SUSPICIOUS: "anomalous-activity",
    TrailClass.POLICY: "unknown",
    TrailClass.PARKED: "unknown",
    TrailClass.SINKHOLE: "compromised",
}


def _write(trails: Iterable[Trail], wishes: Wishes) -> Iterator[Piece]:
    maker = {
        "type": "identity",
        "spec_version": "2.1",
        "id": f"identity--{identifier('trailhound')}",
        "created": iso(_CREATED),
        "modified": iso(_CREATED),
        "name": "Trailhound",
        "identity_class": "system",
    }
    yield "", f'{{"type":"bundle","id":"bundle--{identifier(wishes.name)}","objects":[\n{_json(maker)}'
    for trail in trails:
        yield "", f",\n{_json(_indicator(trail, wishes.made, maker['id']))}"
    yield "", "\n]}\n"


def _indicator(trail: Trail, made: int, maker: str) -> dict[str, Any]:
    created = trail.first_seen or _CREATED
    found: dict[str, Any] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{of_trail(trail)}",
        "created_by_ref": maker,
        "created": iso(created),
        "modified": iso(max(created, made)),
        "name": trail.info,
        "description": f"Listed by {', '.join(trail.sources)}.",
        "indicator_types": [_TYPES.get(trail.class_, "malicious-activity")],
        "labels": [trail.class_.value],
        "confidence": trail.confidence,
        "pattern": PATTERNS[trail.kind](trail.value),
        "pattern_type": "stix",
        "valid_from": iso(created),
    }
    if trail.expires is not None and trail.expires > created:
        found["valid_until"] = iso(trail.expires)
    if trail.reference:
        # Not every reference is an address to follow.
        kind = "url" if trail.reference.startswith(("http://", "https://")) else "description"
        found["external_references"] = [{"source_name": trail.sources[0], kind: trail.reference}]
    return found


def _json(item: Mapping[str, Any]) -> str:
    return msgspec.json.encode(item).decode()


def _is(path: str, before: str = "") -> Callable[[str], str]:
    return lambda value: f"[{path} = {_text(before + value)}]"


def _text(value: str) -> str:
    spelled = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{spelled}'"


def _network(value: str) -> str:
    return f"[{_family(value)}:value ISSUBSET {_text(value)}]"


def _port(value: str) -> str:
    host, port = host_port(value)
    where = f"network-traffic:dst_ref.type = '{_family(host)}' AND network-traffic:dst_ref.value = {_text(host)}"
    return f"[{where} AND network-traffic:dst_port = {port}]"


def _family(value: str) -> str:
    return "ipv6-addr" if ":" in value else "ipv4-addr"


PATTERNS: Mapping[TrailKind, Callable[[str], str]] = {
    TrailKind.DOMAIN: _is("domain-name:value"),
    TrailKind.IPV4: _is("ipv4-addr:value"),
    TrailKind.IPV6: _is("ipv6-addr:value"),
    TrailKind.CIDR: _network,
    TrailKind.IP_PORT: _port,
    # A trail has no scheme, but what STIX calls a URL has.
    TrailKind.URL: _is("url:value", "http://"),
    TrailKind.HTTP_HOST: _is("url:value", "http://"),
    TrailKind.USER_AGENT: _is("network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'"),
    TrailKind.EMAIL: _is("email-addr:value"),
    TrailKind.CERT_SHA1: _is("x509-certificate:hashes.'SHA-1'"),
    TrailKind.CERT_SHA256: _is("x509-certificate:hashes.'SHA-256'"),
    TrailKind.FILE_MD5: _is("file:hashes.MD5"),
    TrailKind.FILE_SHA1: _is("file:hashes.'SHA-1'"),
    TrailKind.FILE_SHA256: _is("file:hashes.'SHA-256'"),
}
EXPORT = Export("a STIX 2.1 bundle of indicators", frozenset(PATTERNS), _write)
