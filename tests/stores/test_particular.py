"""What stores say of particular threats and values, against the model."""

import pytest
from hypothesis import strategies as st

from stores.contract import Dimension, EventOrder, Query, Seen, Store
from stores.threat import threat_id
from tests.stores.conftest import MakeStore
from tests.stores.factory import HOUR, make_event
from tests.stores.model import Model, dimension
from tests.stores.strategies import ADDRESSES, KINDS, events, queries
from tests.stores.test_contract import trials
from trailhound.errors import StoreError
from trailhound.event import Event

VALUES = {
    Dimension.SOURCE: (*ADDRESSES, "8.8.8.8"),
    Dimension.DESTINATION: (*ADDRESSES, "8.8.8.8", "192.168.0.0/16"),
    Dimension.TRAIL: (*(value for _, value in KINDS), "never.example", "\ud800"),
}
batches = st.lists(events(), max_size=25)
unnamed = queries().filter(lambda query: not (query.sources or query.destinations or query.trails))


def _seen(model: Model, query: Query, of: Dimension) -> dict[str, Seen]:
    found: dict[str, list[Event]] = {}
    for event in model.find(query):
        value = dimension(event, of)
        if value in VALUES[of]:
            found.setdefault(value, []).append(event)
    return {
        value: Seen(
            sum(one.count for one in group),
            len(group),
            min(one.start for one in group),
            max(one.start for one in group),
        )
        for value, group in found.items()
    }


@trials(batches, unnamed)
def test_how_often_a_value_was_seen(make_store: MakeStore, batch: list[Event], query: Query) -> None:
    with make_store() as store:
        store.append(batch)
        model = Model(batch)
        for of, values in VALUES.items():
            for asked in (Query(), query):
                assert store.seen(asked, of, values) == _seen(model, asked, of)


@trials(batches, queries(), st.sampled_from((1, HOUR, 7 * HOUR, 24 * HOUR)))
def test_sparklines_are_the_timelines_of_threats(
    make_store: MakeStore, batch: list[Event], query: Query, step: int
) -> None:
    with make_store() as store:
        store.append(batch)
        expected: dict[str, dict[int, int]] = {}
        for event in Model(batch).find(query):
            counts = expected.setdefault(threat_id(event.source_ip, event.trail.kind, event.trail.value), {})
            start = event.start // step * step
            counts[start] = counts.get(start, 0) + event.count
        wanted = [*list(expected)[:3], "no such threat"]
        assert store.sparklines(query, wanted, step=step) == {name: expected[name] for name in list(expected)[:3]}


def test_after_the_latest_comes_what_arrives_next(store: Store) -> None:
    store.append([make_event(identity=str(number)) for number in range(3)])
    cursor = store.latest()
    assert store.events(Query(), order=EventOrder.INGESTED, cursor=cursor).events == []
    store.append([make_event(identity="new")])
    page = store.events(Query(), order=EventOrder.INGESTED, cursor=cursor)
    assert len(page.events) == 1
    assert page.next == store.latest() != cursor


def test_only_what_is_kept_by_its_value_can_be_looked_for(store: Store) -> None:
    with pytest.raises(StoreError, match="source, destination or trail was expected"):
        store.seen(Query(), Dimension.SENSOR, ["sensor-1"])


def test_a_sparkline_has_steps(store: Store) -> None:
    with pytest.raises(StoreError, match="steps of 0 microseconds"):
        store.sparklines(Query(), ["x"], step=0)
