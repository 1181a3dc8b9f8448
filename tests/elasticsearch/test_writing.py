"""Writing to a real Elasticsearch, with real trouble in between."""

from dataclasses import replace

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer

from stores.contract import Acknowledgement, Query
from stores.elastic import writer
from stores.elastic.names import Names
from stores.elastic.store import open_elastic
from tests.elasticsearch.place import Place, ids_of, some_events
from tests.elasticsearch.trouble import Refuse, RefuseItems, TroubleProxy
from tests.stores.factory import make_event
from trailhound.errors import StorePartly, StoreUnavailable
from trailhound.event import Event, to_ecs


def test_events_are_kept_once_and_come_back(place: Place) -> None:
    events = some_events(20)
    with place.store() as store:
        assert store.append(events[:15]) == Acknowledgement(stored=15, known=0)
        assert store.append(events[10:]) == Acknowledgement(stored=5, known=5)
        assert store.event(events[3].id) == to_ecs(events[3])
    assert place.ids() == ids_of(events)


def test_more_than_one_request_takes_is_cut_by_bytes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MOST_BYTES", 10_000)
    events = some_events(50)
    with place.store() as store:
        assert store.append(events) == Acknowledgement(stored=50, known=0)
    assert place.ids() == ids_of(events)


def test_items_that_are_rejected_are_sent_again_and_only_these(place: Place, trouble: TroubleProxy) -> None:
    events = some_events(30)
    trouble.make(RefuseItems(lambda number: number % 3 == 0), times=1, only="_bulk")
    trouble.make(RefuseItems(lambda number: number == 0), times=1, only="_bulk")
    with place.store(trouble.url) as store:
        assert store.append(events) == Acknowledgement(stored=30, known=0)
    assert sum("_bulk" in seen.path for seen in trouble.seen) == 3
    assert place.ids() == ids_of(events)


def test_items_that_stay_rejected_are_named_and_the_rest_is_kept(place: Place, trouble: TroubleProxy) -> None:
    events = some_events(10)
    with place.store(trouble.url) as store:
        trouble.make(RefuseItems(lambda number: number < 3), times=1, only="_bulk")
        trouble.make(RefuseItems(lambda _: True), only="_bulk")
        with pytest.raises(
            StorePartly, match="3 of 10 events are not kept yet: the cluster has too much to do"
        ) as told:
            store.append(events)
        assert told.value.ids == {event.id for event in events[:3]}
        trouble.heal()
        assert store.append(events[:3]) == Acknowledgement(stored=3, known=0)
    assert place.ids() == ids_of(events)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_request_that_is_refused_for_a_while_is_sent_again(place: Place, trouble: TroubleProxy, status: int) -> None:
    trouble.make(Refuse(status), times=2, only="_bulk")
    with place.store(trouble.url) as store:
        assert store.append(some_events(5)) == Acknowledgement(stored=5, known=0)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (503, "not ready"),
        (429, "too much to do"),
        (401, "does not know who we are"),
        (403, "not permitted"),
        (400, "the cluster refuses .400."),
    ],
)
def test_a_request_that_stays_refused_is_told_in_a_sentence(
    place: Place, trouble: TroubleProxy, status: int, sentence: str
) -> None:
    events = some_events(5)
    with place.store(trouble.url) as store:
        trouble.make(Refuse(status), only="_bulk")
        with pytest.raises(StoreUnavailable, match=f"5 of 5 events are not kept yet: .*{sentence}"):
            store.append(events)
        trouble.heal()
        assert store.append(events) == Acknowledgement(stored=5, known=0)


def test_a_request_that_is_too_large_is_cut_and_the_next_is_smaller(place: Place, trouble: TroubleProxy) -> None:
    events = some_events(40)
    with place.store(trouble.url) as store:
        trouble.make(Refuse(413), times=8, only="_bulk")
        assert store.append(events) == Acknowledgement(stored=40, known=0)
        trouble.seen.clear()
        store.append(some_events(40, sensor="sensor-2"))
    # 5 MB halved eight times is 20 KB; these take 88 KB.
    assert sum("_bulk" in seen.path for seen in trouble.seen) == 5
    assert len(place.ids()) == 80
    assert place.refused == []


def test_requests_grow_again_when_they_are_taken(place: Place, trouble: TroubleProxy) -> None:
    with place.store(trouble.url) as store:
        trouble.make(Refuse(413), times=8, only="_bulk")
        store.append(some_events(40))
        for number in range(20):
            store.append([make_event(identity=str(number), sensor="sensor-2")])
        trouble.seen.clear()
        store.append(some_events(40, sensor="sensor-3"))
    assert sum("_bulk" in seen.path for seen in trouble.seen) < 3


