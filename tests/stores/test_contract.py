"""What every store promises, against a model that works it out the plain way."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stores.contract import Dimension, Distinct, EventOrder, Query, SensorStatus, Store, Threat, ThreatOrder
from stores.threat import risk, threat_id
from tests.stores.conftest import MakeStore
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from tests.stores.model import THREAT_KEYS, Model
from tests.stores.strategies import DAY, events, queries
from trailhound.errors import StoreError
from trailhound.event import Event, to_ecs
from trailhound.record import MICROSECONDS
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailClass, TrailKind

_MINUTE = 60 * MICROSECONDS
_STEPS = (1, _MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, HOUR + 1)
batches = st.lists(events(), max_size=25)
questions = st.lists(queries(), min_size=1, max_size=4)


def trials(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[MakeStore], None]]:
    """Try a property of stores on as many examples as their kind has time for; each makes a store of its own."""

    def decorate(prop: Callable[..., None]) -> Callable[[MakeStore], None]:
        def trial(make_store: MakeStore) -> None:
            settings(deadline=None, max_examples=make_store.examples)(given(*strategies)(prop))(make_store)

        trial.__name__, trial.__doc__ = prop.__name__, prop.__doc__
        return trial

    return decorate


def _filled(store: Store, batch: list[Event]) -> Model:
    for event in batch[::2]:
        store.append([event])
    store.append(batch[1::2])
    return Model(batch[::2] + batch[1::2])


def _all_ids(store: Store, query: Query, order: EventOrder, limit: int) -> list[str]:
    ids: list[str] = []
    cursor = None
    while True:
        page = store.events(query, order=order, limit=limit, cursor=cursor)
        assert len(page.events) <= limit
        ids += [event["event"]["id"] for event in page.events]
        cursor = page.next
        if cursor is None:
            return ids


@trials(batches, questions)
def test_totals_are_those_of_the_model(make_store: MakeStore, batch: list[Event], asked: list[Query]) -> None:
    with make_store() as store:
        model = _filled(store, batch)
        for query in asked:
            summary = store.summary(query)
            expected = model.summary(query)
            assert {name: getattr(summary, name) for name in expected} == expected
            assert store.count(query) == expected["events"]
            for dimension, counts in summary.by.items():
                assert counts == {value: count for value, (count, _) in model.top(query, dimension).items()}


@trials(batches, questions, st.sampled_from(Dimension))
def test_top_lists_are_those_of_the_model(
    make_store: MakeStore, batch: list[Event], asked: list[Query], dimension: Dimension
) -> None:
    with make_store() as store:
        model = _filled(store, batch)
        for query in asked:
            expected = model.top(query, dimension)
            found = store.top(query, dimension, limit=100)
            assert {top.value: (top.count, top.severity) for top in found} == expected
            assert [top.count for top in found] == sorted((count for count, _ in expected.values()), reverse=True)
            assert len(found) == len(expected)
            assert store.distinct(query, dimension) == Distinct(len(expected))
            assert store.top(query, dimension, limit=2) == found[:2]


@trials(batches, questions, st.sampled_from(Dimension), st.sampled_from(_STEPS))
def test_timelines_are_those_of_the_model(
    make_store: MakeStore, batch: list[Event], asked: list[Query], dimension: Dimension, step: int
) -> None:
    with make_store() as store:
        model = _filled(store, batch)
        for query in asked:
            found = store.timeline(query, by=dimension, step=step)
            assert {bucket.start: dict(bucket.counts) for bucket in found} == model.timeline(query, dimension, step)
            assert [bucket.start for bucket in found] == sorted(bucket.start for bucket in found)


@trials(batches, questions, st.sampled_from(EventOrder), st.integers(1, 7))
def test_events_come_in_order_and_each_once(
    make_store: MakeStore, batch: list[Event], asked: list[Query], order: EventOrder, limit: int
) -> None:
    with make_store() as store:
        model = _filled(store, batch)
        for query in asked:
            assert _all_ids(store, query, order, limit) == model.ids(query, order)


@trials(batches, questions, st.sampled_from(ThreatOrder), st.integers(1, 7))
def test_threats_are_those_of_the_model(
    make_store: MakeStore, batch: list[Event], asked: list[Query], order: ThreatOrder, limit: int
) -> None:
    with make_store() as store:
        model = _filled(store, batch)
        assert store.lasts(list(model.lasts())) == model.lasts()
        assert store.lasts(["of nothing"]) == {}
        for query in asked:
            expected = model.threats(query)
            found: list[Threat] = []
            cursor = None
            while True:
                page = store.threats(query, order=order, limit=limit, cursor=cursor)
                assert page.total == len(expected)
                found += page.threats
                cursor = page.next
                if cursor is None:
                    break
            assert sorted(threat.id for threat in found) == sorted(expected)
            keys = [THREAT_KEYS[order](expected[threat.id]) for threat in found]
            assert keys == sorted(keys, reverse=True)
            for threat in found:
                facts = dict(expected[threat.id])
                assert (threat.info, threat.class_, threat.direction) in facts.pop("words")
                assert {name: getattr(threat, name) for name in facts} == facts
                assert threat.risk == risk(threat.severity, threat.count)


@trials(batches, questions)
def test_attackers_are_those_of_the_model(make_store: MakeStore, batch: list[Event], asked: list[Query]) -> None:
    with make_store() as store:
        model = _filled(store, batch)
        for query in asked:
            expected = model.attackers(query)
            found = store.attackers(query, by_day=True)
            assert {
                a.address: (a.severity, a.count, a.first, a.last, tuple(a.infos), a.days) for a in found
            } == expected
            assert store.attackers(query) == [replace(one, days=1) for one in found]
            ranks = [(a.severity, a.last) for a in found]
            assert ranks == sorted(ranks, reverse=True)


@trials(batches)
def test_documents_come_back_as_they_were_made(make_store: MakeStore, batch: list[Event]) -> None:
    with make_store() as store:
        model = _filled(store, batch)
        for event in model.stored:
            assert store.event(event.id) == orjson.loads(orjson.dumps(to_ecs(event)))


@trials(batches, st.randoms(use_true_random=False))
def test_events_that_come_again_change_nothing(make_store: MakeStore, batch: list[Event], random: object) -> None:
    with make_store() as store:
        _filled(store, batch)
        before = store.summary(Query()), store.threats(Query()), store.top(Query(), Dimension.DESTINATION)
        again = store.append(batch)
        assert (again.stored, again.known) == (0, len(batch))
        assert (store.summary(Query()), store.threats(Query()), store.top(Query(), Dimension.DESTINATION)) == before


def test_an_event_that_comes_twice_in_one_call_counts_once(store: Store) -> None:
    event = make_event(count=5)
    acknowledged = store.append([event, make_event(identity="other"), event])
    assert (acknowledged.stored, acknowledged.known) == (2, 1)
    assert store.summary(Query()).records == 6


def test_the_first_of_two_events_with_one_id_stays(store: Store) -> None:
    event = make_event(count=5)
    store.append([event])
    store.append([replace(event, count=7, message="another")])
    document = store.event(event.id)
    assert document is not None
    assert document["trailhound"]["count"] == 5
    assert store.summary(Query()).records == 5


def test_nothing_appended_is_nothing_stored(store: Store) -> None:
    assert store.append([]).stored == 0
    assert store.summary(Query()).first is None
    assert store.events(Query()).events == []
    assert store.threats(Query()).total == 0
    assert store.timeline(Query(since=START), by=Dimension.SOURCE, step=HOUR) == []
    assert store.attackers(Query()) == []


def test_an_unknown_event_is_none(store: Store) -> None:
    store.append([make_event()])
    assert store.event("0" * 32) is None
    assert store.event("") is None
    assert store.event("no such event") is None


def test_ids_of_any_form_are_kept_apart(store: Store) -> None:
    ids = ("a", "A" * 32, "a" * 32, "\N{GREEK SMALL LETTER ALPHA}" * 32, "0" * 31, "z" * 32)
    store.append([make_event(id=name) for name in ids])
    assert store.count(Query()) == len(ids)
    for name in ids:
        document = store.event(name)
        assert document is not None
        assert document["event"]["id"] == name


def test_hostile_text_is_stored_and_found(store: Store) -> None:
    hostile = make_event(
        identity="hostile",
        sensor="s\0\ud800'; DROP TABLE events --",
        observed="\udfff\0",
        message='"><script>%_\\',
        source_ip="not an address",
        ecs={"dns.question.name": "\ud83d", "number": 10**30, "url.path": ["\0", {"a": "\ud800"}]},
        trail=make_trail(info="x' OR '1'='1", value="'; --", sources=("\ud800",), reference="\udfff"),
    )
    store.append([hostile, make_event()])
    for query in (
        Query(sensors=(hostile.sensor,)),
        Query(infos=("x' OR '1'='1",)),
        Query(trails=("'; --",)),
        Query(sources=("not an address",)),
        Query(text="<SCRIPT>%_\\"),
        Query(text="drop table"),
    ):
        assert [event["event"]["id"] for event in store.events(query).events] == [hostile.id]
    assert store.count(Query(text="%")) == 1
    assert store.count(Query(text="\ud800")) in (0, 1)
    assert store.count(Query(infos=("' OR '1'='1",))) == 0


def test_a_condition_may_have_thousands_of_alternatives(store: Store) -> None:
    store.append([make_event(), make_attack()])
    many = tuple(f"10.{n // 256}.{n % 256}.0/24" for n in range(20_000))
    assert store.count(Query(sources=(*many, "192.168.0.0/16"))) == 1
    assert store.count(Query(trails=(*many, "evil.example"))) == 1


def test_late_events_are_not_missed_by_who_follows_arrival(store: Store) -> None:
    store.append([make_event(start=START + HOUR), make_event(start=START + 2 * HOUR)])
    page = store.events(Query(), order=EventOrder.INGESTED)
    late = make_event(start=START - DAY)
    store.append([late])
    after = store.events(Query(), order=EventOrder.INGESTED, cursor=page.next)
    assert [event["event"]["id"] for event in after.events] == [late.id]
    end = store.events(Query(), order=EventOrder.INGESTED, cursor=after.next)
    assert (end.events, end.next) == ([], None)


def test_new_events_between_pages_neither_repeat_nor_hide_old_ones(store: Store) -> None:
    old = [make_event(start=START + n, identity=str(n)) for n in range(10)]
    store.append(old)
    page = store.events(Query(), limit=4)
    store.append([make_event(start=START + 100), make_event(start=START - 100)])
    rest = store.events(Query(), limit=100, cursor=page.next)
    ids = [event["event"]["id"] for event in (*page.events, *rest.events)]
    assert [name for name in ids if name in {event.id for event in old}] == [event.id for event in reversed(old)]
    assert len(ids) == len(set(ids)) == 11


@pytest.mark.parametrize(
    "cursor", ["", "x", "ÿ", "!!!!", "e30", "W10", "WyJuZXdlc3QiXQ", "WyJuZXdlc3QiLCIxIiwyXQ", "A" * 5000, "\0"]
)
def test_a_cursor_that_is_none_is_refused(store: Store, cursor: str) -> None:
    store.append([make_event()])
    with pytest.raises(StoreError, match="is no cursor"):
        store.events(Query(), cursor=cursor)
    with pytest.raises(StoreError, match="is no cursor"):
        store.threats(Query(), cursor=cursor)


def test_a_cursor_of_another_order_is_refused(store: Store) -> None:
    store.append([make_event(), make_attack()])
    cursor = store.events(Query(), limit=1, order=EventOrder.NEWEST).next
    with pytest.raises(StoreError, match="another order"):
        store.events(Query(), cursor=cursor, order=EventOrder.OLDEST)
    with pytest.raises(StoreError):
        store.threats(Query(), cursor=cursor)


def test_a_timeline_without_a_step_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="0 microseconds"):
        store.timeline(Query(), by=Dimension.GROUP, step=0)


def test_a_threat_says_what_it_met(store: Store) -> None:
    store.append([make_event(destination_ip=f"10.0.0.{n}", identity=str(n), protocol="dns") for n in range(1, 4)])
    store.append([make_event(identity="tls", protocol="tls", destination_port=443, sensor="sensor-2")])
    (threat,) = store.threats(Query()).threats
    assert threat.id == threat_id("192.168.1.10", TrailKind.DOMAIN, "evil.example")
    assert set(threat.destinations) == {"10.0.0.1", "10.0.0.2", "10.0.0.3", "192.168.1.1"}
    assert set(threat.ports) == {53, 443}
    assert set(threat.protocols) == {"dns", "tls"}
    assert set(threat.sensors) == {"sensor-1", "sensor-2"}
    assert threat.sources == ("maltrail", "urlhaus")
    assert threat.reference == "https://lists.example/emotet.txt"


def test_a_threat_names_only_so_many_destinations(store: Store) -> None:
    store.append([make_event(destination_ip=f"10.0.{n}.1", identity=str(n)) for n in range(200)])
    (threat,) = store.threats(Query()).threats
    assert 10 <= len(threat.destinations) < 200
    assert threat.events == 200


@pytest.mark.parametrize(
    ("address", "listed"),
    [
        ("45.155.205.233", True),
        ("2a02:6b8::2", True),
        ("192.168.1.10", False),
        ("100.64.0.1", False),
        ("127.0.0.1", False),
        ("224.0.0.251", False),
        ("ff0e::1", False),
        ("fe80::1", False),
        ("192.0.2.1", False),
        ("0.0.0.0", False),
        ("somebody", False),
    ],
)
def test_only_routable_addresses_are_attackers(store: Store, address: str, *, listed: bool) -> None:
    store.append([make_attack(source_ip=address)])
    assert [attacker.address for attacker in store.attackers(Query())] == [address] * listed


def test_who_calls_out_is_no_attacker(store: Store) -> None:
    store.append(
        [make_attack(direction=direction) for direction in (Direction.OUTBOUND, Direction.INTERNAL, Direction.EXTERNAL)]
    )
    assert store.attackers(Query()) == []


def test_attackers_are_those_of_the_classes_and_time_asked_for(store: Store) -> None:
    store.append(
        [
            make_attack(source_ip="45.155.205.1", start=START - 1),
            make_attack(source_ip="45.155.205.2", start=START + 30 * _MINUTE, severity=Severity.MEDIUM),
            make_attack(source_ip="45.155.205.3", start=START + 2 * HOUR),
            make_attack(
                source_ip="45.155.205.4",
                start=START + 2 * HOUR,
                trail=make_trail(kind=TrailKind.IPV4, value="45.155.205.4", class_=TrailClass.SPAM),
            ),
        ]
    )
    found = store.attackers(Query(since=START, classes=(TrailClass.ATTACKER,)))
    assert [attacker.address for attacker in found] == ["45.155.205.2", "45.155.205.3"]
    assert [attacker.address for attacker in store.attackers(Query(), limit=1)] == ["45.155.205.2"]


def test_heartbeats_replace_each_other(store: Store) -> None:
    first = SensorStatus("sensor-1", "dns", "/logs/dns.log", 10, 1, 0, 100, 0, START, START, START)
    second = SensorStatus("sensor-1", "conn", "/logs/conn.log", 20, 0, 0, 0, 0, None, None, START, "no such file")
    store.put_sensors([first, second])
    store.put_sensors([replace(first, records=11, lag_bytes=0)])
    assert sorted(store.sensors(), key=lambda status: status.path) == [second, replace(first, records=11, lag_bytes=0)]
