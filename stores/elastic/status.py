"""How a cluster and our part of it are: versions, templates, indices, documents, lifecycle."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError

from stores.elastic import setup, templates
from stores.elastic.abilities import Abilities
from stores.elastic.failures import explained
from stores.elastic.names import Names
from stores.elastic.templates import Wishes
from trailhound.errors import StoreError

_MOST_GENERATIONS = 10_000


@dataclass(frozen=True, slots=True)
class TemplateStatus:
    """One template of ours: the version that is there (None: it is not there) and the one that we bring."""

    name: str
    version: int | None
    ours: int


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """One index of ours. `events` counts documents, `size` bytes of all copies."""

    name: str
    health: str
    documents: int
    size: int


@dataclass(frozen=True, slots=True)
class Status:
    """A cluster, and one namespace in it. `due` says what `es setup` would do."""

    cluster: str
    versions: Sequence[str]
    health: str
    namespace: str
    abilities: Abilities
    templates: Sequence[TemplateStatus]
    events: Sequence[IndexStatus]
    indices: Sequence[IndexStatus]
    lifecycle: str
    due: Sequence[str]
    notes: Sequence[str]


def status(client: Elasticsearch, of: Names, wishes: Wishes) -> Status:
    """Look at everything. Raises `StoreError`."""
    plan = setup.plan(client, of, wishes)
    server = setup.Server(client)
    try:
        health = client.cluster.health()
        versions = client.cluster.stats(filter_path="nodes.versions").get("nodes", {}).get("versions", [])
        generations = server.generations(of.events)
        return Status(
            cluster=str(health["cluster_name"]),
            versions=versions,
            health=str(health["status"]),
            namespace=of.namespace,
            abilities=plan.abilities,
            templates=list(_templates(server, of, plan.abilities, wishes)),
            events=_indices(client, generations),
            indices=_indices(client, [name for name in of.indices.values() if server.get(f"/{name}/_settings")]),
            lifecycle=_lifecycle(plan.abilities, of, wishes),
            due=[step.why for step in plan.steps],
            notes=plan.notes,
        )
    except (ApiError, TransportError) as error:
        raise StoreError(f"the state of the cluster cannot be read: {explained(error)}") from error


def _templates(server: setup.Server, of: Names, abilities: Abilities, wishes: Wishes) -> Iterator[TemplateStatus]:
    for name in templates.components(of, abilities, wishes):
        yield _template(name, server.component(name))
    for name in templates.index_templates(of, abilities):
        yield _template(name, server.index_template(name))


def _template(name: str, found: Mapping[str, Any] | None) -> TemplateStatus:
    version = found.get("version", 0) if found is not None else None
    return TemplateStatus(name, version, templates.VERSION)


def _indices(client: Elasticsearch, names: Sequence[str]) -> list[IndexStatus]:
    if not names:
        return []
    target = ",".join(names)
    health = client.cluster.health(index=target, level="indices")["indices"]
    sizes = client.indices.stats(index=target, metric=["store"], filter_path="indices.*.total.store.size_in_bytes")
    # Counted by a search: the statistics count the nested documents too.
    by_index = {"by": {"terms": {"field": "_index", "size": _MOST_GENERATIONS}}}
    buckets = client.search(index=target, size=0, aggs=by_index)["aggregations"]["by"]["buckets"]
    counts = {bucket["key"]: bucket["doc_count"] for bucket in buckets}
    return [
        IndexStatus(
            name,
            str(health.get(name, {}).get("status", "unknown")),
            counts.get(name, 0),
            sizes.get("indices", {}).get(name, {}).get("total", {}).get("store", {}).get("size_in_bytes", 0),
        )
        for name in names
    ]


def _lifecycle(abilities: Abilities, of: Names, wishes: Wishes) -> str:
    if not wishes.retention_days:
        return "events are kept for ever"
    days = f"events are deleted after {wishes.retention_days} days"
    if abilities.ilm:
        return f"{days} (lifecycle policy {of.policy})"
    if abilities.data_stream_lifecycle:
        return f"{days} (data stream lifecycle)"
    return "nothing deletes old events: the cluster has no lifecycle management"
