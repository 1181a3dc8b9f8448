"""Scans: many distinct things tried by one key within a short time, told when they begin and as they grow."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from math import log
from typing import Generic, TypeVar
from zlib import crc32

from matchers.heuristics.windows import ANOTHER_CAPTURE, Crossing, Distinct
from trailhound.record import MICROSECONDS

KEYS, ITEMS = 40_000, 60_000  # What may become a scan: see `Distinct`. Some 20 MB when a storm fills both.
GOING = 2_000  # Scans that are followed at once, 2 KB each; the one that was quiet for longest is forgotten.
_TENFOLD = 10
_LONGEST = 3600 * MICROSECONDS  # What goes on for so long is told again, from the beginning.

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told of a scan.

    `level` is 0 when it begins, and one more at each tenfold. `things` is how many distinct things it has tried so far:
    exact at level 0, within a few hundredths after. `tries` counts what was tried since it was told last.
    """

    level: int
    things: int
    tries: int
    start: int
    end: int


class _Sketch:
    """Counts distinct things in 2 KB (linear counting), well up to some 60,000."""

    __slots__ = ("_bits", "_set")
    _SIZE = 16_384

    def __init__(self) -> None:
        self._bits = bytearray(self._SIZE // 8)
        self._set = 0

    def add(self, thing: Hashable) -> None:
        # Not `hash`, which is another in each process.
        place = crc32(str(thing).encode("utf-8", "surrogatepass")) % self._SIZE
        byte, bit = place >> 3, 1 << (place & 7)
        if not self._bits[byte] & bit:
            self._bits[byte] |= bit
            self._set += 1

    def count(self) -> int:
        return round(-self._SIZE * log(max(self._SIZE - self._set, 1) / self._SIZE))


class _Going(Generic[Item]):
    __slots__ = ("latest", "level", "next", "seen", "start", "tries")

    def __init__(self, crossing: Crossing[Item], threshold: int) -> None:
        self.start = crossing.start
        self.latest = crossing.end
        self.level = 0
        self.next = (threshold + 1) * _TENFOLD
        self.tries = 0
        self.seen = _Sketch()
        for item in crossing.items:
            self.seen.add(item)


class Scans(Generic[Key, Item]):
    """Finds keys that try more than `threshold` distinct things within `window` microseconds.

    A scan that goes on is told again at each tenfold, so that events are few and their counts add up; it is over when
    its key was quiet for a window.
    """

    def __init__(self, window: int, threshold: int, slack: int) -> None:
        self._window = window
        self._threshold = threshold
        self._slack = slack
        self._begun: Distinct[Key, Item] = Distinct(window, threshold, slack, KEYS, ITEMS)
        self._going: OrderedDict[Key, _Going[Item]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._begun) + len(self._going)

    def add(self, key: Key, item: Item, time: int) -> Told | None:
        """Note a try; give what is to be told when this one makes it so."""
        if self._going:
            going = self._going.get(key)
            if going is not None and self._is_over(going, time):
                del self._going[key]
            elif going is not None:
                return self._go_on(key, going, item, time)
        crossing = self._begun.add(key, item, time)
        if crossing is None:
            return None
        if len(self._going) >= GOING:
            self._going.popitem(last=False)
        self._going[key] = _Going(crossing, self._threshold)
        things = len(crossing.items)
        return Told(0, things, things, crossing.start, crossing.end)

    def _is_over(self, going: _Going[Item], time: int) -> bool:
        return time - going.latest >= self._window or going.latest - time >= ANOTHER_CAPTURE

    def _go_on(self, key: Key, going: _Going[Item], item: Item, time: int) -> Told | None:
        if time < going.start - self._slack:
            return None
        self._going.move_to_end(key)
        going.latest = max(going.latest, time)
        going.seen.add(item)
        going.tries += 1
        # The sketch has no more things than there were tries.
        if going.latest - going.start >= _LONGEST:
            return self._begin_anew(going)
        if going.tries < going.next - going.next // _TENFOLD or going.seen.count() < going.next:
            return None
        return self._tell(going)

    def _tell(self, going: _Going[Item]) -> Told:
        going.level += 1
        going.next *= _TENFOLD
        told = Told(going.level, going.seen.count(), going.tries, going.start, going.latest)
        going.tries = 0
        return told

    def _begin_anew(self, going: _Going[Item]) -> Told:
        told = Told(going.level, going.seen.count(), going.tries, going.start, going.latest)
        going.start, going.level, going.next = going.latest, 0, (self._threshold + 1) * _TENFOLD
        going.tries, going.seen = 0, _Sketch()
        return told
