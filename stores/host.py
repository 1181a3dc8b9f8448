"""How much a host is at risk: all its threats add up, what is long past counts less, an attack that advances more.

The sum is kept simple, so that an analyst can do it by hand:

- each threat has the points of its severity, halved for each half-life since it happened last;
- within one tactic the heaviest threat counts whole, the next half, the next a quarter, and so on: a hundred scans are
  not much more than one;
- each further tactic that followed in the order of the kill chain adds `STEP`, halved likewise;
- the sum is cut at 100.

More threats never make it less.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stores.contract import Threat
from trailhound.severity import Severity
from trailhound.tactics import TACTICS, place

POINTS: Mapping[Severity, float] = {
    Severity.LOW: 4.0,
    Severity.MEDIUM: 12.0,
    Severity.HIGH: 30.0,
    Severity.CRITICAL: 50.0,
}
STEP = 10.0
MOST = 100.0
_DIGITS = 1  # After the point: what is less is nothing to sort by.


@dataclass(frozen=True, slots=True)
class Met:
    """A threat of a host with its tactic, None where it has none."""

    threat: Threat
    tactic: str | None


@dataclass(frozen=True, slots=True)
class Weighed:
    """A threat with the points that it has today, and those that it adds to its tactic."""

    met: Met
    points: float
    added: float


@dataclass(frozen=True, slots=True)
class TacticPart:
    """What the threats of one tactic add up to, the heaviest first. Times are microseconds since the epoch."""

    tactic: str | None
    points: float
    first: int
    last: int
    count: int
    threats: Sequence[Weighed]


@dataclass(frozen=True, slots=True)
class Step:
    """A tactic that followed others in the order of the kill chain, and the threat by which it is known."""

    tactic: str
    time: int
    threat: str


@dataclass(frozen=True, slots=True)
class HostRisk:
    """The risk of one host, 0 to 100, and the parts of it: tactics by the time they were first seen, and the chain.

    `chain_points` and the points of all parts add up to `risk`, unless that was cut at 100.
    """

    address: str
    risk: float
    severity: Severity | None
    threats: int
    count: int
    first: int | None
    last: int | None
    parts: Sequence[TacticPart]
    chain: Sequence[Step]
    chain_points: float


def risk_of_host(address: str, threats: Iterable[Met], *, at: int, half_life: int) -> HostRisk:
    """Add up the threats of a host as of a time. `at` and `half_life` are microseconds."""
    met = list(threats)
    by_tactic: dict[str | None, list[Met]] = {}
    for one in met:
        by_tactic.setdefault(one.tactic, []).append(one)
    parts = [_part(tactic, those, at, half_life) for tactic, those in by_tactic.items()]
    last = max((one.threat.last for one in met), default=None)
    chain = _chain(met)
    steps = max(len(chain) - 1, 0)
    chain_points = round(STEP * steps * _left(last, at, half_life), _DIGITS) if last is not None else 0.0
    return HostRisk(
        address=address,
        risk=round(min(sum(part.points for part in parts) + chain_points, MOST), _DIGITS),
        severity=max((one.threat.severity for one in met), default=None),
        threats=len(met),
        count=sum(one.threat.count for one in met),
        first=min((one.threat.first for one in met), default=None),
        last=last,
        parts=sorted(parts, key=lambda part: (part.first, part.tactic or "")),
        chain=chain,
        chain_points=chain_points,
    )


def _left(time: int, at: int, half_life: int) -> float:
    """Tell what is left, from 0 to 1, of what happened at a time."""
    return float(0.5 ** (max(at - time, 0) / half_life))


def _part(tactic: str | None, met: Sequence[Met], at: int, half_life: int) -> TacticPart:
    points = ((POINTS[one.threat.severity] * _left(one.threat.last, at, half_life), one) for one in met)
    heaviest = sorted(points, key=lambda pair: (-pair[0], pair[1].threat.id))
    weighed = [Weighed(one, points, points / 2 ** min(rank, 60)) for rank, (points, one) in enumerate(heaviest)]
    return TacticPart(
        tactic=tactic,
        points=round(sum(one.added for one in weighed), _DIGITS),
        first=min(one.threat.first for one in met),
        last=max(one.threat.last for one in met),
        count=sum(one.threat.count for one in met),
        threats=weighed,
    )


def _chain(met: Sequence[Met]) -> Sequence[Step]:
    """Give the longest run of tactics, each later in the kill chain than the one before, and first seen after it."""
    # Of those that began at one time the later tactic comes first: neither followed the other.
    placed = sorted(
        (one.threat.first, -where, one.threat.id) for one in met if (where := place(one.tactic)) is not None
    )
    ends: list[int] = []  # The tactic with which the best run of each length ends, and by which entry.
    entries: list[int] = []
    before: list[int] = []
    for entry, (_, negative, _) in enumerate(placed):
        length = bisect_left(ends, -negative)
        before.append(entries[length - 1] if length else -1)
        ends[length:] = [-negative, *ends[length + 1 :]]
        entries[length:] = [entry, *entries[length + 1 :]]
    steps: list[Step] = []
    entry = entries[-1] if entries else -1
    while entry >= 0:
        first, negative, threat = placed[entry]
        steps.append(Step(TACTICS[-negative], first, threat))
        entry = before[entry]
    return steps[::-1]
