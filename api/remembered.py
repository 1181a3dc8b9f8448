"""A store whose totals are worked out once for all who ask within a moment.

Totals of millions of events take a tenth of a second, and dashboards of many people ask for the same ones.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

from stores.contract import (
    Acknowledgement,
    Attacker,
    Bucket,
    Dimension,
    Distinct,
    EventOrder,
    EventPage,
    Query,
    Seen,
    SensorStatus,
    Store,
    Summary,
    ThreatOrder,
    ThreatPage,
    Top,
)
from trailhound.event import Event

SECONDS = 2.0  # An answer that is older is worked out anew.
_WORTH = 0.02  # Seconds; what takes less is not remembered, so that small stores always tell what they hold.
_MOST = 256
_T = TypeVar("_T")


class RememberingStore:
    """`stores.contract.Store` that gives an answer which took long to whoever asks the same in the next seconds."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[object, tuple[float, object]] = OrderedDict()
        self._turns: WeakValueDictionary[object, threading.Lock] = WeakValueDictionary()

    def _remembered(self, question: object, ask: Callable[[], _T]) -> _T:
        """Give an answer; of those who ask the same at the same time one works it out, the others wait for it."""
        with self._lock:
            turn = self._turns.setdefault(question, threading.Lock())
            is_known, answer = self._recent(question)
        if is_known:
            return cast("_T", answer)
        with turn:
            with self._lock:
                is_known, answer = self._recent(question)
            if is_known:
                return cast("_T", answer)
            begin = self._clock()
            found = ask()
            if self._clock() - begin >= _WORTH:
                self._remember(question, begin, found)
            return found

    def _recent(self, question: object) -> tuple[bool, object]:
        known = self._known.get(question)
        return (False, None) if known is None or self._clock() - known[0] >= SECONDS else (True, known[1])

    def _remember(self, question: object, begin: float, answer: object) -> None:
        with self._lock:
            self._known[question] = begin, answer
            self._known.move_to_end(question)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)

    def summary(self, query: Query) -> Summary:
        return self._remembered(("summary", query), lambda: self._store.summary(query))

    def timeline(self, query: Query, *, by: Dimension, step: int) -> Sequence[Bucket]:
        return self._remembered(("timeline", query, by, step), lambda: self._store.timeline(query, by=by, step=step))

    def top(self, query: Query, dimension: Dimension, *, limit: int = 10) -> Sequence[Top]:
        return self._remembered(
            ("top", query, dimension, limit), lambda: self._store.top(query, dimension, limit=limit)
        )

    def distinct(self, query: Query, dimension: Dimension) -> Distinct:
        return self._remembered(("distinct", query, dimension), lambda: self._store.distinct(query, dimension))

    def event(self, event_id: str) -> Mapping[str, Any] | None:
        return self._store.event(event_id)

    def events(
        self, query: Query, *, order: EventOrder = EventOrder.NEWEST, limit: int = 100, cursor: str | None = None
    ) -> EventPage:
        return self._store.events(query, order=order, limit=limit, cursor=cursor)

    def count(self, query: Query) -> int:
        return self._store.count(query)

    def threats(
        self, query: Query, *, order: ThreatOrder = ThreatOrder.RISK, limit: int = 50, cursor: str | None = None
    ) -> ThreatPage:
        return self._store.threats(query, order=order, limit=limit, cursor=cursor)

    def lasts(self, threats: Sequence[str]) -> Mapping[str, int]:
        return self._store.lasts(threats)

    def sparklines(self, query: Query, threats: Sequence[str], *, step: int) -> Mapping[str, Mapping[int, int]]:
        return self._store.sparklines(query, threats, step=step)

    def seen(self, query: Query, dimension: Dimension, values: Sequence[str]) -> Mapping[str, Seen]:
        return self._store.seen(query, dimension, values)

    def latest(self) -> str | None:
        return self._store.latest()

    def attackers(self, query: Query, *, limit: int = 100_000, by_day: bool = False) -> Sequence[Attacker]:
        return self._store.attackers(query, limit=limit, by_day=by_day)

    def sensors(self) -> Sequence[SensorStatus]:
        return self._store.sensors()

    def append(self, events: Sequence[Event]) -> Acknowledgement:
        return self._store.append(events)

    def put_sensors(self, statuses: Sequence[SensorStatus]) -> None:
        self._store.put_sensors(statuses)

    def close(self) -> None:
        self._store.close()
