"""The same questions to both stores, which hold the same hundred thousand events: the same answers.

In Elasticsearch they were written by several writers at once, and lie in two backing indices.
"""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores.contract import Dimension, Distinct, EventOrder, Query, Store, Threat, ThreatOrder
from stores.elastic import buckets, distinct, ranking, setup, timelines, tops, totals
from stores.elastic.names import Names
from stores.elastic.store import open_elastic
from stores.embedded import open_embedded
from tests.elasticsearch import plenty
from tests.elasticsearch.cleaning import clean
from tests.stores.emptied import connect
from tests.stores.factory import HOUR
from tests.stores.model import THREAT_KEYS
from tests.stores.strategies import DAY
from trailhound.event import Event

NUMBER = 100_000
_WRITERS = 4
_BATCH = 2_500
_STEPS = (DAY, 6 * HOUR, 7 * DAY, HOUR + 1)
_trials = settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
_dimensions = st.sampled_from(Dimension)


@dataclass(frozen=True, slots=True)
class Both:
    """The two stores."""

    elastic: Store
    embedded: Store


@pytest.fixture(scope="module")
def both(elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    events = list(plenty.events(NUMBER))
    embedded = open_embedded(tmp_path_factory.mktemp("both") / "events.sqlite")
    embedded.append(events)
    names = Names(f"t{uuid.uuid4().hex[:12]}")
    with connect(elasticsearch_url) as client:
        setup.apply(client, names)
        # The first half is spread over all time, as the second is.
        for half in (events[::2], events[1::2]):
            shares = [half[place::_WRITERS] for place in range(_WRITERS)]
            _together([partial(_write, elasticsearch_url, names, share) for share in shares])
            if half[0] is events[0]:
                client.indices.rollover(alias=names.events)
        client.indices.refresh(index=names.events)
        elastic = open_elastic(connect(elasticsearch_url), names, read_only=True)
        assert len(client.indices.resolve_index(name=names.events)["data_streams"][0]["backing_indices"]) == 2
    yield Both(elastic, embedded)
    elastic.close()
    embedded.close()
    clean(elasticsearch_url, names.namespace)


def _write(url: str, names: Names, events: Sequence[Event]) -> None:
    store = open_elastic(connect(url), names)
    for begin in range(0, len(events), _BATCH):
        store.append(events[begin : begin + _BATCH])
    store.close()


def _together(works: Sequence[Callable[[], None]]) -> None:
    failed: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread of the test
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def _close(found: int, expected: int) -> bool:
    return abs(found - expected) <= max(3, expected * 0.03)


@_trials
@given(plenty.queries())
def test_totals_are_the_same(both: Both, query: Query) -> None:
    found, expected = both.elastic.summary(query), both.embedded.summary(query)
    estimated = {name: getattr(expected, name) for name in found.approximate}
    for name, value in estimated.items():
        assert value > distinct.EXACT * 0.9
        assert _close(getattr(found, name), value)
    assert replace(found, approximate=frozenset(), **estimated) == expected
    assert both.elastic.count(query) == expected.events


@_trials
@given(plenty.queries(), _dimensions, st.sampled_from((1, 10, 700)))
def test_top_lists_are_the_same(both: Both, query: Query, dimension: Dimension, limit: int) -> None:
    found = both.elastic.top(query, dimension, limit=limit)
    everything = both.embedded.top(query, dimension, limit=NUMBER)
    assert [(one.count, one.severity) for one in found] == [(one.count, one.severity) for one in everything[:limit]]
    assert set(found) <= set(everything)
    assert both.elastic.distinct(query, dimension) == Distinct(len(everything))


@_trials
@given(plenty.queries(), _dimensions, st.sampled_from(_STEPS))
def test_timelines_are_the_same(both: Both, query: Query, dimension: Dimension, step: int) -> None:
    expected = both.embedded.timeline(query, by=dimension, step=step)
    assert both.elastic.timeline(query, by=dimension, step=step) == expected


@_trials
@given(plenty.queries(), st.sampled_from((EventOrder.NEWEST, EventOrder.OLDEST)), st.sampled_from((7, 1_000)))
def test_pages_of_events_are_the_same(both: Both, query: Query, order: EventOrder, limit: int) -> None:
    cursors: tuple[str | None, str | None] = None, None
    for _ in range(3):
        found = both.elastic.events(query, order=order, limit=limit, cursor=cursors[0])
        expected = both.embedded.events(query, order=order, limit=limit, cursor=cursors[1])
        assert found.events == [_as_kept(event) for event in expected.events]
        cursors = found.next, expected.next
        assert [cursor is None for cursor in cursors] == [expected.next is None] * 2
        if expected.next is None:
            return


def _as_kept(document: object) -> object:
    """Give a document as JSON has it: lists, no tuples."""
    if isinstance(document, dict):
        return {name: _as_kept(value) for name, value in document.items()}
    return [_as_kept(value) for value in document] if isinstance(document, list | tuple) else document


def _threats_are_the_same(both: Both, query: Query, order: ThreatOrder, limit: int) -> None:
    cursors: tuple[str | None, str | None] = None, None
    seen: list[str] = []
    known = {threat.id: threat for threat in both.embedded.threats(query, order=order, limit=5 * limit).threats}
    for _ in range(3):
        found = both.elastic.threats(query, order=order, limit=limit, cursor=cursors[0])
        expected = both.embedded.threats(query, order=order, limit=limit, cursor=cursors[1])
        assert _close(found.total, expected.total) if found.is_total_approximate else found.total == expected.total
        # Which of two that are alike comes first is a store's own affair.
        assert list(map(_rank(order), found.threats)) == list(map(_rank(order), expected.threats))
        for threat in found.threats:
            if threat.id in known:
                assert _sorted(threat) == _sorted(known[threat.id])
        seen += [threat.id for threat in found.threats]
        cursors = found.next, expected.next
        assert (found.next is None) == (expected.next is None)
        if expected.next is None:
            break
    assert len(seen) == len(set(seen))


def _rank(order: ThreatOrder) -> Callable[[Threat], tuple[int, ...]]:
    def rank(threat: Threat) -> tuple[int, ...]:
        names = ("severity", "count", "first", "last")
        return THREAT_KEYS[order]({name: getattr(threat, name) for name in names})

    return rank


def _sorted(threat: Threat) -> Threat:
    """Put lists in one order; one that is full may hold any of the values."""
    return replace(
        threat,
        destinations=sorted(threat.destinations) if len(threat.destinations) < 20 else (),
        ports=sorted(threat.ports),
        protocols=sorted(threat.protocols),
        sensors=sorted(threat.sensors),
        sources=sorted(threat.sources),
        # That of the event that came last, or that is the latest: what came last, several writers do not know.
        reference="",
    )


@_trials
@given(plenty.queries(), st.sampled_from(ThreatOrder), st.sampled_from((5, 60)))
def test_threats_are_the_same(both: Both, query: Query, order: ThreatOrder, limit: int) -> None:
    _threats_are_the_same(both, query, order, limit)


@pytest.mark.parametrize("order", ThreatOrder)
def test_threats_of_many_are_the_same(both: Both, order: ThreatOrder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over two indices all have to be gone through, in many parts."""
    monkeypatch.setattr(distinct, "EXACT", 2_000)
    monkeypatch.setattr(ranking, "EXACT", 2_000)
    monkeypatch.setattr(ranking, "_PART", 700)
    _threats_are_the_same(both, Query(), order, 500)


@pytest.mark.parametrize("dimension", [Dimension.SOURCE, Dimension.TRAIL, Dimension.INFO, Dimension.DESTINATION])
@pytest.mark.parametrize("limit", [3, 40])
def test_top_lists_are_right_where_each_index_gives_few(
    both: Both, dimension: Dimension, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tops, "_AT_FIRST", 3)
    monkeypatch.setattr(tops, "_GROWTH", 2)
    found = both.elastic.top(Query(), dimension, limit=limit)
    expected = both.embedded.top(Query(), dimension, limit=limit)
    assert [(one.count, one.severity) for one in found] == [(one.count, one.severity) for one in expected]


def test_top_lists_are_right_where_everything_has_to_be_gone_through(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tops, "_AT_FIRST", 2)
    monkeypatch.setattr(tops, "_MOST", 2)
    monkeypatch.setattr(buckets, "AT_ONCE", 900)
    found = both.elastic.top(Query(), Dimension.TRAIL, limit=2_000)
    expected = both.embedded.top(Query(), Dimension.TRAIL, limit=2_000)
    assert [(one.count, one.severity) for one in found] == [(one.count, one.severity) for one in expected]


def test_facets_are_right_where_there_are_too_many_for_one_answer(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(totals._FACETS["terms"], "size", 50)
    monkeypatch.setattr(buckets, "AT_ONCE", 70)
    found, expected = both.elastic.summary(Query()), both.embedded.summary(Query())
    assert (found.by, found.records, found.events) == (expected.by, expected.records, expected.events)


def test_what_is_many_is_estimated_and_marked(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = both.embedded.summary(Query())
    monkeypatch.setattr(distinct, "EXACT", 5_500)
    found = both.elastic.summary(Query())
    assert found.approximate == {
        "threats",
        *(name for name in ("sources", "trails") if getattr(expected, name) > 5_500),
    }
    assert _close(found.threats, expected.threats)
    assert both.elastic.distinct(Query(), Dimension.SENSOR) == Distinct(4)


@_trials
@given(plenty.queries(), st.sampled_from((10, 100_000)))
def test_attackers_are_the_same(both: Both, query: Query, limit: int) -> None:
    found, expected = both.elastic.attackers(query, limit=limit), both.embedded.attackers(query, limit=limit)
    assert list(found) == list(expected)


@pytest.mark.parametrize("dimension", [Dimension.SEVERITY, Dimension.SOURCE])
def test_a_timeline_of_more_steps_than_one_answer_holds_is_the_same(both: Both, dimension: Dimension) -> None:
    found = both.elastic.timeline(Query(), by=dimension, step=1_000)
    assert len(found) > 65_536
    assert found == both.embedded.timeline(Query(), by=dimension, step=1_000)


def test_a_timeline_of_many_values_a_step_is_the_same(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timelines, "_VALUES_A_STEP", 2)
    expected = both.embedded.timeline(Query(), by=Dimension.KIND, step=DAY)
    assert both.elastic.timeline(Query(), by=Dimension.KIND, step=DAY) == expected


def test_following_arrival_gives_each_event_once(both: Both) -> None:
    query = Query(datasets=("zeek.http",))
    ids: list[str] = []
    cursor = None
    while True:
        page = both.elastic.events(query, order=EventOrder.INGESTED, limit=4_000, cursor=cursor)
        if not page.events:
            break
        ids += [event["event"]["id"] for event in page.events]
        cursor = page.next
    assert len(ids) == len(set(ids)) == both.embedded.count(query)
