"""Events as STIX 2.1: the indicator that was met, what was observed, and the sighting that ties them.

All identifiers are UUIDv5 of what the object is about: the same event makes the same objects, whenever it is sent.
"""

import ipaddress
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from feeds.exports.export import identifier
from feeds.exports.stix import PATTERNS
from trailhound.trail import TrailClass, TrailKind

# The namespace of deterministic identifiers of observables (STIX 2.1, section 2.9).
_OBSERVABLES = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
# As in exports: an identifier stands for an object that was created at one time.
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_TYPES: Mapping[str, str] = {
    TrailClass.ANONYMIZER: "anonymization",
    TrailClass.SUSPICIOUS: "anomalous-activity",
    TrailClass.POLICY: "unknown",
    TrailClass.PARKED: "unknown",
    TrailClass.SINKHOLE: "compromised",
}
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sighting:
    """The objects of one event."""

    makers: Sequence[Object]
    indicator: Object
    observed: Sequence[Object]
    sighting: Object

    @property
    def objects(self) -> Sequence[Object]:
        return (*self.makers, self.indicator, *self.observed, self.sighting)


def sighting(document: Mapping[str, Any]) -> Sighting | None:
    """Make the objects; None when STIX has no words for the trail."""
    own = document.get("trailhound", {})
    try:
        kind = TrailKind(own.get("kind"))
    except ValueError:
        return None
    if kind not in PATTERNS:
        return None
    maker = _identity("Trailhound", "trailhound", "system")
    sensor = _sensor(document)
    indicator = _indicator(document, kind, maker["id"])
    observed = _observed(document, sensor["id"])
    return Sighting(
        (maker, sensor), indicator, observed, _sighting(document, maker["id"], sensor["id"], indicator, observed)
    )


def bundle(objects: Sequence[Object], name: str) -> Object:
    return {"type": "bundle", "id": f"bundle--{identifier(name)}", "objects": list(objects)}


def _sensor(document: Mapping[str, Any]) -> Object:
    name = str(document.get("observer", {}).get("name") or "sensor")
    return _identity(name, f"sensor {name}", "system")


def _identity(name: str, about: str, class_: str) -> Object:
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": f"identity--{identifier(about)}",
        "created": _iso(_LONG_AGO),
        "modified": _iso(_LONG_AGO),
        "name": name,
        "identity_class": class_,
    }


def _indicator(document: Mapping[str, Any], kind: TrailKind, maker: str) -> Object:
    """Make the indicator of a trail, with the identifier that exports give it. It may change once a day."""
    own, told = document.get("trailhound", {}), document.get("threat", {}).get("indicator") or {}
    created = _moment(told.get("first_seen")) or _LONG_AGO
    day = _start(document).replace(hour=0, minute=0, second=0, microsecond=0)
    class_ = str(own.get("class", ""))
    trail = str(own.get("trail", ""))
    found: Object = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{identifier(f'{kind.value} {trail}')}",
        "created_by_ref": maker,
        "created": _iso(created),
        "modified": _iso(max(created, day)),
        "name": str(own.get("info") or own.get("trail")),
        "indicator_types": [_TYPES.get(class_, "malicious-activity")],
        "labels": [class_ or "unknown"],
        "confidence": min(100, max(0, int(own.get("confidence") or 0))),
        "pattern": PATTERNS[kind](trail),
        "pattern_type": "stix",
        "valid_from": _iso(created),
    }
    sources = [str(source) for source in own.get("sources") or ()]
    if sources:
        found["description"] = f"Listed by {', '.join(sources)}."
    if (reference := str(told.get("reference") or "")) and sources:
        is_address = reference.startswith(("http://", "https://"))
        found["external_references"] = [{"source_name": sources[0], "url" if is_address else "description": reference}]
    return found


