import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from stores.elastic import fields, names, setup, templates
from stores.elastic.fields import Type
from stores.elastic.names import Names
from stores.elastic.templates import Wishes
from tests.elasticsearch.lookalike import Lookalike
from trailhound.errors import SettingsError, StoreError


@pytest.fixture
def of(elasticsearch_namespace: str, monkeypatch: pytest.MonkeyPatch) -> Names:
    """Give a namespace whose shared templates are its own too, so that a test can have other versions of them."""
    monkeypatch.setattr(names, "EVENT_MAPPINGS", f"trailhound-event-mappings-{elasticsearch_namespace}")
    monkeypatch.setattr(names, "EVENT_SETTINGS", f"trailhound-event-settings-{elasticsearch_namespace}")
    monkeypatch.setattr(names, "EVENT_CUSTOM", f"logs-trailhound.event@custom-{elasticsearch_namespace}")
    return Names(elasticsearch_namespace)


def write(client: Elasticsearch, of: Names, id_: str, **fields_: Any) -> str:
    """Write one document, as the first does that makes the data stream; give the index that holds it."""
    body = {"@timestamp": "2025-10-01T00:00:00.123456Z", **fields_}
    answer = client.bulk(
        operations=[{"create": {"_index": of.events, "_id": id_}}, body], require_data_stream=True, refresh=True
    )
    item = answer["items"][0]["create"]
    assert item["status"] == 201, item
    return str(item["_index"])


def found(client: Elasticsearch, of: Names, **query: Any) -> set[str]:
    return {hit["_id"] for hit in client.search(index=of.events, query=query)["hits"]["hits"]}


def state(client: Elasticsearch, of: Names) -> str:
    """Give all that the cluster keeps of a namespace, but for its documents."""
    kept = client.cluster.state(metric="metadata", filter_path="metadata.indices,metadata.index_template")
    parts = {
        name: body
        for kind in ("indices", "index_template")
        for name, body in kept["metadata"].get(kind, {}).items()
        if of.namespace in name
    }
    templates_ = client.cluster.get_component_template(name=f"*{of.namespace}*")
    return json.dumps([parts, templates_.body], sort_keys=True)


def test_a_second_set_up_changes_nothing(client: Elasticsearch, of: Names) -> None:
    first = setup.apply(client, of)
    assert [step.method for step in first.steps]
    write(client, of, "a")
    before = state(client, of)
    assert setup.apply(client, of).steps == ()
    assert state(client, of) == before


def test_a_plan_changes_nothing(client: Elasticsearch, of: Names) -> None:
    assert setup.plan(client, of).steps
    assert not client.indices.exists(index=of.threats)
    kept = client.cluster.state(metric="metadata")["metadata"]
    assert [name for name in kept["component_template"]["component_template"] if of.namespace in name] == []


def test_events_get_our_fields_and_settings(client: Elasticsearch, of: Names) -> None:
    setup.apply(client, of)
    index = write(client, of, "a")
    mapping = client.indices.get_mapping(index=index)[index]["mappings"]
    assert mapping["dynamic"] == "false"
    assert mapping["properties"]["threat"]["properties"]["enrichments"]["type"] == "nested"
    assert mapping["properties"]["zeek"]["properties"]["notice"]["type"] == "flattened"
    settings = client.indices.get_settings(index=index)[index]["settings"]["index"]
    expected = {"mode": "standard", "codec": "best_compression", "number_of_shards": "1", "refresh_interval": "1000ms"}
    assert {key: settings[key] for key in expected} == expected


def test_what_no_log_should_say_is_kept_and_not_indexed(client: Elasticsearch, of: Names) -> None:
    setup.apply(client, of)
    said = {
        "source": {"ip": "no address", "port": "none", "bytes": 2**70},
        "tls": {"established": "perhaps"},
        "event": {"end": "yesterday"},
        "invented": {"field": 1},
    }
    index = write(client, of, "a", **said)
    hit = client.search(index=index)["hits"]["hits"][0]
    assert {name: hit["_source"][name] for name in said} == said
    assert sorted(hit["_ignored"]) == ["event.end", "source.bytes", "source.ip", "source.port", "tls.established"]
    assert "invented" not in client.indices.get_mapping(index=index)[index]["mappings"]["properties"]


def test_plain_indices_are_made(client: Elasticsearch, of: Names) -> None:
    setup.apply(client, of)
    for index in (of.threats, of.observables, of.sensors):
        assert client.indices.get_mapping(index=index)[index]["mappings"]["dynamic"] == "false"


