"""Floods of names under one zone, each asked for once: they pass by caches and wear out the zone's name servers.

To count exactly is too dear for each zone of a busy network. So names are counted by their last labels first, and
exactly only under those that have a part of what it takes.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from operator import itemgetter

from pydantic import Field

from matchers.findings import Found, Technique, Thresholds
from matchers.heuristics import lookups
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.windows import Distinct, Lately
from matchers.view import View
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_PART = 16
_MOST_TAILS = 20_000
_MOST_ZONES = 500  # Each with as many names as the threshold says.


class DnsExhaustion(Thresholds):
    """From where on names are a flood."""

    names: int = Field(
        default=1000,
        ge=_PART,
        le=10_000,
        description="So many distinct names under one zone: content networks stay far under it on a network of"
        " thousands of hosts.",
    )
    seconds: int = Field(default=60, ge=1, le=3600, description="Within so many seconds.")


class _Watcher:
    def __init__(self, thresholds: DnsExhaustion, surroundings: Surroundings) -> None:
        window = thresholds.seconds * MICROSECONDS
        self._thresholds = thresholds
        self._window = window
        self._ungated = thresholds.names // _PART
        self._lately: Lately[Hashable] = Lately(window, capacity=20_000)
        self._tails: Counter[Hashable] = Counter()
        self._since: int | None = None
        counted = thresholds.names - self._ungated
        self._names: Distinct[str, str] = Distinct(window, counted - 1, surroundings.slack, _MOST_ZONES)

    def held(self) -> int:
        return len(self._names) + len(self._tails) + len(self._lately)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        column = view.column("query")
        if column is None or not len(view):
            return
        now = view.time(len(view) - 1)
        new = self._lately.new(view.distinct("query"), now)
        for row in self._counted_exactly(self._many(new, now), column):
            found = self._note(view, row, lookups.name(view.text("query", column[row]) or "") or "")
            if found is not None:
                yield row, found

    def _many(self, new: set[Hashable], now: int) -> dict[Hashable, list[Hashable]]:
        """Give those of some new names under whose last labels there were many lately, by these labels."""
        if self._since is None or not 0 <= now - self._since < self._window or len(self._tails) > _MOST_TAILS:
            self._tails.clear()
            self._since = now
        tails = [(_tail(cell), cell) for cell in new if cell]
        self._tails.update(map(itemgetter(0), tails))
        many: dict[Hashable, list[Hashable]] = {}
        for tail, cell in tails:
            if self._tails[tail] > self._ungated:
                many.setdefault(tail, []).append(cell)
        return many

    def _counted_exactly(self, many: dict[Hashable, list[Hashable]], column: Sequence[Hashable]) -> list[int]:
        """Give the rows of names that are to be counted exactly: not the first of each tail, whatever the batch."""
        if not many:
            return []
        first = dict(zip(reversed(column), range(len(column) - 1, -1, -1), strict=True))
        rows: list[int] = []
        for tail, cells in many.items():
            before = self._tails[tail] - len(cells)
            rows += sorted(map(first.__getitem__, cells))[max(self._ungated - before, 0) :]
        return sorted(rows)

    def _note(self, view: View, row: int, name: str) -> Found | None:
        zone = lookups.zone(name) if name else None
        if zone is None or zone == name or lookups.is_busy(name) or lookups.is_black_list_question(name):
            return None
        crossing = self._names.add(zone, name[: -len(zone) - 1], view.time(row))
        if crossing is None:
            return None
        return Found(
            said=f"was the last to ask for one of over {self._thresholds.names:,} names under {zone} within"
            f" {self._thresholds.seconds} s",
            score=60,
            severity=Severity.MEDIUM,
            value=zone,
            kind=TrailKind.DOMAIN,
            observed=name,
            role="dns.question.name",
            count=len(crossing.items),
            start=crossing.start,
            end=crossing.end,
            key=zone,
            window=self._window,
        )


def _tail(cell: Hashable) -> Hashable:
    """Give the last two labels of a raw name, and the third where the second is as short as that of `co.uk`."""
    if isinstance(cell, bytes):
        labels: Sequence[Hashable] = cell.rsplit(b".", 3)
    elif isinstance(cell, str):
        labels = cell.rsplit(".", 3)
    else:
        return None
    return tuple(labels[-3 if len(labels) > 2 and _is_short(labels[-2]) else -2 :])


def _is_short(label: Hashable) -> bool:
    return isinstance(label, bytes | str) and len(label) <= 3


DNS_EXHAUSTION = Heuristic(
    name="dns-exhaustion",
    title="potential dns exhaustion",
    about="A flood of distinct names under one zone, as random-subdomain attacks on its name servers make them.",
    reads={"dns": (*lookups.ENDS, "query")},
    technique=Technique("T1498", "Network Denial of Service", "Impact"),
    thresholds=DnsExhaustion,
    start=_Watcher,
    false_positives=("Content networks on very large networks", "Enumeration of the site's own names by its auditors"),
    silence="Whitelist the zone, or mute `dns-exhaustion` with the zone as its `value`.",
    blind="The source of the event is whoever asked last: a flood has many, or a resolver asks for all.",
)