def _sighting(
    document: Mapping[str, Any], maker: str, sensor: str, indicator: Object, observed: Sequence[Object]
) -> Object:
    event = str(document.get("event", {}).get("id", ""))
    start, end = _start(document), _end(document)
    found: Object = {
        "type": "sighting",
        "spec_version": "2.1",
        "id": f"sighting--{identifier(f'sighting {event}')}",
        "created_by_ref": maker,
        "created": _iso(start),
        "modified": _iso(start),
        "first_seen": _iso(start),
        "last_seen": _iso(end),
        "count": _count(document),
        "sighting_of_ref": indicator["id"],
        "where_sighted_refs": [sensor],
        "summary": False,
        "external_references": [{"source_name": "trailhound", "external_id": event}],
    }
    if message := document.get("message"):
        found["description"] = str(message)
    if observed:
        found["observed_data_refs"] = [observed[-1]["id"]]
    return found


def _observed(document: Mapping[str, Any], sensor: str) -> Sequence[Object]:
    """Make what was observed: addresses, the traffic between them, names; last the object that holds them."""
    ends = {name: _address(document.get(name, {})) for name in ("source", "destination")}
    found: list[Object] = [one for one in ends.values() if one is not None]
    traffic = _traffic(document, ends["source"], ends["destination"])
    found += [traffic] if traffic else []
    names = [document.get("dns", {}).get("question", {}).get("name"), document.get("url", {}).get("domain")]
    found += [_observable("domain-name", {"value": name}, {}) for name in names if name and isinstance(name, str)]
    distinct = list({one["id"]: one for one in found}.values())
    if not distinct:
        return ()
    event = str(document.get("event", {}).get("id", ""))
    start = _start(document)
    holder: Object = {
        "type": "observed-data",
        "spec_version": "2.1",
        "id": f"observed-data--{identifier(f'observed {event}')}",
        "created_by_ref": sensor,
        "created": _iso(start),
        "modified": _iso(start),
        "first_observed": _iso(start),
        "last_observed": _iso(_end(document)),
        "number_observed": _count(document),
        "object_refs": [one["id"] for one in distinct],
    }
    return (*distinct, holder)


def _address(end: Mapping[str, Any]) -> Object | None:
    try:
        address = ipaddress.ip_address(str(end.get("ip", "")))
    except ValueError:
        return None
    return _observable(f"ipv{address.version}-addr", {"value": str(address)}, {})


def _traffic(document: Mapping[str, Any], source: Object | None, destination: Object | None) -> Object | None:
    network = document.get("network", {})
    protocols = [str(network[name]) for name in ("transport", "protocol") if network.get(name)]
    if not protocols or (source is None and destination is None):
        return None
    about: Object = {"protocols": protocols, "start": _shortest(_start(document)), "end": _shortest(_end(document))}
    for name, end, address in (("src", "source", source), ("dst", "destination", destination)):
        port = document.get(end, {}).get("port")
        if address is not None:
            about[f"{name}_ref"] = address["id"]
        if isinstance(port, int):
            about[f"{name}_port"] = port
    return _observable("network-traffic", about, {"is_active": False})


def _observable(type_: str, about: Object, more: Object) -> Object:
    """Make an observable; `about` is what its identifier is made of."""
    canonical = json.dumps(about, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    id_ = uuid.uuid5(_OBSERVABLES, canonical)
    return {"type": type_, "spec_version": "2.1", "id": f"{type_}--{id_}", **about, **more}


def _count(document: Mapping[str, Any]) -> int:
    return min(999_999_999, max(1, int(document.get("trailhound", {}).get("count") or 1)))


def _start(document: Mapping[str, Any]) -> datetime:
    return _moment(document.get("event", {}).get("start") or document.get("@timestamp")) or _LONG_AGO


def _end(document: Mapping[str, Any]) -> datetime:
    return max(_start(document), _moment(document.get("event", {}).get("end")) or _LONG_AGO)


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None


def _shortest(moment: datetime) -> str:
    """Write a time as identifiers are made of it elsewhere: without zeros that say nothing."""
    return f"{_iso(moment)[:-1].rstrip('0').rstrip('.')}Z"


def _iso(moment: datetime) -> str:
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{moment.microsecond // 1000:03d}Z"
