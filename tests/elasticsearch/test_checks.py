"""What a check of the cluster finds wrong, beyond what a connection and roles can have."""

import json
import time
from collections.abc import Mapping

import pytest
from elasticsearch import Elasticsearch

from stores.elastic import checks, connect, setup
from stores.elastic.checks import Check, check_cluster
from stores.elastic.names import Names
from stores.elastic.templates import Wishes
from tests.elasticsearch.trouble import Refuse, TroubleProxy
from tests.feeds.fetching.server import Handler, body, serving
from trailhound.cluster import Cluster

AS_ELASTICSEARCH = {"X_Elastic_Product": "Elasticsearch", "Content_Type": "application/json"}


@pytest.fixture
def of(client: Elasticsearch, elasticsearch_namespace: str) -> Names:
    of = Names(elasticsearch_namespace)
    setup.apply(client, of)
    return of


def found(client: Elasticsearch, of: Names, ahead: float = 0) -> Mapping[str, Check]:
    made = check_cluster(client, of, Wishes(), now=lambda: time.time() + ahead)
    return {one.what: one for one in made}


def wrong(client: Elasticsearch, of: Names, ahead: float = 0) -> list[str]:
    return [one.what for one in found(client, of, ahead).values() if not one.well]


def test_nothing_is_wrong_with_a_sound_cluster(client: Elasticsearch, of: Names) -> None:
    assert wrong(client, of) == []


@pytest.mark.parametrize(("ahead", "said"), [(3600, "s behind that of this host"), (-3600, "s ahead of that of this")])
def test_clocks_that_disagree_are_named(client: Elasticsearch, of: Names, ahead: float, said: str) -> None:
    assert wrong(client, of, ahead) == ["clock"]
    assert said in found(client, of, ahead)["clock"].said


def test_a_version_that_is_too_old_is_named(client: Elasticsearch, of: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_OLDEST", (99, 0))
    assert wrong(client, of) == ["version"]
    assert "99.0 or later" in found(client, of)["version"].said


def test_a_version_beyond_those_we_know_is_named(
    client: Elasticsearch, of: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_MAJORS", ("7",))
    assert wrong(client, of) == ["version"]


def test_a_red_cluster_is_named() -> None:
    told = {"status": "red", "number_of_data_nodes": 1, "unassigned_primary_shards": 3, "cluster_name": "a"}
    with serving(Handler, None) as place:
        place.answers["/_cluster/health"] = body(json.dumps(told).encode(), **AS_ELASTICSEARCH)
        with connect.client(Cluster(hosts=(place.base,))) as client:
            health = found(client, Names("a"))["health"]
    assert not health.well
    assert health.said.startswith("red: 3 shards are lost or not assigned")


def test_one_look_that_fails_keeps_no_other_from_being_taken(
    client: Elasticsearch, of: Names, elasticsearch_trouble: TroubleProxy
) -> None:
    elasticsearch_trouble.make(Refuse(503), only="/_cluster/stats")
    with connect.client(Cluster(hosts=(elasticsearch_trouble.url,))) as through:
        assert wrong(through, of) == ["clock"]
        assert found(through, of)["clock"].said.startswith("the cluster is not ready")
