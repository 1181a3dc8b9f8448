"""A MISP event: one attribute a trail, each with the same identifier in every export."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from feeds.exports.export import Export, Piece, Wishes, identifier, iso, of_trail
from trailhound.canonical import host_port
from trailhound.trail import Trail, TrailClass, TrailKind

_NETWORK, _DELIVERY = "Network activity", "Payload delivery"
TYPES: Mapping[TrailKind, tuple[str, str]] = {
    TrailKind.DOMAIN: ("domain", _NETWORK),
    TrailKind.IPV4: ("ip-dst", _NETWORK),
    TrailKind.IPV6: ("ip-dst", _NETWORK),
    TrailKind.CIDR: ("ip-dst", _NETWORK),
    TrailKind.IP_PORT: ("ip-dst|port", _NETWORK),
    TrailKind.URL: ("url", _NETWORK),
    TrailKind.HTTP_HOST: ("url", _NETWORK),
    TrailKind.PATH: ("uri", _NETWORK),
    TrailKind.USER_AGENT: ("user-agent", _NETWORK),
    TrailKind.EMAIL: ("email-src", _DELIVERY),
    TrailKind.CERT_SHA1: ("x509-fingerprint-sha1", _NETWORK),
    TrailKind.CERT_SHA256: ("x509-fingerprint-sha256", _NETWORK),
    TrailKind.JA3: ("ja3-fingerprint-md5", _NETWORK),
    TrailKind.FILE_MD5: ("md5", _DELIVERY),
    TrailKind.FILE_SHA1: ("sha1", _DELIVERY),
    TrailKind.FILE_SHA256: ("sha256", _DELIVERY),
}
# Who comes to us: for MISP the source of the traffic.
_CALLERS = frozenset({TrailClass.ATTACKER, TrailClass.SCANNER, TrailClass.SPAM})


def _write(trails: Iterable[Trail], wishes: Wishes) -> Iterator[Piece]:
    event = {
        "uuid": identifier(wishes.name),
        "info": "Trails of Trailhound",
        "date": iso(wishes.made)[:10],
        "timestamp": str(wishes.made),
        "publish_timestamp": str(wishes.made),
        "published": True,
        "analysis": "2",
        "threat_level_id": "4",
        "distribution": "0",
        "Orgc": {"name": "Trailhound", "uuid": identifier("trailhound")},
    }
    yield "", f'{{"Event":{_json(event)[:-1]},"Attribute":['
    between = "\n"
    for trail in trails:
        yield "", between + _json(_attribute(trail, wishes.made))
        between = ",\n"
    yield "", "\n]}}\n"


def _attribute(trail: Trail, made: int) -> dict[str, Any]:
    type_, category = TYPES[trail.kind]
    if trail.class_ in _CALLERS:
        type_ = type_.replace("ip-dst", "ip-src")
    found: dict[str, Any] = {
        "uuid": of_trail(trail),
        "type": type_,
        "category": category,
        "value": _value(trail),
        "to_ids": True,
        "comment": trail.info,
        "timestamp": str(made),
        "distribution": "5",
        "Tag": [
            {"name": f'trailhound:class="{trail.class_.value}"'},
            {"name": f'trailhound:confidence="{trail.confidence}"'},
        ],
    }
    if trail.first_seen is not None:
        found["first_seen"] = iso(trail.first_seen)
    return found


def _value(trail: Trail) -> str:
    if trail.kind is TrailKind.IP_PORT:
        host, port = host_port(trail.value)
        return f"{host}|{port}"
    # A trail has no scheme, but what MISP calls a URL has.
    return f"http://{trail.value}" if trail.kind in (TrailKind.URL, TrailKind.HTTP_HOST) else trail.value


def _json(item: Mapping[str, Any]) -> str:
    return msgspec.json.encode(item).decode()


EXPORT = Export("a MISP event, an attribute a trail", frozenset(TYPES), _write)
