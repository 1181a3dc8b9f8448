import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from api.remembered import SECONDS, RememberingStore
from stores.contract import Query, Store, Summary
from tests.stores.factory import START, make_event


class Clock:
    """A clock that goes on by `step` whenever somebody looks."""

    def __init__(self, step: float) -> None:
        self._times: Iterator[float] = (place * step for place in count(1))

    def __call__(self) -> float:
        return next(self._times)


def test_what_took_long_is_told_again_for_a_moment_only(filled: Store) -> None:
    remembering = RememberingStore(filled, Clock(0.5))
    before = remembering.summary(Query())
    filled.append([make_event(identity="new")])
    assert remembering.summary(Query()) == before
    for _ in range(int(SECONDS / 0.5) + 1):
        after = remembering.summary(Query())
    assert after.events == before.events + 1


def test_what_is_quick_is_always_as_it_is(filled: Store) -> None:
    remembering = RememberingStore(filled, Clock(0.001))
    before = remembering.summary(Query())
    filled.append([make_event(identity="new")])
    assert remembering.summary(Query()).events == before.events + 1


@pytest.mark.parametrize("query", [Query(within=("192.168.1.11/32",)), Query(custom=False), Query(since=START + 1)])
def test_an_answer_is_for_its_own_question_alone(filled: Store, query: Query) -> None:
    remembering = RememberingStore(filled, Clock(0.5))
    remembering.summary(Query())
    assert remembering.summary(query) == filled.summary(query)


def test_one_works_it_out_for_all_who_ask_at_once(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    whole = filled.summary

    def slowly(query: Query) -> Summary:
        asked.append(query)
        time.sleep(0.1)
        return whole(query)

    monkeypatch.setattr(filled, "summary", slowly)
    remembering = RememberingStore(filled)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(remembering.summary, [Query()] * 8))
    assert (len(asked), len(set(map(id, found)))) == (1, 1)
