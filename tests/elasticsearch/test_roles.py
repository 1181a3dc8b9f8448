"""The roles of the documentation, on a server that enforces them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from elasticsearch import AuthorizationException, Elasticsearch

from stores.contract import Query, SensorStatus
from stores.desk.contract import AuditQuery, Author, Cleared, Noun, Triage, TriageState
from stores.desk.rows import DAY
from stores.elastic import connect, setup
from stores.elastic.checks import check_cluster
from stores.elastic.desk import open_elastic_desk
from stores.elastic.failures import explained
from stores.elastic.names import Names
from stores.elastic.status import status
from stores.elastic.store import open_elastic
from stores.elastic.templates import Wishes
from tests.elasticsearch.secured import ADMIN, PASSWORD, SecuredServer
from tests.stores.factory import make_event
from trailhound.cluster import Cluster
from trailhound.errors import StoreError

OURS = Names("default")
OTHER = Names("other")
HEARTBEAT = SensorStatus("sensor-1", "dns", "/logs/dns.log", 1, 1, 0, 0, 0, None, None, 1)


@pytest.fixture(scope="module", autouse=True)
def _set_up(secured_elasticsearch: SecuredServer) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELASTICSEARCH_PASSWORD", PASSWORD)
        with as_(secured_elasticsearch, ADMIN) as client:
            setup.apply(client, OTHER)
        with as_(secured_elasticsearch, "trailhound-setup") as client:
            setup.apply(client, OURS)


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_PASSWORD", PASSWORD)


@contextmanager
def as_(server: SecuredServer, user: str) -> Iterator[Elasticsearch]:
    with connect.client(Cluster(hosts=(server.url,), ca_file=server.ca_file, user=user)) as client:
        yield client


def test_who_sets_up_may_do_it_again_and_look(secured_elasticsearch: SecuredServer) -> None:
    with as_(secured_elasticsearch, "trailhound-setup") as client:
        assert setup.apply(client, OURS).steps == ()
        assert status(client, OURS, Wishes()).due == []
        setup.apply(client, OURS, Wishes(refresh_seconds=2))
        setup.apply(client, OURS)


def test_a_sensor_writes_and_a_console_reads(secured_elasticsearch: SecuredServer) -> None:
    event = make_event(identity="roles")
    with as_(secured_elasticsearch, "trailhound-sensor") as client:
        store = open_elastic(client, OURS, refresh=True)
        assert store.append([event]).stored == 1
        assert store.append([event]).known == 1
        store.put_sensors([HEARTBEAT])
        assert store.sensors()
    with as_(secured_elasticsearch, "trailhound-console") as client:
        store = open_elastic(client, OURS, read_only=True)
        assert store.summary(Query()).events == 1
        assert store.event(event.id) is not None
        assert len(store.events(Query()).events) == 1
        assert len(store.threats(Query()).threats) == 1
        assert [one.sensor for one in store.sensors()] == ["sensor-1"]
        client.index(index=OURS.threats, id="a", document={"state": "closed"})


def test_a_console_keeps_the_desk_and_a_sensor_reads_it(secured_elasticsearch: SecuredServer) -> None:
    author = Author("alice", "", 1_790_000_000_000_000)
    with as_(secured_elasticsearch, "trailhound-console") as client:
        desk = open_elastic_desk(client, OURS)
        desk.put_triage(Triage("0f2a5b6c7d8e9f01", TriageState.RESOLVED), author)
        desk.clear(Cleared("192.0.2.1", "clean", "", 0), author)
        assert desk.unclear("192.0.2.1", 1, replace(author, at=author.at + 400 * DAY)) is not None
        assert desk.all_cleared() == []
        assert not desk.begin("k", "f", author.at).is_taken
        assert len(desk.audit(AuditQuery()).entries) == 3
    with as_(secured_elasticsearch, "trailhound-sensor") as client:
        desk = open_elastic_desk(client, OURS)
        assert desk.trails(now=author.at) == []
        assert desk.mark(Noun.TRAIL)
        with pytest.raises(StoreError, match=r"not permitted|unauthorized"):
            desk.put_triage(Triage("0f2a5b6c7d8e9f02"), author)


@pytest.mark.parametrize("role", ["trailhound-sensor", "trailhound-console"])
def test_no_one_but_who_sets_up_may_set_up(secured_elasticsearch: SecuredServer, role: str) -> None:
    with as_(secured_elasticsearch, role) as client, pytest.raises(StoreError, match="manage_index_templates"):
        setup.apply(client, OURS)


@pytest.mark.parametrize("role", ["trailhound-sensor", "trailhound-console"])
def test_events_cannot_be_changed_or_deleted(secured_elasticsearch: SecuredServer, role: str) -> None:
    with as_(secured_elasticsearch, role) as client:
        with pytest.raises(AuthorizationException):
            client.indices.delete(index=OURS.threats)
        with pytest.raises(AuthorizationException):
            client.indices.rollover(alias=OURS.events)
        index = setup.Server(client).generations(OURS.events)[-1]
        there = {"_index": index, "_id": "a"}
        changed = {"index": {**there, "if_seq_no": 0, "if_primary_term": 1}}
        for operations in ([{"delete": there}], [changed, {}]):
            (item,) = client.bulk(operations=operations)["items"]
            assert [told["status"] for told in item.values()] == [403]


def test_a_console_cannot_add_events(secured_elasticsearch: SecuredServer) -> None:
    with as_(secured_elasticsearch, "trailhound-console") as client, pytest.raises(StoreError, match="create_doc"):
        open_elastic(client, OURS).append([make_event(identity="of a console")])


@pytest.mark.parametrize("role", ["trailhound-setup", "trailhound-sensor", "trailhound-console"])
def test_another_namespace_is_out_of_reach(secured_elasticsearch: SecuredServer, role: str) -> None:
    with as_(secured_elasticsearch, role) as client:
        for index in OTHER.indices.values():
            with pytest.raises(AuthorizationException) as caught:
                client.search(index=index)
            assert "this action is granted by the index privileges [read,all]" in explained(caught.value)


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("trailhound-sensor", "trailhound-sensor may read and write events"),
        ("trailhound-console", "trailhound-console may read events, not write any: enough to serve them"),
    ],
)
def test_a_check_says_what_a_role_is_good_for(secured_elasticsearch: SecuredServer, role: str, said: str) -> None:
    with as_(secured_elasticsearch, role) as client:
        found = {one.what: one for one in check_cluster(client, OURS, Wishes())}
    assert [one.what for one in found.values() if not one.well] == []
    assert found["privileges"].said == said
    assert found["set-up"].said.startswith("not looked at")


def test_a_check_names_the_privileges_that_are_missing(secured_elasticsearch: SecuredServer) -> None:
    with as_(secured_elasticsearch, "trailhound-console") as client:
        found = {one.what: one for one in check_cluster(client, OTHER, Wishes())}
    assert not found["privileges"].well
    assert found["privileges"].said.startswith("trailhound-console lacks ")
    assert f", read on {OTHER.events}," in found["privileges"].said
