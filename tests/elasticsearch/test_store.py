"""What is Elasticsearch's own: namespaces, followers beside several writers, and what goes wrong."""

import ipaddress
import threading
from collections.abc import Callable, Iterator

import pytest
from elasticsearch import Elasticsearch

from stores.addresses import span
from stores.contract import Dimension, EventOrder, Query, Store, Summary, ThreatOrder
from stores.elastic import distinct, ranking, setup, tops, totals
from stores.elastic.asking import Asker
from stores.elastic.conditions import compiled, merged
from stores.elastic.names import Names
from stores.elastic.store import open_elastic
from tests.stores.emptied import connect
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from tests.stores.model import THREAT_KEYS, Model
from trailhound.errors import StoreError, StoreUnavailable
from trailhound.severity import Severity

Open = Callable[..., Store]


@pytest.fixture
def names(client: Elasticsearch, elasticsearch_namespace: str) -> Names:
    names = Names(elasticsearch_namespace)
    setup.apply(client, names)
    return names


@pytest.fixture
def open_store(elasticsearch_url: str, names: Names) -> Iterator[Open]:
    opened: list[Store] = []

    def open_(*, read_only: bool = False, refresh: bool = False) -> Store:
        opened.append(open_elastic(connect(elasticsearch_url), names, read_only=read_only, refresh=refresh))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


def _everything(store: Store) -> tuple[object, ...]:
    return (
        store.summary(Query()),
        store.count(Query()),
        store.events(Query()).events,
        store.events(Query(), order=EventOrder.INGESTED).events,
        store.threats(Query()).threats,
        store.top(Query(), Dimension.SOURCE),
        store.distinct(Query(), Dimension.TRAIL).count,
        store.timeline(Query(), by=Dimension.GROUP, step=HOUR),
        store.attackers(Query()),
        store.event("0" * 32),
    )


def test_before_anything_was_written_the_store_is_empty(open_store: Open) -> None:
    nothing = Summary(0, 0, 0, 0, 0, None, None)
    found, *rest = _everything(open_store(read_only=True))
    assert isinstance(found, Summary)
    assert (found.records, found.threats, found.first, found.approximate) == (0, 0, nothing.first, frozenset())
    assert not any(found.by.values())
    assert not any(rest)


def test_namespaces_see_nothing_of_each_other(
    open_store: Open, client: Elasticsearch, elasticsearch_url: str, names: Names
) -> None:
    other = Names(f"{names.namespace}.b")
    setup.apply(client, other)
    theirs = open_elastic(connect(elasticsearch_url), other, refresh=True)
    mine = open_store(refresh=True)
    mine.append([make_event()])
    before = _everything(mine)
    theirs.append([make_attack(), make_event(sensor="theirs")])
    assert theirs.append([make_event()]).stored == 1
    assert _everything(mine) == before
    assert mine.distinct(Query(), Dimension.SENSOR).count == 1
    assert theirs.count(Query()) == 3
    theirs.close()


def test_who_follows_arrival_misses_nothing_of_several_writers_and_rollovers(
    open_store: Open, client: Elasticsearch, names: Names
) -> None:
    written: list[str] = []
    ended = threading.Event()
    failed: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            store = open_store()
            for batch in range(25):
                events = [make_event(identity=f"{writer}-{batch}-{n}", start=START - batch * HOUR) for n in range(20)]
                store.append(events)
                written.extend(event.id for event in events)
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread of the test
            failed.append(error)

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    follower = open_store(read_only=True)
    for thread in writers:
        thread.start()
    seen: list[str] = []
    cursor = None
    rollovers = 0
    while True:
        was_ended = ended.is_set()
        page = follower.events(Query(), order=EventOrder.INGESTED, limit=60, cursor=cursor)
        seen += [event["event"]["id"] for event in page.events]
        cursor = page.next or cursor
        if len(seen) > rollovers * 700 + 200 and rollovers < 2:
            client.indices.rollover(alias=names.events)
            rollovers += 1
        if not any(thread.is_alive() for thread in writers):
            ended.set()
        if was_ended and not page.events:
            break
    if failed:
        raise failed[0]
    assert rollovers == 2
    assert len(seen) == len(set(seen))
    assert sorted(seen) == sorted(written)
    assert len(written) == 4 * 25 * 20


