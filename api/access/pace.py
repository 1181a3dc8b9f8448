"""How many requests each caller may make: a bucket of tokens for each, and a bounded number of buckets."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from starlette.responses import Response

from api.access.caller import Caller
from api.problems import problem

MAX_BUCKETS = 20_000
_MINUTE = 60.0


def neighbourhood(address: str | None) -> str:
    """Give an address as one sender has it: of IPv6 the /64, in which everybody has as many as they like."""
    if address is None or ":" not in address:
        return address or ""
    return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))


class Pace:
    """Count requests of each user, key, and address without credentials; used in the event loop and beside it."""

    def __init__(self, per_minute: int, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_minute / _MINUTE
        self._size = float(at_once)
        self._clock = clock
        self._lock = Lock()
        # What was in each bucket, and when; the one that was not used for longest is the first.
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def refusal(self, caller: Caller) -> Response | None:
        """Take a token of the caller; without one left, give the answer that says so."""
        wait = self.wait(_bucket(caller))
        if not wait:
            return None
        return problem(429, "Too many requests: go slower.", headers={"Retry-After": str(math.ceil(wait))})

    def wait(self, who: tuple[str, str]) -> float:
        """Take a token; give for how many seconds there is none."""
        if not self._rate:
            return 0.0
        now = self._clock()
        with self._lock:
            left, before = self._buckets.pop(who, (self._size, now))
            left = min(self._size, left + (now - before) * self._rate)
            refused = left < 1
            self._buckets[who] = (left if refused else left - 1, now)
            # One that is forgotten is full again: whoever comes from many addresses gains by it, and nobody else.
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        return (1 - left) / self._rate if refused else 0.0


def _bucket(caller: Caller) -> tuple[str, str]:
    principal = caller.principal
    if principal is None or principal.kind in ("open", "network"):
        return "", neighbourhood(caller.address)
    return principal.kind, principal.name
