"""Rollovers: `create` sees only the index that is written to, and yet no event is kept twice."""

from collections.abc import Callable

import pytest

from stores.contract import Acknowledgement
from stores.elastic import generations, writer
from tests.elasticsearch.place import Place, ids_of, some_events
from tests.elasticsearch.trouble import Cut, TroubleProxy
from tests.stores.factory import HOUR, START, make_event
from trailhound.errors import StoreUnavailable


def test_a_replay_after_a_kill_and_a_rollover_keeps_nothing_twice(place: Place) -> None:
    events = some_events(50)
    with place.store() as store:
        store.append(events)
    place.roll_over()
    with place.store() as store:
        assert store.append(events) == Acknowledgement(stored=0, known=50)
        assert store.append(some_events(60)) == Acknowledgement(stored=10, known=50)
    assert place.ids() == ids_of(some_events(60))


def test_a_replay_before_and_after_several_rollovers_keeps_nothing_twice(place: Place) -> None:
    whole = [make_event(identity=str(number), start=START + number * HOUR) for number in range(40)]
    for end in (10, 20, 30, 40):
        with place.store() as store:
            store.append(whole[:end])
            place.roll_over()
            store.append(whole[:end])
    with place.store() as store:
        assert store.append(whole) == Acknowledgement(stored=0, known=40)
    assert place.ids() == ids_of(whole)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave it to the caller to try again."""
    monkeypatch.setattr(writer, "PAUSES", ())


@pytest.mark.usefixtures("_impatient")
def test_a_cut_answer_and_a_rollover_before_the_retry_keep_nothing_twice(place: Place, trouble: TroubleProxy) -> None:
    events = some_events(50)
    with place.store(trouble.url) as store:
        store.append(events[:10])
        trouble.make(Cut(after=True), only="_bulk")
        with pytest.raises(StoreUnavailable, match="connection"):
            store.append(events[10:])
        trouble.heal()
        place.roll_over()
        assert store.append(events[10:]) == Acknowledgement(stored=0, known=40)
        assert store.append(events[10:]) == Acknowledgement(stored=0, known=40)
    assert place.ids() == ids_of(events)


def test_an_answer_that_is_cut_once_is_made_up_for_in_the_same_call(place: Place, trouble: TroubleProxy) -> None:
    events = some_events(50)
    with place.store(trouble.url) as store:
        trouble.make(Cut(after=True), times=1, only="_bulk")
        trouble.make(Cut(after=False), times=1, only="_bulk")
        assert store.append(events) == Acknowledgement(stored=0, known=50)
    assert place.ids() == ids_of(events)


@pytest.mark.usefixtures("_impatient")
def test_the_first_answer_of_a_data_stream_may_be_cut_too(place: Place, trouble: TroubleProxy) -> None:
    with place.store(trouble.url) as store:
        trouble.make(Cut(after=True), only="_bulk")
        with pytest.raises(StoreUnavailable):
            store.append(some_events(5))
        trouble.heal()
        place.roll_over()
        assert store.append(some_events(5)) == Acknowledgement(stored=0, known=5)
    assert place.ids() == ids_of(some_events(5))


class _Meanwhile:
    """Does something between the look-up and the writing of the next append."""

    def __init__(self, what: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
        find = generations.Generations.find

        def finding(self: generations.Generations, batch: generations.Batch) -> set[str]:
            found = find(self, batch)
            monkeypatch.setattr(generations.Generations, "find", find)
            what()
            return found

        monkeypatch.setattr(generations.Generations, "find", finding)


def test_a_rollover_between_look_up_and_writing_doubles_no_replay(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = some_events(50)
    with place.store() as store:
        store.append(events)
    with place.store() as store:
        _Meanwhile(place.roll_over, monkeypatch)
        assert store.append(some_events(60)) == Acknowledgement(stored=10, known=50)
    assert place.ids() == ids_of(some_events(60))


def test_a_rollover_while_events_are_given_again_is_made_good(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    events = some_events(50)
    with place.store() as store:
        store.append(events)
        _Meanwhile(place.roll_over, monkeypatch)
        assert store.append(some_events(60)) == Acknowledgement(stored=10, known=50)
        assert store.append(some_events(60)) == Acknowledgement(stored=0, known=60)
    assert place.ids() == ids_of(some_events(60))


def test_new_events_cost_no_look_up(place: Place, trouble: TroubleProxy) -> None:
    with place.store() as store:
        store.append(some_events(10))
    place.roll_over()
    with place.store(trouble.url) as store:
        store.append([make_event(start=START + HOUR, identity="first")])
        trouble.seen.clear()
        for number in range(20):
            store.append([make_event(start=START + HOUR + number, identity=str(number))])
    assert {seen.path.partition("?")[0].rpartition("/")[2] for seen in trouble.seen} == {"_bulk"}
    assert len(trouble.seen) == 20


def test_an_index_that_is_deleted_meanwhile_holds_nothing(place: Place) -> None:
    events = some_events(10)
    with place.store() as store:
        store.append(events[:5])
    old = place.client.indices.resolve_index(name=place.names.events)["data_streams"][0]["backing_indices"][0]
    place.roll_over()
    with place.store() as store:
        assert store.append(events[5:]) == Acknowledgement(stored=5, known=0)
        place.client.indices.delete(index=old)
        assert store.append(events) == Acknowledgement(stored=5, known=5)
    assert place.ids() == ids_of(events)
