"""Vertical scans: one host tries many ports of another. What `port-scan` and `udp-scan` have in common."""

from collections.abc import Collection, Iterator

from matchers.findings import Found, Part
from matchers.heuristics.heuristic import Surroundings
from matchers.heuristics.scans import Scans, Told
from matchers.heuristics.tries import Kind, tries_of
from matchers.view import View
from trailhound import canonical
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity

_POINTS = (60, 80, 90)  # By how many times the threshold was passed tenfold.
_STEALTH = 10


class Vertical:
    """Watches for vertical scans by tries of some kinds; `words` says in a finding what they were of."""

    def __init__(
        self, kinds: Collection[Kind], words: str, ports: int, seconds: int, surroundings: Surroundings
    ) -> None:
        self._kinds = frozenset(kinds)
        self._words = words
        self._window = seconds * MICROSECONDS
        self._surroundings = surroundings
        self._scans: Scans[tuple[str, str, Kind], int] = Scans(self._window, ports, surroundings.slack)

    def held(self) -> int:
        return len(self._scans)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        kinds, add = self._kinds, self._scans.add
        for row, time, source, target, port, kind in view.once(tries_of):
            if kind in kinds:
                told = add((source, target, kind), port, time)
                if told is not None:
                    yield row, self._found(source, target, kind, told)

    def _found(self, source: str, target: str, kind: Kind, told: Told) -> Found:
        span = seconds(told)
        ports = f"{told.things:,} {self._words} ports"
        parts = [Part("ports", _POINTS[min(told.level, len(_POINTS) - 1)], f"{ports} in {span} s, none spoken with")]
        by_stealth = ""
        if kind is Kind.STEALTH:
            by_stealth = " by stealth"
            parts.append(Part("stealth", _STEALTH, "packets that open no connection (NULL, FIN or XMAS)"))
        return Found(
            said=f"tried {ports} of {target}{by_stealth} in {span} s",
            score=round(sum(part.points for part in parts)),
            severity=severity_of(self._surroundings, source, told, is_sure=kind is Kind.STEALTH),
            parts=tuple(parts),
            count=told.tries,
            start=told.start,
            end=told.end,
            key=f"{source} {target} {kind.name} {told.level}",
            window=self._window,
        )


def seconds(told: Told) -> int:
    """Give how long a scan has taken so far, at least a second."""
    return max(1, round((told.end - told.start) / MICROSECONDS))


def severity_of(surroundings: Surroundings, source: str, told: Told, *, is_sure: bool = False) -> Severity:
    """Rate a scan: from the Internet it is everyday noise, from a host of ours somebody should look."""
    if not is_ours(surroundings, source):
        return Severity.LOW
    levels = (Severity.LOW, Severity.MEDIUM, Severity.HIGH)
    return levels[min(told.level + is_sure, len(levels) - 1)]


def is_ours(surroundings: Surroundings, host: str) -> bool:
    """Tell whether a host lies in the home networks."""
    address = canonical.address(host)
    return address is not None and surroundings.homes.is_home(address)