def test_what_was_written_with_older_templates_is_found_after_an_upgrade_in_place(
    client: Elasticsearch, of: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = dict(fields.ECS)
    monkeypatch.setattr(fields, "ECS", {name: type_ for name, type_ in newer.items() if not name.startswith("tls.")})
    setup.apply(client, of)
    old = write(client, of, "old", tls={"version": "TLSv12"}, url={"domain": "old.example"})
    monkeypatch.setattr(fields, "ECS", newer)
    monkeypatch.setattr(templates, "VERSION", templates.VERSION + 1)
    done = setup.apply(client, of)
    assert f"add fields to {old}" in [step.why for step in done.steps]
    assert write(client, of, "new", tls={"version": "TLSv12"}, url={"domain": "new.example"}) == old, "in place"
    assert found(client, of, exists={"field": "url.domain"}) == {"old", "new"}
    assert found(client, of, term={"tls.version": "TLSv12"}) == {"new"}
    assert setup.plan(client, of).steps == ()


def test_a_change_that_is_none_in_place_goes_into_a_new_index_and_says_so(
    client: Elasticsearch, of: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fields, "ECS", {**fields.ECS, "url.port": Type.KEYWORD})
    setup.apply(client, of)
    old = write(client, of, "old", url={"port": 8080})
    monkeypatch.undo()
    monkeypatch.setattr(names, "EVENT_MAPPINGS", f"trailhound-event-mappings-{of.namespace}")
    monkeypatch.setattr(names, "EVENT_SETTINGS", f"trailhound-event-settings-{of.namespace}")
    monkeypatch.setattr(names, "EVENT_CUSTOM", f"logs-trailhound.event@custom-{of.namespace}")
    done = setup.apply(client, of)
    assert done.notes[-1].startswith("url.port cannot be changed in place: new events go to a new backing index")
    assert write(client, of, "new", url={"port": 8080}) != old
    assert found(client, of, term={"url.port": "8080"}) == {"old", "new"}
    assert setup.plan(client, of).steps == ()


def test_what_a_newer_version_put_there_stays(
    client: Elasticsearch, of: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "VERSION", templates.VERSION + 1)
    setup.apply(client, of)
    monkeypatch.setattr(templates, "VERSION", templates.VERSION - 1)
    monkeypatch.setattr(fields, "ECS", {"@timestamp": Type.TIME})
    done = setup.apply(client, of)
    assert done.steps == ()
    assert [note for note in done.notes if "is of a newer Trailhound (version 2, ours 1)" in note]


def test_what_users_say_in_their_own_templates_stays(client: Elasticsearch, of: Names) -> None:
    own = {"settings": {"index": {"refresh_interval": "7s"}}, "mappings": {"properties": {"mine": {"type": "keyword"}}}}
    client.cluster.put_component_template(name=of.custom, template=own)
    setup.apply(client, of)
    index = write(client, of, "a", mine="yes")
    assert client.indices.get_settings(index=index)[index]["settings"]["index"]["refresh_interval"] == "7s"
    assert found(client, of, term={"mine": "yes"}) == {"a"}
    assert setup.plan(client, of).steps == ()


def test_another_wish_reaches_the_indices_that_are_there(client: Elasticsearch, of: Names) -> None:
    setup.apply(client, of)
    index = write(client, of, "a")
    setup.apply(client, of, Wishes(refresh_seconds=0.5))
    assert client.indices.get_settings(index=index)[index]["settings"]["index"]["refresh_interval"] == "500ms"
    assert setup.plan(client, of, Wishes(refresh_seconds=0.5)).steps == ()


def test_a_template_of_somebody_else_is_never_overwritten(client: Elasticsearch, of: Names) -> None:
    client.cluster.put_component_template(name=of.component, template={"settings": {}})
    with pytest.raises(StoreError, match=f"the component template {of.component} is there and was not made by Trail"):
        setup.apply(client, of)


def test_a_stronger_template_of_somebody_else_is_named(client: Elasticsearch, of: Names) -> None:
    client.indices.put_index_template(name=f"x-{of.namespace}", index_patterns=[f"logs-*-{of.namespace}"], priority=999)
    with pytest.raises(StoreError, match=f"the index template x-{of.namespace} .priority 999.* takes {of.events} bef"):
        setup.apply(client, of)


def test_an_index_in_the_place_of_the_data_stream_is_named(client: Elasticsearch, of: Names) -> None:
    client.indices.create(index=of.events)
    with pytest.raises(StoreError, match=f"{of.events} is an index and no data stream"):
        setup.apply(client, of)


def test_set_ups_at_the_same_time_do_not_hinder_each_other(client: Elasticsearch, of: Names) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: setup.apply(client, of), range(3)))
    assert setup.plan(client, of).steps == ()


