"""Bounded state by the records' own time."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers.heuristics.windows import ANOTHER_CAPTURE, Crossing, Distinct, Lately

_WINDOW, _SLACK, _THRESHOLD = 30, 100, 3


def distinct() -> Distinct[str, int]:
    return Distinct(_WINDOW, _THRESHOLD, _SLACK)


def first_crossing(tries: Sequence[tuple[int, int]]) -> Crossing[int] | None:
    state = distinct()
    return next((found for item, time in tries if (found := state.add("key", item, time)) is not None), None)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 120)), max_size=40))
def test_what_crosses_lay_in_one_window(tries: list[tuple[int, int]]) -> None:
    crossing = first_crossing(tries)
    if crossing is not None:
        assert len(set(crossing.items)) == len(crossing.items) == _THRESHOLD + 1
        assert crossing.end - crossing.start < _WINDOW
        assert {(item, True) for item in crossing.items} <= {
            (item, crossing.start <= time <= crossing.end) for item, time in tries
        }


@settings(deadline=None)
@given(st.permutations([0, 5, 9, 14, 20, 29]))
def test_distinct_items_of_one_window_cross_in_any_order(times: list[int]) -> None:
    assert first_crossing(list(enumerate(times))) is not None


@settings(deadline=None)
@given(st.lists(st.integers(0, 100), min_size=4, max_size=30, unique=True))
def test_in_order_it_finds_what_a_sliding_window_finds(times: list[int]) -> None:
    times.sort()
    tries = list(enumerate(times))
    fits = any(times[place + _THRESHOLD] - times[place] < _WINDOW for place in range(len(times) - _THRESHOLD))
    assert (first_crossing(tries) is not None) == fits


def test_a_key_that_crossed_is_silent_for_a_window() -> None:
    state = distinct()
    told = [time for time in range(100) if state.add("key", time, time) is not None]
    assert told == [3, 36, 69]


@pytest.mark.parametrize(("at", "late"), [(_WINDOW + _SLACK + 10, 3), (_SLACK, 0)])
def test_what_is_later_than_the_slack_is_counted_and_changes_nothing(at: int, late: int) -> None:
    state = distinct()
    state.add("key", 8, at)
    state.add("key", 9, at)
    crossings = [state.add("key", item, item) for item in range(3)]
    assert crossings == [None] * 3
    assert state.late == late
    assert (state.add("key", 3, 3) is None) == bool(late)


def test_another_capture_begins_anew() -> None:
    for items in (1, 3):
        state = distinct()
        for item in range(items):
            state.add("key", item, ANOTHER_CAPTURE * 2)
        crossings = [state.add("key", item, item) for item in range(10, 14)]
        assert [crossing is not None for crossing in crossings] == [False, False, False, True]


def test_keys_with_one_item_do_not_displace_those_with_more() -> None:
    state: Distinct[int, int] = Distinct(_WINDOW, _THRESHOLD, _SLACK, keys=100, items=100)
    for item in range(3):
        state.add(-1, item, 0)
    for key in range(10_000):
        state.add(key, 0, 1)
    assert len(state) <= 200
    assert state.forgotten > 9_000
    assert state.add(-1, 3, 2) is not None


def test_items_of_keys_with_several_are_bounded() -> None:
    state: Distinct[int, int] = Distinct(_WINDOW, 1000, _SLACK, keys=100, items=100)
    for key in range(500):
        for item in range(100):
            state.add(key, item, 1)
    # Two generations of 1,001 items and their keys, and the last key of each.
    assert sum(len(one.times) for many in (state._many, state._many_old) for one in many.values()) <= 2 * (1001 + 200)


def test_a_key_holds_no_more_items_than_can_matter() -> None:
    state: Distinct[int, int] = Distinct(_WINDOW, _THRESHOLD, 10_000)
    for item in range(1000):
        state.add(1, item, item * 15)
    assert len(state._many[1].times) <= 2 * _THRESHOLD + 2 + _THRESHOLD + 1


def test_lately_tells_what_is_new_for_about_a_window() -> None:
    lately: Lately[str] = Lately(10, capacity=4)
    assert lately.new({"a"}, 0) == {"a"}
    assert lately.new({"a", "b"}, 4) == {"b"}
    assert lately.new({"a"}, 20) == {"a"}
    for number in range(100):
        lately.new({f"{number}"}, 21)
    assert len(lately) <= 10
