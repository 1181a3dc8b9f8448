"""The ECS document of an event, written the plain way: a table of dotted names that is nested."""

from collections.abc import Iterable, Sequence
from typing import Any

from trailhound.event import _CLASS_CATEGORIES, ECS_VERSION, Event, _indicator, nest, timestamp
from trailhound.threat import threat_id
from trailhound.trail import TrailKind


def plain_ecs(event: Event) -> dict[str, Any]:
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
        **{name: value for name, value in event.ecs.items() if value is not None and value not in ("", [], {})},
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
        "trailhound.threat_id": threat_id(event.source_ip, event.trail.kind, event.trail.value),
    }
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
