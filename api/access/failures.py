"""Failed log-ins: each makes the next one wait longer, by address and by user name; the number of both is bounded.

Nobody is locked out by others for ever: a lock ends by itself; from an address from which a user has logged in, and
from the loopback, only failures of that address count; and `trailhound users passwd` on the host always helps.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from api.access.pace import neighbourhood
from trailhound.access import is_loopback

MAX_WATCHED = 20_000
FREE = 5  # Failures that cost nothing: people mistype.
LOCK_SECONDS = 900.0
FORGET_SECONDS = 3600.0
# A name is tried from many addresses by an attacker, and locked by anybody who wants to annoy its owner.
NAME_FREE = 20
NAME_LOCK_SECONDS = 60.0
_Key = tuple[str, str]


@dataclass(slots=True)
class _Watched:
    failures: int
    last: float
    until: float


class Failures:
    """Remembers failed log-ins, in this process; a restart forgets them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._watched: OrderedDict[_Key, _Watched] = OrderedDict()
        self._familiar: OrderedDict[tuple[str, str], None] = OrderedDict()

    def begin(self, address: str | None, name: str) -> tuple[bool, float]:
        """Begin a log-in: tell whether it may be looked at, and how long to wait (for the next one, if it fails).

        It counts as failed until `succeed` says otherwise, so that many at once gain nothing.
        """
        now, place = self._clock(), neighbourhood(address)
        with self._lock:
            keys = self._keys(place, address, name)
            found = (self._watched.get(key) for key in keys)
            wait = max((one.until - now for one in found if one is not None), default=0.0)
            if wait > 0:
                return False, wait
            return True, max(self._count(key, now) for key in keys)

    def succeed(self, address: str | None, name: str) -> None:
        """Forget the failures for this name; those of the address stay, since it may try other names."""
        place = neighbourhood(address)
        with self._lock:
            self._watched.pop(("name", name), None)
            one = self._watched.get(("address", place))
            if one is not None:
                one.failures -= 1
                one.until = one.last
            self._familiar[name, place] = None
            if len(self._familiar) > MAX_WATCHED:
                self._familiar.popitem(last=False)

    def _count(self, key: _Key, now: float) -> float:
        one = self._watched.pop(key, None)
        if one is None or now - one.last > FORGET_SECONDS:
            one = _Watched(0, now, now)
        one.failures += 1
        one.last = now
        free, longest = (FREE, LOCK_SECONDS) if key[0] == "address" else (NAME_FREE, NAME_LOCK_SECONDS)
        wait = min(longest, 2.0 ** min(one.failures - free, 30)) if one.failures >= free else 0.0
        one.until = now + wait
        self._watched[key] = one
        if len(self._watched) > MAX_WATCHED:
            self._watched.popitem(last=False)
        return wait

    def _keys(self, place: str, address: str | None, name: str) -> list[_Key]:
        if (address is not None and is_loopback(address)) or (name, place) in self._familiar:
            return [("address", place)]
        return [("address", place), ("name", name)]
