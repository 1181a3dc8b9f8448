"""Bounded state by the records' own time: what was seen lately, and how many distinct things of each key.

Records come late and out of order: conn.log is written when connections end. What is older than the newest of its key
by more than the window and the slack is counted as late, and changes nothing; what is late by less counts in the window
that it belongs to. What is older by a day or more belongs to another capture: it begins anew.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from trailhound.record import MICROSECONDS

KEYS = 50_000  # Keys with one item that one state holds; those that were quiet for longest are forgotten.
ITEMS = 100_000  # Items of all keys that have several; some 150 bytes each.
ANOTHER_CAPTURE = 24 * 3600 * MICROSECONDS

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Crossing(Generic[Item]):
    """A key that had more distinct items in a window than its threshold: which, and when the first and last came."""

    items: tuple[Item, ...]
    start: int
    end: int


class _Items(Generic[Item]):
    __slots__ = ("latest", "muted_until", "times", "wait")

    def __init__(self, item: Item, time: int, threshold: int) -> None:
        self.times: dict[Item, int] = {item: time}
        self.latest = time
        self.muted_until = 0
        self.wait = threshold  # So many more items, at least, until any window can hold too many.


class Distinct(Generic[Key, Item]):
    """Counts the distinct items of each key in a sliding window. A key that crosses is silent for a window then.

    Keys with one item are most of all, and what a storm from made-up addresses brings: they are held apart, so that
    they displace each other and not the keys that have more.
    """

    def __init__(self, window: int, threshold: int, slack: int, keys: int = KEYS, items: int = ITEMS) -> None:
        """`window` and `slack` are microseconds; more than `threshold` items cross."""
        self._window = window
        self._threshold = threshold
        self._slack = slack
        self._keys = max(keys // 2, 1)
        self._items = max(items // 2, threshold + 1)
        # Two generations each: when the young one is full, what was not asked for since the last time is forgotten.
        self._once: dict[Key, tuple[Item, int]] = {}
        self._once_old: dict[Key, tuple[Item, int]] = {}
        self._many: dict[Key, _Items[Item]] = {}
        self._many_old: dict[Key, _Items[Item]] = {}
        self._weight = 0  # Of the young generation of keys that have several: a key and each of its items is one.
        self.late = 0
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._once) + len(self._once_old) + len(self._many) + len(self._many_old)

    def add(self, key: Key, item: Item, time: int) -> Crossing[Item] | None:
        """Note an item of a key; give the crossing when this one makes it."""
        once = self._once.get(key) or self._again(key)
        if once is not None:
            known, before = once
            if known == item:
                if time > before or before - time >= ANOTHER_CAPTURE:
                    self._once[key] = (item, time)
                return None
            if abs(time - before) >= self._window + self._slack:
                self._replace(key, item, time, before)
                return None
            del self._once[key]
            return self._note(self._put_many(key, _Items(known, before, self._threshold - 1)), item, time)
        state = self._many.get(key)
        if state is None and key in self._many_old:
            state = self._put_many(key, self._many_old.pop(key))
        if state is not None and state.latest - time >= ANOTHER_CAPTURE:
            del self._many[key]
            self._weight -= 1 + len(state.times)
            state = None
        if state is None:
            self._put_once(key, (item, time))
            return None
        return self._note(state, item, time)

    def _again(self, key: Key) -> tuple[Item, int] | None:
        """Give what the old generation has of a key, which is young again then."""
        once = self._once_old.pop(key, None)
        if once is not None:
            self._put_once(key, once)
        return once

    def _replace(self, key: Key, item: Item, time: int, before: int) -> None:
        """Note an item that is so much later than the one before, or so late, that no window holds both."""
        if before < time or before - time >= ANOTHER_CAPTURE:
            self._once[key] = (item, time)
        else:
            self.late += 1

    def _put_once(self, key: Key, once: tuple[Item, int]) -> None:
        if len(self._once) >= self._keys:
            self.forgotten += len(self._once_old)
            self._once, self._once_old = {}, self._once
        self._once[key] = once

    def _put_many(self, key: Key, state: _Items[Item]) -> _Items[Item]:
        if self._weight > self._items:
            self.forgotten += len(self._many_old)
            self._many, self._many_old, self._weight = {}, self._many, 0
        self._many[key] = state
        self._weight += 1 + len(state.times)
        return state

    def _note(self, state: _Items[Item], item: Item, time: int) -> Crossing[Item] | None:
        if time < state.latest - self._window - self._slack:
            self.late += 1
            return None
        if time < state.muted_until:
            return None
        state.latest = max(state.latest, time)
        known = state.times.pop(item, None)  # Put in again, so that the first is the stalest.
        state.times[item] = time if known is None else max(known, time)
        if known is None:
            self._weight += 1
        state.wait -= 1
        return self._crossing(state, time) if state.wait < 0 else None

    def _crossing(self, state: _Items[Item], time: int) -> Crossing[Item] | None:
        """Look for the window with the most items among those that hold a time."""
        self._forget_old(state)
        near = sorted(
            (at, place, item)
            for place, (item, at) in enumerate(state.times.items())
            if time - self._window < at < time + self._window
        )
        best = first = 0
        for last, (at, _, _) in enumerate(near):
            while at - near[first][0] >= self._window:
                first += 1
            best = max(best, last + 1 - first)
            if best > self._threshold:
                crossing = Crossing(tuple(one for _, _, one in near[first : last + 1]), near[first][0], at)
                self._weight -= len(state.times)
                state.times, state.wait = {}, self._threshold
                state.muted_until = crossing.end + self._window
                return crossing
        state.wait = self._threshold - best
        return None

    def _forget_old(self, state: _Items[Item]) -> None:
        oldest, spare = state.latest - self._window - self._slack, len(state.times) - 2 * self._threshold - 2
        kept = {item: at for place, (item, at) in enumerate(state.times.items()) if at > oldest and place >= spare}
        self._weight -= len(state.times) - len(kept)
        state.times = kept


class Lately(Generic[Item]):
    """Tells what is new from what was seen within about a window: at least half of one, at most one and a half."""

    def __init__(self, window: int, capacity: int = 200_000) -> None:
        self._half = max(window // 2, 1)
        self._capacity = capacity
        self._young: set[Item] = set()
        self._old: set[Item] = set()
        self._since: int | None = None

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def new(self, items: set[Item], time: int) -> set[Item]:
        """Give those of some items that are new at a time, and remember them."""
        self._turn(time)
        new = items - self._young
        again = new & self._old
        if again:
            new -= again
        self._young |= new
        if len(self._young) > self._capacity:
            self._young, self._old = set(), self._young
        return new

    def _turn(self, time: int) -> None:
        if self._since is None or self._since - time >= ANOTHER_CAPTURE or time - self._since >= 2 * self._half:
            self._young, self._old, self._since = set(), set(), time
        elif time - self._since >= self._half:
            self._young, self._old, self._since = set(), self._young, time