def test_what_is_seen_first_may_have_come_last(open_store: Open) -> None:
    """A page ends with what all copies have: never with what a refresh happened to show."""
    writer, follower = open_store(), open_store(read_only=True)
    writer.append([make_event(identity="a")])
    page = follower.events(Query(), order=EventOrder.INGESTED)
    assert len(page.events) == 1
    writer.append([make_event(identity="b", start=START - HOUR)])
    assert follower.events(Query()).events == page.events
    after = follower.events(Query(), order=EventOrder.INGESTED, cursor=page.next)
    assert [event["@timestamp"] for event in after.events] == ["2025-09-30T23:00:00.000000Z"]


def test_a_cursor_outlives_indices_that_were_deleted(open_store: Open, client: Elasticsearch, names: Names) -> None:
    store = open_store(refresh=True)
    store.append([make_event(identity="old")])
    cursor = store.events(Query(), order=EventOrder.INGESTED).next
    client.indices.rollover(alias=names.events)
    store.append([make_event(identity="new", start=START + 9 * HOUR)])
    old, _ = client.indices.resolve_index(name=names.events)["data_streams"][0]["backing_indices"]
    client.indices.delete(index=old)
    page = store.events(Query(), order=EventOrder.INGESTED, cursor=cursor)
    assert [event["@timestamp"] for event in page.events] == ["2025-10-01T09:00:00.000000Z"]
    assert store.events(Query(), order=EventOrder.INGESTED, cursor=page.next).events == []


def test_what_is_second_in_each_index_may_be_first_in_all(
    open_store: Open, client: Elasticsearch, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tops, "_AT_FIRST", 1)
    monkeypatch.setattr(tops, "_GROWTH", 2)
    store = open_store(refresh=True)
    for half, first in enumerate(("10.0.0.1", "10.0.0.2")):
        counts = {first: 10, "10.0.0.3": 6, "10.0.0.4": 1}
        store.append([make_event(identity=f"{half} {ip}", source_ip=ip, count=number) for ip, number in counts.items()])
        if not half:
            client.indices.rollover(alias=names.events)
    found = store.top(Query(), Dimension.SOURCE, limit=2)
    assert [(one.value, one.count) for one in found] == [("10.0.0.3", 12), ("10.0.0.1", 10)]
    assert [one.value for one in store.top(Query(), Dimension.SOURCE, limit=1)] == ["10.0.0.3"]


def test_an_estimate_stands_for_a_while_and_all_else_is_new(
    open_store: Open, client: Elasticsearch, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distinct, "EXACT", 3)
    now = [100.0]
    known, asker = distinct.Distincts(lambda: now[0]), Asker(client, names.events)
    store = open_store(refresh=True)
    store.append([make_event(identity=str(n), source_ip=f"10.0.0.{n}") for n in range(9)])
    assert totals.summary(asker, known, Query()).sources == 9
    store.append([make_event(identity=f"more {n}", source_ip=f"10.0.1.{n}") for n in range(5)])
    found = totals.summary(asker, known, Query())
    assert (found.events, found.sources, found.approximate) == (14, 9, frozenset({"sources", "threats"}))
    assert found.trails == 1
    assert totals.summary(asker, known, Query(since=START)).sources == 14
    now[0] += distinct.SECONDS
    assert totals.summary(asker, known, Query()).sources == 14


