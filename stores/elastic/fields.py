"""Every field that is searched, sorted or counted in Elasticsearch, with its type: ECS 8.17, and our own.

What stands in no table here is kept and given back, but not indexed (`dynamic: false`): no log can make the mapping
grow, or set its types.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any


class Type(Enum):
    """How a field is indexed."""

    KEYWORD = "keyword"
    EXACT = "exact"  # A keyword that our own queries and totals go by: none may be left out for its length.
    SHORT = "short"  # A keyword that is bounded where it is made; one that is not is refused aloud.
    WILDCARD = "wildcard"
    LOOKED_THROUGH = "looked through"
    TEXT = "text"
    LONG = "long"
    FLOAT = "float"
    BOOLEAN = "boolean"
    IP = "ip"
    DATE = "date"
    TIME = "time"
    MOMENT = "moment"
    FLATTENED = "flattened"
    NESTED = "nested"
    KEPT = "kept"


# Lucene takes no term of more than 32,766 bytes; so many characters always fit.
LONGEST = 8191
_ECS_LONGEST = 1024  # As in Elastic's own mappings.


def parameters(type_: Type, types: frozenset[str]) -> dict[str, Any]:
    """Give the mapping of a field on a server that has `types` beside the ordinary ones.

    A value that does not fit is left out of the index, and its document kept; but not where our answers rest on it.
    """
    match type_:
        case Type.KEYWORD:
            return {"type": "keyword", "ignore_above": _ECS_LONGEST}
        case Type.EXACT:
            return {"type": "keyword", "ignore_above": LONGEST}
        case Type.SHORT:
            return {"type": "keyword"}
        case Type.WILDCARD:
            kind = "wildcard" if "wildcard" in types else "keyword"
            return {"type": kind, "ignore_above": _ECS_LONGEST if kind == "keyword" else LONGEST}
        case Type.LOOKED_THROUGH:
            if "wildcard" in types:
                return {"type": "wildcard", "ignore_above": LONGEST}
            return {"type": "keyword", "ignore_above": LONGEST, "doc_values": False}
        case Type.TEXT:
            return {"type": "match_only_text" if "match_only_text" in types else "text"}
        case Type.BOOLEAN | Type.LONG | Type.FLOAT | Type.IP | Type.DATE:
            return {"type": type_.value, "ignore_malformed": True}
        case Type.TIME:
            return {"type": "date"}
        case Type.MOMENT:
            return {"type": "long"}
        case Type.FLATTENED:
            return {"type": "flattened", "ignore_above": _ECS_LONGEST}
        case Type.NESTED:
            return {"type": "nested", "dynamic": False}
        case Type.KEPT:
            return {"type": "object", "enabled": False}


_INDICATOR: Mapping[str, Type] = {
    "type": Type.KEYWORD,
    "name": Type.KEYWORD,
    "description": Type.KEYWORD,
    "provider": Type.KEYWORD,
    "reference": Type.KEYWORD,
    "confidence": Type.KEYWORD,
    "first_seen": Type.DATE,
    "last_seen": Type.DATE,
    "modified_at": Type.DATE,
    "ip": Type.IP,
    "port": Type.LONG,
    "url.original": Type.WILDCARD,
    "url.domain": Type.KEYWORD,
    "url.path": Type.WILDCARD,
    "file.name": Type.KEYWORD,
    "file.hash.md5": Type.KEYWORD,
    "file.hash.sha1": Type.KEYWORD,
    "file.hash.sha256": Type.KEYWORD,
    "email.address": Type.KEYWORD,
}

ECS: Mapping[str, Type] = {
    "@timestamp": Type.TIME,
    "ecs.version": Type.KEYWORD,
    "message": Type.TEXT,
    "tags": Type.KEYWORD,
    "event.id": Type.KEYWORD,
    "event.kind": Type.KEYWORD,
    "event.category": Type.KEYWORD,
    "event.type": Type.KEYWORD,
    "event.action": Type.KEYWORD,
    "event.module": Type.KEYWORD,
    "event.dataset": Type.EXACT,
    "event.outcome": Type.KEYWORD,
    "event.severity": Type.LONG,
    "event.risk_score": Type.FLOAT,
    "event.duration": Type.LONG,
    "event.start": Type.DATE,
    "event.end": Type.DATE,
    "event.ingested": Type.DATE,
    "observer.name": Type.EXACT,
    "observer.type": Type.KEYWORD,
    "observer.vendor": Type.KEYWORD,
    "source.address": Type.EXACT,
    "source.ip": Type.IP,
    "source.port": Type.LONG,
    "source.bytes": Type.LONG,
    "source.packets": Type.LONG,
    "destination.address": Type.EXACT,
    "destination.ip": Type.IP,
    "destination.port": Type.LONG,
    "destination.bytes": Type.LONG,
    "destination.packets": Type.LONG,
    "client.ip": Type.IP,
    "network.transport": Type.KEYWORD,
    "network.protocol": Type.KEYWORD,
    "network.application": Type.KEYWORD,
    "network.direction": Type.KEYWORD,
    "network.community_id": Type.KEYWORD,
    "dns.id": Type.KEYWORD,
    "dns.type": Type.KEYWORD,
    "dns.response_code": Type.KEYWORD,
    "dns.question.name": Type.KEYWORD,
    "dns.question.type": Type.KEYWORD,
    "dns.answers.data": Type.KEYWORD,
    "dns.resolved_ip": Type.IP,
    "url.original": Type.WILDCARD,
    "url.domain": Type.KEYWORD,
    "url.path": Type.WILDCARD,
    "url.query": Type.KEYWORD,
    "url.port": Type.LONG,
    "http.request.method": Type.KEYWORD,
    "http.request.referrer": Type.KEYWORD,
    "http.response.status_code": Type.LONG,
    "http.response.mime_type": Type.KEYWORD,
    "user.name": Type.KEYWORD,
    "user.domain": Type.KEYWORD,
    "user_agent.original": Type.KEYWORD,
    "tls.version": Type.KEYWORD,
    "tls.cipher": Type.KEYWORD,
    "tls.established": Type.BOOLEAN,
    "tls.resumed": Type.BOOLEAN,
    "tls.client.server_name": Type.KEYWORD,
    "tls.client.ja3": Type.KEYWORD,
    "tls.server.ja3s": Type.KEYWORD,
    "tls.server.subject": Type.KEYWORD,
    "tls.server.issuer": Type.KEYWORD,
    "tls.server.hash.sha1": Type.KEYWORD,
    "tls.server.hash.sha256": Type.KEYWORD,
    "tls.server.x509.subject.common_name": Type.KEYWORD,
    "tls.server.x509.alternative_names": Type.KEYWORD,
    "tls.server.x509.serial_number": Type.KEYWORD,
    "file.name": Type.KEYWORD,
    "file.mime_type": Type.KEYWORD,
    "file.size": Type.LONG,
    "file.hash.md5": Type.KEYWORD,
    "file.hash.sha1": Type.KEYWORD,
    "file.hash.sha256": Type.KEYWORD,
    "email.from.address": Type.KEYWORD,
    "email.to.address": Type.KEYWORD,
    "email.cc.address": Type.KEYWORD,
    "email.reply_to.address": Type.KEYWORD,
    "related.ip": Type.IP,
    "related.hosts": Type.KEYWORD,
    "related.hash": Type.KEYWORD,
    "rule.id": Type.KEYWORD,
    "rule.name": Type.KEYWORD,
    "rule.category": Type.KEYWORD,
    "rule.description": Type.KEYWORD,
    "rule.version": Type.KEYWORD,
    "threat.framework": Type.KEYWORD,
    "threat.technique.id": Type.KEYWORD,
    "threat.technique.name": Type.KEYWORD,
    "threat.technique.reference": Type.KEYWORD,
    "threat.tactic.name": Type.KEYWORD,
    "log.file.path": Type.KEYWORD,
    **{f"threat.indicator.{name}": type_ for name, type_ in _INDICATOR.items()},
    "threat.enrichments": Type.NESTED,
    **{f"threat.enrichments.indicator.{name}": type_ for name, type_ in _INDICATOR.items()},
    "threat.enrichments.matched.atomic": Type.KEYWORD,
    "threat.enrichments.matched.field": Type.KEYWORD,
    "threat.enrichments.matched.type": Type.KEYWORD,
    "threat.enrichments.matched.id": Type.KEYWORD,
}

# What ECS has no field for.
OWN: Mapping[str, Type] = {
    "trailhound.trail": Type.EXACT,
    "trailhound.kind": Type.SHORT,
    "trailhound.group": Type.SHORT,
    "trailhound.class": Type.SHORT,
    "trailhound.info": Type.EXACT,
    "trailhound.sources": Type.EXACT,
    "trailhound.confidence": Type.LONG,
    "trailhound.custom": Type.BOOLEAN,
    "trailhound.observed": Type.EXACT,
    "trailhound.severity": Type.SHORT,
    "trailhound.answered": Type.BOOLEAN,
    "trailhound.count": Type.MOMENT,
    "trailhound.threat_id": Type.SHORT,
    "trailhound.score": Type.LONG,
    "trailhound.parts.name": Type.KEYWORD,
    "trailhound.parts.points": Type.FLOAT,
    "trailhound.parts.said": Type.KEYWORD,
    # In Elasticsearch only, for its answers; dropped when a document is read.
    "trailhound.index.start": Type.MOMENT,
    "trailhound.index.protocol": Type.EXACT,
    "trailhound.index.facet": Type.SHORT,
    "trailhound.index.text": Type.LOOKED_THROUGH,
    "trailhound.index.unfit": Type.KEPT,
    # What vendors say beside ECS: ids to go on with in their own logs, all else under one field each.
    "zeek.session_id": Type.KEYWORD,
    "zeek.connection": Type.FLATTENED,
    "zeek.ftp": Type.FLATTENED,
    "zeek.intel": Type.FLATTENED,
    "zeek.kerberos": Type.FLATTENED,
    "zeek.notice": Type.FLATTENED,
    "zeek.ntlm": Type.FLATTENED,
    "zeek.quic": Type.FLATTENED,
    "zeek.rdp": Type.FLATTENED,
    "zeek.ssh": Type.FLATTENED,
    "suricata.flow_id": Type.KEYWORD,
    "suricata.eve": Type.FLATTENED,
}

# What people make of threats, and do about them (`stores.desk`): the facts of one kind of thing stand in `body`.
THREATS: Mapping[str, Type] = {
    "noun": Type.SHORT,
    "name": Type.SHORT,
    "version": Type.MOMENT,
    "label": Type.SHORT,
    "changed": Type.MOMENT,
    "ends": Type.MOMENT,
    "who": Type.EXACT,
    "action": Type.SHORT,
    "object": Type.EXACT,
    "body": Type.KEPT,
    "threat_id": Type.SHORT,
    "source": Type.EXACT,
    "kind": Type.SHORT,
    "trail": Type.EXACT,
    "state": Type.SHORT,
    "assignee": Type.EXACT,
    "tags": Type.EXACT,
    "note": Type.TEXT,
    "until": Type.MOMENT,
    "updated": Type.MOMENT,
    "updated_by": Type.EXACT,
}
OBSERVABLES: Mapping[str, Type] = {
    "kind": Type.SHORT,
    "value": Type.EXACT,
    "role": Type.SHORT,
    "sensor": Type.EXACT,
    "first": Type.MOMENT,
    "last": Type.MOMENT,
    "count": Type.MOMENT,
}
SENSORS: Mapping[str, Type] = {
    "sensor": Type.EXACT,
    "log": Type.EXACT,
    "path": Type.EXACT,
    "updated": Type.MOMENT,
    "last_record": Type.MOMENT,
    "last_read": Type.MOMENT,
}


def properties(table: Mapping[str, Type], types: frozenset[str]) -> dict[str, Any]:
    """Nest a table into the `properties` of a mapping."""
    root: dict[str, Any] = {}
    for name, type_ in table.items():
        *parents, leaf = name.split(".")
        place = root
        for parent in parents:
            place = place.setdefault(parent, {}).setdefault("properties", {})
        place[leaf] = parameters(type_, types)
    return root