def test_an_event_that_is_too_large_alone_is_a_dead_letter(place: Place, trouble: TroubleProxy) -> None:
    large = make_event(ecs={"url.path": [f"/{'x' * 8_000}"] * 20})
    with place.store(trouble.url) as store:
        trouble.make(Refuse(413), only="_bulk")
        assert store.append([large]) == Acknowledgement(stored=0, known=0)
    ((event, reason),) = place.refused
    assert event == large
    assert "bytes is too large" in reason


def test_where_not_even_small_events_are_taken_they_wait(place: Place, trouble: TroubleProxy) -> None:
    events = some_events(40)
    with place.store(trouble.url) as store:
        trouble.make(Refuse(413), only="_bulk")
        with pytest.raises(StoreUnavailable, match=r"not even .* bytes are taken"):
            store.append(events)
        trouble.heal()
        assert store.append(events) == Acknowledgement(stored=40, known=0)
    assert place.refused == []


def test_an_event_whose_record_is_refused_is_kept_and_found_all_the_same(place: Place) -> None:
    hostile = make_event(identity="hostile", ecs={"dns.question.name": {"not": "a name"}, "zeek.session_id": "C1"})
    with place.store() as store:
        assert store.append([*some_events(3), hostile]) == Acknowledgement(stored=4, known=0)
        assert store.event(hostile.id) == to_ecs(hostile)
        assert store.count(Query(trails=("evil.example",), text="www.evil")) == 4
        assert store.append([hostile]) == Acknowledgement(stored=0, known=1)
    assert place.refused == []


@pytest.mark.parametrize("name", ["", "x" * 513, "ß" * 257])
def test_an_event_that_no_store_could_name_is_a_dead_letter(place: Place, name: str) -> None:
    nameless = replace(make_event(), id=name)
    with place.store() as store:
        assert store.append([*some_events(2), nameless]) == Acknowledgement(stored=2, known=0)
    assert [event for event, _ in place.refused] == [nameless]


def test_an_event_that_is_refused_with_and_without_its_record_is_a_dead_letter(place: Place) -> None:
    unfit = make_event(identity="unfit", count=2**63)
    with place.store() as store:
        assert store.append([*some_events(3), unfit]) == Acknowledgement(stored=3, known=0)
    ((event, reason),) = place.refused
    assert event == unfit
    assert "trailhound.count" in reason


def test_when_the_dead_letters_cannot_be_written_the_event_is_not_dealt_with(place: Place) -> None:
    def full(event: Event, reason: str) -> None:
        raise OSError(28, "No space left on device")

    client = Elasticsearch(place.url, serializer=OrjsonSerializer())
    store = open_elastic(client, place.names, refresh=True, refused=full)
    with pytest.raises(OSError, match="No space"):
        store.append([replace(make_event(), id="")])
    store.close()


def test_while_the_index_is_read_only_it_is_said_and_nothing_is_lost(place: Place) -> None:
    events = some_events(5)
    with place.store() as store:
        store.append(events[:1])
        place.block(read_only=True)
        try:
            with pytest.raises(StoreUnavailable, match=r"not kept yet: the index is read-only: .*make room"):
                store.append(events)
        finally:
            place.block(read_only=False)
        assert store.append(events) == Acknowledgement(stored=4, known=1)
    assert place.ids() == ids_of(events)


def test_without_templates_nothing_is_written_and_it_is_said_what_to_do(elasticsearch_url: str) -> None:
    client = Elasticsearch(elasticsearch_url, serializer=OrjsonSerializer())
    names = Names("never.set.up")
    store = open_elastic(client, names, refused=lambda *_: None)
    with pytest.raises(StoreUnavailable, match="neither the data stream nor its template is there: run `trailhound es"):
        store.append([make_event()])
    assert client.indices.resolve_index(name=names.events, ignore_unavailable=True)["data_streams"] == []
    store.close()


def test_a_data_stream_that_was_made_without_our_template_is_left_alone(
    client: Elasticsearch, stream: str, elasticsearch_url: str, elasticsearch_namespace: str
) -> None:
    names = Names(elasticsearch_namespace)
    alien = f"{elasticsearch_namespace}-alien"
    client.indices.put_index_template(name=alien, index_patterns=[names.events], data_stream={}, priority=600)
    client.bulk(operations=[{"create": {"_index": names.events}}, {"@timestamp": "2026-01-01T00:00:00Z"}])
    own = Elasticsearch(elasticsearch_url, serializer=OrjsonSerializer())
    store = open_elastic(own, names, refused=lambda *_: None)
    with pytest.raises(StoreUnavailable, match="without the index template of Trailhound"):
        store.append([make_event()])
    store.close()


def test_a_store_that_is_closed_takes_nothing(place: Place) -> None:
    with place.store() as store:
        store.close()
        with pytest.raises(StoreUnavailable, match="closed"):
            store.append([make_event()])