@pytest.mark.parametrize("order", ThreatOrder)
def test_threats_of_one_index_come_sorted_from_the_server(
    open_store: Open, order: ThreatOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the server sorts that many; what lies beyond is found by going through all."""
    monkeypatch.setattr(distinct, "EXACT", 2)
    monkeypatch.setattr(ranking, "EXACT", 100)
    monkeypatch.setattr(ranking, "_SIZES", (5, 9, 14))
    monkeypatch.setattr(ranking, "_PART", 4)
    severities = tuple(Severity)
    events = [
        make_event(
            identity=str(n),
            start=START + n * 7 % 31,
            count=1 + n * 11 % 29,
            severity=severities[n % 4],
            trail=make_trail(value=f"evil{n % 23}.example"),
        )
        for n in range(60)
    ]
    store = open_store(refresh=True)
    store.append(events)
    expected = Model(events).threats(Query())
    seen: list[str] = []
    page = store.threats(Query(), order=order, limit=3)
    assert (page.total, page.is_total_approximate) == (23, True)
    seen += [threat.id for threat in page.threats]
    while page.next is not None:
        page = store.threats(Query(), order=order, limit=3, cursor=page.next)
        seen += [threat.id for threat in page.threats]
    assert sorted(seen) == sorted(expected)
    keys = [THREAT_KEYS[order](expected[threat]) for threat in seen]
    assert keys == sorted(keys, reverse=True)


def test_pages_of_threats_go_on_from_one_moment(open_store: Open) -> None:
    """What the first page found is remembered for those that follow."""
    store = open_store(refresh=True)
    store.append([make_event(identity=str(n), trail=make_trail(value=f"evil{n}.example")) for n in range(9)])
    page = store.threats(Query(), order=ThreatOrder.LAST, limit=4)
    store.append([make_event(identity="x", start=START + HOUR, trail=make_trail(value="evil8.example"))])
    seen = [threat.trail for threat in page.threats]
    while page.next is not None:
        page = store.threats(Query(), order=ThreatOrder.LAST, limit=4, cursor=page.next)
        seen += [threat.trail for threat in page.threats]
    assert sorted(seen) == [f"evil{n}.example" for n in range(9)]
    first = store.threats(Query(), order=ThreatOrder.LAST, limit=1).threats[0]
    assert (first.trail, first.last) == ("evil8.example", START + HOUR)


def test_networks_that_touch_are_one_range_and_ipv6_does_not_mean_ipv4() -> None:
    def ranges(*texts: str) -> list[tuple[str, str]]:
        spans = [found for text in texts if (found := span(text)) is not None]
        return [(str(first), str(last)) for first, last in merged(spans)]

    assert ranges("10.0.0.0/24", "10.0.1.0/24", "10.0.1.7", "10.0.3.0/24") == [
        ("10.0.0.0", "10.0.1.255"),
        ("10.0.3.0", "10.0.3.255"),
    ]
    assert ranges("::ffff:1.2.3.4", "1.2.3.5") == [("1.2.3.4", "1.2.3.5")]
    assert ranges("::/0") == [
        ("::", "::fffe:ffff:ffff"),
        ("::1:0:0:0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ]


def test_more_networks_than_one_query_takes_are_refused_in_words(open_store: Open) -> None:
    store = open_store(refresh=True)
    store.append([make_event()])
    first = int(ipaddress.IPv4Address("11.0.0.0"))
    networks = tuple(f"{ipaddress.IPv4Address(first + 512 * n)}/24" for n in range(60_000))
    with pytest.raises(StoreError, match="more networks than Elasticsearch takes") as raised:
        store.count(Query(sources=networks))
    assert not isinstance(raised.value, StoreUnavailable)
    assert store.count(Query(sources=(*networks[:1_000], "192.168.0.0/16"))) == 1


def test_whole_milliseconds_are_compared_with_the_time_alone() -> None:
    assert compiled(Query(since=START)) == {
        "bool": {"filter": [{"range": {"@timestamp": {"gte": "2025-10-01T00:00:00.000000Z"}}}]}
    }
    (_, exact) = compiled(Query(since=START + 1))["bool"]["filter"]
    assert exact == {"range": {"trailhound.index.start": {"gte": START + 1}}}
    assert compiled(Query()) == {"match_all": {}}


@pytest.mark.parametrize("moment", [-(2**70), -(10**17), -1, 10**18, 2**70])
def test_times_beyond_all_calendars_are_compared_all_the_same(open_store: Open, moment: int) -> None:
    store = open_store(refresh=True)
    store.append([make_event()])
    assert store.count(Query(since=moment)) == (moment < START)
    assert store.count(Query(until=moment)) == (moment > START)


def test_a_server_that_is_away_is_said_to_be() -> None:
    store = open_elastic(connect("http://127.0.0.1:9"), Names("default"), read_only=True)
    for ask in (store.summary, store.count, store.events, store.threats, store.attackers):
        with pytest.raises(StoreUnavailable, match="refused"):
            ask(Query())
    with pytest.raises(StoreUnavailable):
        store.event("a")
    with pytest.raises(StoreUnavailable):
        store.sensors()
    store.close()


def test_a_store_that_is_closed_or_open_for_reading_says_so(open_store: Open) -> None:
    store = open_store(read_only=True)
    with pytest.raises(StoreUnavailable, match="for reading only"):
        store.append([make_event()])
    with pytest.raises(StoreUnavailable, match="for reading only"):
        store.put_sensors([])
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.count(Query())
