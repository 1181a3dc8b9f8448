"""Reading threats, page by page."""

from collections.abc import Mapping, Sequence
from typing import Any

from stores.contract import Query, Threat, ThreatOrder, ThreatPage
from stores.cursors import read, write
from stores.elastic.asking import Asker, Body
from stores.elastic.buckets import whole
from stores.elastic.conditions import START, THREAT, any_of, compiled
from stores.elastic.ranking import METRICS, SORT, Rankings
from stores.threat import risk
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailClass, TrailKind

# So many destinations, ports, protocols, sensors and lists a threat names, and of so many threats in one answer.
_MOST_DETAILS = 20
_CHUNK = 200
_DETAILS = {
    "destinations": "destination.address",
    "ports": "destination.port",
    "protocols": "trailhound.index.protocol",
    "sensors": "observer.name",
    "sources": "trailhound.sources",
}
_REFERENCE = "threat.indicator.reference"
_WORDS = (*(f"trailhound.{word}" for word in ("kind", "trail", "info", "class")), "source", "network.direction")
Buckets = Mapping[str, Mapping[str, Any]]


def threats(
    asker: Asker, rankings: Rankings, query: Query, *, order: ThreatOrder, limit: int, cursor: str | None
) -> ThreatPage:
    limit = max(limit, 1)
    after = None if cursor is None else read(cursor, order, (*(int,) * len(SORT[order]), str))
    with asker.pinned() as pinned:
        ranking, keys = rankings.rank(pinned, query, order, after, limit + 1)
        page = [str(key[-1]) for key in keys[:limit]]
        found = _found(pinned, query, page)
        details = _details(pinned, page)
    return ThreatPage(
        [_threat(name, found[name], details[name]) for name in page if name in found],
        ranking.total,
        write(order, keys[limit - 1]) if len(keys) > limit else None,
        ranking.is_total_approximate,
    )


def _found(asker: Asker, query: Query, ids: Sequence[str]) -> Buckets:
    """Add up what the query finds of each threat; the most severe event, the latest of those, speaks for it."""
    speaker = {"size": 1, "sort": [{"event.severity": "desc"}, {START: "desc"}], "_source": list(_WORDS)}
    return _by_threat(asker, query, ids, {**METRICS, "speaker": {"top_hits": speaker}})


def _details(asker: Asker, ids: Sequence[str]) -> Buckets:
    """Collect what each threat met first in its whole life."""
    earliest: Body = {"first": {"min": {"field": START}}}
    order = [{"first": "asc"}, {"_key": "asc"}]
    lists: Body = {
        name: {"terms": {"field": field, "size": _MOST_DETAILS, "order": order}, "aggregations": earliest}
        for name, field in _DETAILS.items()
    }
    latest = {"top_hits": {"size": 1, "sort": [{START: "desc"}], "_source": [_REFERENCE]}}
    lists["referred"] = {"filter": {"exists": {"field": _REFERENCE}}, "aggregations": {"latest": latest}}
    return _by_threat(asker, Query(), ids, lists)


def _by_threat(asker: Asker, query: Query, ids: Sequence[str], aggregations: Body) -> Buckets:
    found: dict[str, Mapping[str, Any]] = {}
    for begin in range(0, len(ids), _CHUNK):
        chunk = ids[begin : begin + _CHUNK]
        # Few of very many: what numbers all of them costs more than it saves.
        terms = {"field": THREAT, "size": len(chunk), "shard_size": len(chunk), "execution_hint": "map"}
        clause = compiled(query, any_of(THREAT, chunk))
        answer = asker.aggregate(clause, {"threats": {"terms": terms, "aggregations": aggregations}})
        found.update({bucket["key"]: bucket for bucket in answer["threats"]["buckets"]} if answer else {})
    return found


def _threat(name: str, found: Mapping[str, Any], details: Mapping[str, Any]) -> Threat:
    said = found["speaker"]["hits"]["hits"][0]["_source"]
    own = said["trailhound"]
    severity, count = Severity(whole(found["severity"])), whole(found["records"])
    lists = {what: tuple(bucket["key"] for bucket in details[what]["buckets"]) for what in _DETAILS}
    referred = details["referred"]["latest"]["hits"]["hits"]
    return Threat(
        id=name,
        source=said.get("source", {}).get("address"),
        kind=TrailKind(own["kind"]),
        trail=own.get("trail", ""),
        info=own.get("info", ""),
        class_=TrailClass(own["class"]),
        severity=severity,
        risk=risk(severity, count),
        count=count,
        events=found["doc_count"],
        first=whole(found["first"]),
        last=whole(found["last"]),
        direction=Direction(said["network"]["direction"]),
        reference=referred[0]["_source"]["threat"]["indicator"]["reference"] if referred else "",
        **lists,
    )
