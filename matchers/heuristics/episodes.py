"""What goes on: told when it begins, and at each tenfold, so that an attack by thousands of requests is few events."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from matchers.heuristics.windows import ANOTHER_CAPTURE, Lately

MOST = 10_000  # Episodes that are followed at once; the one that was quiet for longest is forgotten.
OCCASIONS = 10_000  # Occasions that are remembered, twice that for a moment.
_TENFOLD = 10


@dataclass(frozen=True, slots=True)
class Episode:
    """What is to be told: `level` is 0 at the beginning and one more at each tenfold, `count` what came since then."""

    level: int
    count: int
    start: int
    end: int


@dataclass(slots=True)
class _Going:
    start: int
    latest: int
    total: int = 0
    untold: int = 0
    level: int = -1


class Episodes:
    """Follows what happens again and again by key; an episode is over when its key was quiet for a window."""

    def __init__(self, window: int, slack: int) -> None:
        """`window` and `slack` are microseconds; what another sensor tells within twice the slack counts once."""
        self._window = window
        self._slack = slack
        self._going: OrderedDict[Hashable, _Going] = OrderedDict()
        self._occasions: Lately[Hashable] = Lately(max(2 * slack, 2), OCCASIONS)

    def __len__(self) -> int:
        return len(self._going) + len(self._occasions)

    def add(self, key: Hashable, occasion: Hashable, time: int) -> Episode | None:
        """Note what happened; give the episode when it is to be told. `occasion` is the same for all sensors."""
        if not self._occasions.new({(key, occasion)}, time):
            return None
        going = self._going.get(key)
        if going is None or time - going.latest >= self._window or going.latest - time >= ANOTHER_CAPTURE:
            going = self._going[key] = _Going(time, time)
            if len(self._going) > MOST:
                self._going.popitem(last=False)
        elif time < going.start - self._window - self._slack:
            return None
        self._going.move_to_end(key)
        going.start, going.latest = min(going.start, time), max(going.latest, time)
        going.total += 1
        going.untold += 1
        if going.total < _TENFOLD ** (going.level + 1):
            return None
        going.level += 1
        episode = Episode(going.level, going.untold, going.start, going.latest)
        going.untold = 0
        return episode
