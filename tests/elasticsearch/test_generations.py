"""What is known of backing indices, where it is about numbers and not about a server."""

from collections.abc import Mapping
from typing import Any

import pytest

from stores.elastic import generations
from stores.elastic.asking import Asker, Body, TooManyBuckets
from stores.elastic.generations import SLOT, Generations
from stores.elastic.names import Names
from tests.elasticsearch.place import Place, some_events
from tests.elasticsearch.trouble import Refuse, TroubleProxy
from tests.stores.factory import START, make_event
from trailhound.errors import StoreUnavailable


def _batch(*starts: int) -> generations.Batch:
    made = [make_event(start=start, identity=str(start)) for start in starts]
    return {event.id: event for event in made}


def test_before_the_epoch_and_at_the_edges_of_ten_minutes_replays_are_found(place: Place) -> None:
    starts = (-SLOT - 1, -SLOT, -1, 0, SLOT - 1, SLOT, START - 1, START, 4 * 10**15)
    batch = _batch(*starts)
    with place.store() as store:
        store.append(list(batch.values()))
    place.roll_over()
    looked = Generations(place.client, place.names.events)
    looked.look()
    assert looked.find(batch) == set(batch)


def test_where_there_are_more_stretches_than_the_server_counts_all_are_looked_up(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = _batch(START, START + SLOT, START + 2 * SLOT)
    with place.store() as store:
        store.append(list(batch.values()))
    place.roll_over()
    aggregate = Asker.aggregate

    def refusing(self: Asker, query: Body, aggregations: Body, **more: Any) -> Mapping[str, Any]:
        if "slots" in aggregations:
            raise TooManyBuckets("65,536 at most")
        return aggregate(self, query, aggregations, **more)

    monkeypatch.setattr(Asker, "aggregate", refusing)
    looked = Generations(place.client, place.names.events)
    looked.look()
    assert looked.find(batch) == set(batch)


def test_where_nothing_was_written_nothing_is_known(place: Place) -> None:
    looked = Generations(place.client, Names("never.set.up").events)
    looked.look()
    assert looked.newest is None
    assert looked.find(_batch(START)) == set()


def test_without_the_permission_to_refresh_all_are_looked_up_in_the_newest_index(
    place: Place, trouble: TroubleProxy
) -> None:
    events = some_events(5)
    with place.store() as store:
        store.append(events)
    with place.store(trouble.url) as store:
        trouble.make(Refuse(403), only="_refresh")
        store.append(some_events(7))
        assert any("_mget" in seen.path for seen in trouble.seen)
    assert place.ids() == sorted(event.id for event in some_events(7))


@pytest.mark.parametrize("only", ["_resolve", "_refresh", "_search", "_mget"])
def test_while_what_is_there_cannot_be_looked_at_nothing_is_written(
    place: Place, trouble: TroubleProxy, only: str
) -> None:
    events = some_events(5)
    with place.store() as store:
        store.append(events)
    place.roll_over()
    with place.store(trouble.url) as store:
        trouble.make(Refuse(503), only=only)
        with pytest.raises(StoreUnavailable, match="not ready"):
            store.append(events)
        trouble.heal()
        store.append(events)
    assert place.ids() == sorted(event.id for event in events)
