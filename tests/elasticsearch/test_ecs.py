"""Our documents beside the official field list of ECS, and on a real server."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from hypothesis import given

from stores.elastic import fields, setup
from stores.elastic.document import to_document
from stores.elastic.names import Names
from tests.elasticsearch.golden import flat, pairs
from tests.elasticsearch.schema import OWN, ecs_fields, violations
from tests.house.tree import ROOT
from tests.stores.factory import make_attack, make_event, make_trail
from tests.stores.strategies import events
from trailhound.event import Event, to_ecs
from trailhound.severity import Severity
from trailhound.trail import TrailKind

FULL = frozenset({"wildcard", "match_only_text", "constant_keyword"})
# Of what each kind of trail may hold, as it stands in trails.
VALUES: Mapping[TrailKind, str] = {
    TrailKind.IPV4: "192.0.2.1",
    TrailKind.IPV6: "2001:db8::1",
    TrailKind.CIDR: "192.0.2.0/24",
    TrailKind.IP_PORT: "[2001:db8::1]:443",
    TrailKind.URL: "evil.example/gate.php",
    TrailKind.HTTP_HOST: "evil.example/",
    TrailKind.PATH: "/gate.php",
    TrailKind.FILE_SHA256: "0" * 64,
    TrailKind.RULE: "Scan::Port_Scan",
}


def of_every_kind() -> list[Event]:
    return [
        make_event(identity=kind.value, trail=make_trail(kind=kind, value=VALUES.get(kind, "evil.example")))
        for kind in TrailKind
    ]


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Give the events of the sample that comes with the program."""
    state = tmp_path_factory.mktemp("state")
    command = [sys.executable, "-m", "trailhound", "scan", "--ecs", "--jobs", "1", "--state", str(state)]
    done = subprocess.run([*command, str(ROOT / "trailhound" / "sample")], capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    # What a heuristic finds in the logs of both tools is one event: it has one id.
    found = {document["event"]["id"]: document for document in map(json.loads, done.stdout.splitlines())}
    assert len(found) > 100
    return list(found.values())


@pytest.mark.parametrize("name", fields.ECS)
def test_a_field_has_the_type_that_ecs_gives_it(name: str) -> None:
    official = ecs_fields()[name].type
    assert fields.parameters(fields.ECS[name], FULL)["type"] == official
    plain = {"wildcard": "keyword", "match_only_text": "text"}.get(official, official)
    assert fields.parameters(fields.ECS[name], frozenset())["type"] == plain


def test_what_is_no_field_of_ecs_stands_under_names_of_its_own() -> None:
    assert [name for name in fields.OWN if not name.startswith(OWN)] == []


@given(events())
def test_every_event_keeps_to_ecs(event: Event) -> None:
    assert list(violations(to_ecs(event))) == []


def test_events_of_every_kind_of_trail_keep_to_ecs() -> None:
    for event in (*of_every_kind(), make_attack()):
        assert list(violations(to_ecs(event))) == []


def test_events_of_the_sample_keep_to_ecs(sampled: list[dict[str, Any]]) -> None:
    assert {said for document in sampled for said in violations(document)} == set()


def test_events_of_real_logs_keep_to_ecs(corpus: Path) -> None:
    documents = [document for pair in pairs(corpus) for document in pair.documents]
    assert documents
    assert {said for document in documents for said in violations(document)} == set()


def test_the_list_finds_what_is_wrong() -> None:
    wrong = {"source": {"ip": "none", "port": "80"}, "tags": "one", "dns": {"id": 5}, "my": {"own": 1}}
    assert sorted(violations(wrong)) == [
        "dns.id is no keyword: 5",
        "my.own is no field of ECS",
        "source.ip is no ip: 'none'",
        "source.port is no long: '80'",
        "tags is no list: 'one'",
    ]


def test_every_field_that_we_fill_is_indexed(sampled: list[dict[str, Any]]) -> None:
    documents = [*sampled, *(to_ecs(event) for event in (*of_every_kind(), make_attack()))]
    known = {**fields.ECS, **fields.OWN}
    filled = {name for document in documents for name in _leaves(document)}
    assert [name for name in sorted(filled) if name not in known and not _is_flattened(name)] == []


def test_what_elastic_security_goes_by_is_there() -> None:
    for severity in Severity:
        document = to_ecs(make_event(severity=severity))
        assert document["event"]["kind"] == "alert"
        assert document["event"]["severity"] in (21, 47, 73, 99)
        assert document["event"]["risk_score"] == float(document["event"]["severity"])
        (enrichment,) = document["threat"]["enrichments"]
        assert enrichment["indicator"] == document["threat"]["indicator"]
        assert enrichment["matched"]["atomic"] == "evil.example"
        assert enrichment["matched"]["field"] == "dns.question.name"


def test_a_server_takes_every_field_of_every_event(
    client: Elasticsearch, elasticsearch_namespace: str, sampled: list[dict[str, Any]]
) -> None:
    of = Names(elasticsearch_namespace)
    setup.apply(client, of)
    ours = [to_document(event) for event in (*of_every_kind(), make_attack())]
    actions = [
        {"_op_type": "create", "_index": of.events, "_id": document["event"]["id"], "_source": document}
        for document in (*sampled, *ours)
    ]
    bulk(client, actions, refresh=True, require_data_stream=True)
    ignored = client.search(index=of.events, query={"exists": {"field": "_ignored"}})["hits"]["hits"]
    assert [(hit["_id"], hit["_ignored"]) for hit in ignored] == []
    assert client.count(index=of.events)["count"] == len(actions)
    nested = {"path": "threat.enrichments", "query": {"exists": {"field": "threat.enrichments.indicator.type"}}}
    by_rule = sum("rule" in one and "enrichments" not in one.get("threat", {}) for one in sampled) + 1
    assert client.count(index=of.events, query={"nested": nested})["count"] == len(actions) - by_rule


def _leaves(document: Mapping[str, Any]) -> set[str]:
    found = set()
    for name, value in flat(document).items():
        items = [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
        found |= {f"{name}.{part}" for item in items for part in _leaves(item)} if items else {name}
    return found


def _is_flattened(name: str) -> bool:
    roots = [root for root, type_ in fields.OWN.items() if type_ is fields.Type.FLATTENED]
    return any(name.startswith(f"{root}.") for root in roots)