def test_namespaces_are_apart(client: Elasticsearch, of: Names) -> None:
    other = Names(f"{of.namespace}.b")
    setup.apply(client, of)
    setup.apply(client, other, Wishes(retention_days=7, refresh_seconds=5))
    write(client, of, "a")
    assert setup.plan(client, of).steps == ()
    assert write(client, other, "b") not in client.indices.get_mapping(index=of.events)
    assert found(client, of, match_all={}) == {"a"}


@pytest.mark.parametrize("namespace", ["mappings", "settings"])
def test_no_namespace_takes_the_place_of_what_all_share(namespace: str) -> None:
    cluster, of = Lookalike(), Names(namespace)
    with cluster.client() as client:
        setup.apply(client, Names("a"))
        setup.apply(client, of)
        assert setup.plan(client, Names("a")).steps == setup.plan(client, of).steps == ()
        assert {of.component, names.EVENT_MAPPINGS, names.EVENT_SETTINGS} <= set(cluster.components)


@pytest.mark.parametrize("name", ["", "A", "a-b", "a*", "_all", "a,b", "x" * 101, "a/b", "ä"])
def test_what_cannot_be_a_namespace_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"store\.elasticsearch\.namespace"):
        Names(name)


def test_old_events_go_by_a_lifecycle_policy_where_there_is_one() -> None:
    cluster, of = Lookalike(), Names("a")
    with cluster.client() as client:
        setup.apply(client, of)
        assert cluster.policies[of.policy]["phases"]["delete"]["min_age"] == "90d"
        assert cluster.policies[of.policy]["phases"]["hot"]["actions"]["rollover"]
        index = cluster.streams[of.events]
        assert cluster.indices[index]["settings"]["index"]["lifecycle"] == {"name": of.policy}
        assert of.events not in cluster.kept_for, "one of the two"
        assert setup.plan(client, of).steps == ()
        assert [path for _, path, _ in setup_again(cluster, of, Wishes(retention_days=30))] == [
            f"/_ilm/policy/{of.policy}"
        ]
        assert cluster.policies[of.policy]["phases"]["delete"]["min_age"] == "30d"
        setup_again(cluster, of, Wishes(retention_days=0))
        assert "name" not in cluster.indices[index]["settings"]["index"]["lifecycle"]
        assert setup.plan(client, of, Wishes(retention_days=0)).steps == ()


def test_else_by_the_lifecycle_of_the_data_stream() -> None:
    cluster, of = Lookalike(ilm=False), Names("a")
    with cluster.client() as client:
        setup.apply(client, of)
        assert cluster.policies == {}
        assert cluster.kept_for[of.events] == {"data_retention": "90d"}
        assert setup.plan(client, of).steps == ()
        setup_again(cluster, of, Wishes(retention_days=30))
        assert cluster.kept_for[of.events] == {"data_retention": "30d"}
        setup_again(cluster, of, Wishes(retention_days=0))
        assert cluster.kept_for[of.events] == {}
        assert setup.plan(client, of, Wishes(retention_days=0)).steps == ()


def test_else_it_says_that_nothing_deletes_them() -> None:
    with Lookalike(ilm=False, data_stream_lifecycle=False).client() as client:
        assert "nothing deletes events older than 90 days" in " ".join(setup.plan(client, Names("a")).notes)
        assert setup.plan(client, Names("a"), Wishes(retention_days=0)).notes == ()


def test_a_full_server_gets_its_own_field_types() -> None:
    cluster, of = Lookalike(), Names("a")
    with cluster.client() as client:
        setup.apply(client, of)
    fields_ = cluster.components[names.EVENT_MAPPINGS]["template"]["mappings"]["properties"]
    assert fields_["message"]["type"] == "match_only_text"
    assert fields_["url"]["properties"]["original"]["type"] == "wildcard"
    constants = cluster.components[of.component]["template"]["mappings"]["properties"]["data_stream"]["properties"]
    assert {name: body["value"] for name, body in constants.items()} == {
        "type": "logs",
        "dataset": "trailhound.event",
        "namespace": "a",
    }


def test_a_real_full_server_keeps_what_it_is_told(client: Elasticsearch, of: Names) -> None:
    plan = setup.apply(client, of)
    if plan.abilities.lifecycle is None:
        pytest.skip("the server of the tests has no lifecycle; TRAILHOUND_TEST_ELASTICSEARCH may name a full one")
    assert setup.plan(client, of).steps == ()
    assert client.indices.get_data_stream(name=of.events)["data_streams"][0]["template"] == of.events
    setup.apply(client, of, Wishes(retention_days=30))
    assert setup.plan(client, of, Wishes(retention_days=30)).steps == ()
    client.indices.delete_data_stream(name=of.events)


def setup_again(cluster: Lookalike, of: Names, wishes: Wishes) -> list[tuple[str, str, Any]]:
    before = len(cluster.sent)
    with cluster.client() as client:
        setup.apply(client, of, wishes)
    return cluster.sent[before:]
