"""Heartbeats of sensors in a real Elasticsearch."""

from dataclasses import replace

import pytest
from elasticsearch import Elasticsearch

from stores.contract import SensorStatus
from stores.elastic import heartbeats, setup
from stores.elastic.heartbeats import Heartbeats
from stores.elastic.names import Names
from tests.elasticsearch.trouble import Refuse, TroubleProxy
from trailhound.errors import StoreUnavailable

STATUS = SensorStatus(
    sensor="sensor-1",
    log="dns",
    path="/logs/dns.log",
    records=10,
    matches=1,
    unreadable=0,
    lag_bytes=100,
    lost_bytes=0,
    last_record=1_759_276_800_000_000,
    last_read=None,
    updated=1_759_276_801_000_000,
    problem="the folder cannot be read",
    clock_skew=-5,
    lag_seconds=1.5,
)


@pytest.fixture
def names(client: Elasticsearch, elasticsearch_namespace: str) -> Names:
    names = Names(elasticsearch_namespace)
    setup.apply(client, names)
    return names


@pytest.fixture
def beats(client: Elasticsearch, names: Names) -> Heartbeats:
    return Heartbeats(client, names, refresh=True)


def test_heartbeats_come_back_as_they_were_put(beats: Heartbeats) -> None:
    other = replace(STATUS, sensor="sensor-2", problem=None, clock_skew=None)
    beats.put([other, STATUS])
    assert beats.all() == [STATUS, other]


def test_a_heartbeat_replaces_the_one_of_the_same_log_of_the_same_sensor(beats: Heartbeats) -> None:
    beats.put([STATUS, replace(STATUS, path="/logs/conn.log")])
    beats.put([replace(STATUS, records=11)])
    assert [(status.path, status.records) for status in beats.all()] == [("/logs/conn.log", 10), ("/logs/dns.log", 11)]


def test_sensors_are_told_apart_whatever_their_names(beats: Heartbeats) -> None:
    statuses = [
        replace(STATUS, sensor=sensor, path=path) for sensor, path in (("a", "b/c"), ("a/b", "c"), ("A", "b/c"))
    ]
    beats.put(statuses)
    assert len(beats.all()) == 3


def test_however_many_there_are_all_come(beats: Heartbeats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "_AT_ONCE", 7)
    beats.put([replace(STATUS, path=f"/logs/{number:03}.log") for number in range(30)])
    assert [status.path for status in beats.all()] == [f"/logs/{number:03}.log" for number in range(30)]


def test_hostile_names_are_kept(beats: Heartbeats) -> None:
    beats.put([replace(STATUS, sensor="\ud800\0", path="\udfff" * 9_000, warning="'><")])
    ((status),) = beats.all()
    assert (status.sensor, status.path, status.warning) == ("?\0", "?" * 9_000, "'><")


def test_a_heartbeat_of_another_version_is_read_as_far_as_it_goes(
    beats: Heartbeats, client: Elasticsearch, names: Names
) -> None:
    beats.put([STATUS])
    client.index(index=names.sensors, document={"sensor": "half"}, refresh=True)
    client.update(index=names.sensors, id=_id(client, names), doc={"later": 1}, refresh=True)
    assert beats.all() == [STATUS]


def _id(client: Elasticsearch, names: Names) -> str:
    found = client.search(index=names.sensors, query={"term": {"sensor": STATUS.sensor}})
    name: str = found["hits"]["hits"][0]["_id"]
    return name


def test_where_nothing_was_set_up_there_are_none_and_none_can_be_put(client: Elasticsearch) -> None:
    beats = Heartbeats(client, Names("never.set.up"))
    assert beats.all() == []
    with pytest.raises(StoreUnavailable, match="run `trailhound es setup`"):
        beats.put([STATUS])
    assert not client.indices.exists(index="trailhound-sensors-never.set.up")


def test_trouble_is_told_in_a_sentence(names: Names, elasticsearch_trouble: TroubleProxy) -> None:
    beats = Heartbeats(Elasticsearch(elasticsearch_trouble.url, max_retries=0), names)
    elasticsearch_trouble.make(Refuse(503), only="_bulk")
    with pytest.raises(StoreUnavailable, match="heartbeats cannot be written: the cluster is not ready"):
        beats.put([STATUS])


def test_a_heartbeat_that_is_refused_is_told(beats: Heartbeats, client: Elasticsearch, names: Names) -> None:
    client.indices.put_settings(index=names.sensors, settings={"index.blocks.write": True})
    with pytest.raises(StoreUnavailable, match=r"heartbeats cannot be written: index .* blocked"):
        beats.put([STATUS])
