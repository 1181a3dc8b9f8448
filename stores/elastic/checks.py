"""Whether a cluster can be used as a store: each thing that can be wrong, looked at and named."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError

from stores.elastic import setup
from stores.elastic.failures import explained
from stores.elastic.names import Names
from stores.elastic.templates import Wishes
from trailhound.errors import StoreError

_MAJORS = ("8", "9")
_OLDEST = (8, 12)
_SKEW_SECONDS = 30
_JSON = {"accept": "application/json", "content-type": "application/json"}
_ABSENT = (400, 404, 405, 410)
# What readers need of each index; and writers, beside that, of events.
_READING = ("read", "view_index_metadata", "monitor", "maintenance")
_WRITING = ("create_doc", "auto_configure")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; what was said includes what to do when it is not well."""

    what: str
    well: bool
    said: str


def check_host(client: Elasticsearch, host: str) -> Check:
    """Try one host by itself."""
    try:
        health = client.cluster.health()
    except (ApiError, TransportError) as error:
        return Check(f"connection to {host}", well=False, said=explained(error))
    return Check(f"connection to {host}", well=True, said=f"cluster {health['cluster_name']}")


def check_cluster(
    client: Elasticsearch, of: Names, wishes: Wishes, *, now: Callable[[], float] = time.time
) -> Iterator[Check]:
    """Look at the cluster behind hosts that answer."""
    looks: dict[str, Callable[[], Check]] = {
        "version": lambda: _version(client),
        "health": lambda: _health(client),
        "clock": lambda: _clock(client, now),
        "privileges": lambda: _privileges(client, of),
        "set-up": lambda: _set_up(client, of, wishes),
        "writing": lambda: _blocks(client, of),
    }
    for what, look in looks.items():
        try:
            yield look()
        except (ApiError, TransportError) as error:
            yield Check(what, well=False, said=explained(error))


def _version(client: Elasticsearch) -> Check:
    found = client.perform_request("GET", "/_nodes?filter_path=nodes.*.version", headers=_JSON).body
    versions = sorted({node["version"] for node in found.get("nodes", {}).values()})
    old = [version for version in versions if _parts(version) < _OLDEST or version.partition(".")[0] not in _MAJORS]
    said = ", ".join(versions)
    if old:
        oldest = ".".join(map(str, _OLDEST))
        return Check("version", well=False, said=f"{said}: {oldest} or later of Elasticsearch 8, or 9, was expected")
    return Check("version", well=True, said=said or "not told")


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _health(client: Elasticsearch) -> Check:
    health = client.cluster.health()
    said = str(health["status"])
    if said == "red":
        missing = health.get("unassigned_primary_shards", "some")
        return Check(
            "health",
            well=False,
            said=f"red: {missing} shards are lost or not assigned; `GET _cluster/allocation/explain`",
        )
    return Check("health", well=True, said=f"{said}, {health['number_of_data_nodes']} data nodes")


def _clock(client: Elasticsearch, now: Callable[[], float]) -> Check:
    before = now()
    theirs = client.cluster.stats(filter_path="timestamp")["timestamp"] / 1000
    skew = theirs - (before + now()) / 2
    if abs(skew) > _SKEW_SECONDS:
        who = "ahead of" if skew > 0 else "behind"
        said = f"the clock of the cluster is {abs(skew):.0f} s {who} that of this host: let both follow NTP"
        return Check("clock", well=False, said=said)
    return Check("clock", well=True, said=f"{abs(skew):.1f} s apart")


def _privileges(client: Elasticsearch, of: Names) -> Check:
    asked = {
        "cluster": ["monitor"],
        "index": [
            {"names": [of.events], "privileges": [*_READING, *_WRITING]},
            {"names": [of.sensors], "privileges": [*_READING, "index"]},
            {"names": [of.threats, of.observables], "privileges": list(_READING)},
        ],
    }
    try:
        path = "/_security/user/_has_privileges"
        found: Any = client.perform_request("POST", path, headers=_JSON, body=asked).body
    except ApiError as error:
        if error.meta.status not in _ABSENT:
            raise
        said = "security is off: whoever reaches the cluster may read and change all"
        return Check("privileges", well=True, said=said)
    who, missing = found.get("username"), set(_missing(found))
    to_write = {f"{name} on {of.events}" for name in _WRITING} | {f"index on {of.sensors}"}
    if missing - to_write:
        said = f"{who} lacks {', '.join(sorted(missing - to_write))}; docs/elasticsearch.md lists the roles"
        return Check("privileges", well=False, said=said)
    if missing:
        return Check("privileges", well=True, said=f"{who} may read events, not write any: enough to serve them")
    return Check("privileges", well=True, said=f"{who} may read and write events")


def _missing(found: Any) -> Iterator[str]:
    yield from (f"{name} of the cluster" for name, has in found.get("cluster", {}).items() if not has)
    for index, privileges in found.get("index", {}).items():
        yield from (f"{name} on {index}" for name, has in privileges.items() if not has)


def _set_up(client: Elasticsearch, of: Names, wishes: Wishes) -> Check:
    try:
        plan = setup.plan(client, of, wishes)
    except StoreError as error:
        cause = error.__cause__
        if isinstance(cause, ApiError) and cause.meta.status == 403:
            return Check("set-up", well=True, said="not looked at: that takes the role of who sets up")
        return Check("set-up", well=False, said=str(error))
    if plan.steps:
        said = f"{len(plan.steps)} things are missing or old: run `trailhound es setup`"
        return Check("set-up", well=False, said=said)
    return Check("set-up", well=True, said="; ".join(("as it should be", *plan.notes)))


def _blocks(client: Elasticsearch, of: Names) -> Check:
    path = f"/{of.everything}/_settings/index.blocks.*?ignore_unavailable=true&flat_settings=true"
    found: Any = client.perform_request("GET", path, headers=_JSON).body
    blocked = [
        f"{index} ({key.removeprefix('index.blocks.')})"
        for index, body in found.items()
        for key, value in body.get("settings", {}).items()
        if str(value) == "true"
    ]
    if blocked:
        return Check(
            "writing",
            well=False,
            said=f"{', '.join(blocked)} is blocked: make room on the disks of the cluster, then"
            ' `PUT INDEX/_settings {"index.blocks.read_only_allow_delete": null}`',
        )
    return Check("writing", well=True, said="no index is blocked")
