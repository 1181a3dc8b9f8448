"""Harvests of all feeds to one gathering of trails: what too few have and what is kept out does not come in."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import compress, repeat

from feeds import life
from feeds.agreement import ALONE, Needs, Voices
from feeds.exclusion import Exclusion
from feeds.granary import Kept
from feeds.harvest import Harvest
from matchers.gather import Gathering

_OWN = " own"  # No group of feeds has a name with a space.


@dataclass(frozen=True, slots=True)
class Merged:
    """What merging left out: `unsettled` trails too few feeds have, `kept_out` by reason, `over` ran out long ago."""

    unsettled: int = 0
    over: int = 0
    kept_out: Mapping[str, int] = field(default_factory=dict)


def merge(
    into: Gathering,
    harvests: list[tuple[str, Kept, Harvest]],
    exclusion: Exclusion,
    needs: Needs,
    *,
    now: int,
    oldest: int = 0,
) -> Merged:
    """Add what feeds gave to what the site's own files gave already. `harvests` is empty afterwards: it is large.

    Trails that ran out before `oldest` do not come in, those that ran out before `now` have no voice.
    """
    feeds = []
    while harvests:
        feeds.append(_Counted(*harvests.pop(), exclusion, needs, now, oldest))
    voices = Voices()
    for feed in feeds:
        voices.ask(feed.keys, feed.needs())
    voices.hear(_OWN, list(into.numbers), repeat(ALONE, len(into)))
    for feed in feeds:
        voices.hear(feed.group, feed.keys, feed.needs())
    unsettled = voices.unsettled()
    kept_out: Counter[str] = Counter()
    # The largest first: what comes into an empty gathering is not looked at one by one.
    feeds.sort(key=lambda feed: (len(feed.keys), feed.group))
    over = 0
    while feeds:
        feed = feeds.pop()
        feed.add_to(into, unsettled)
        kept_out += feed.kept_out
        over += feed.over
    return Merged(len(unsettled), over, dict(sorted(kept_out.items())))


class _Counted:
    """One harvest without what is kept out, and how its rows count."""

    def __init__(
        self, name: str, kept: Kept, harvest: Harvest, exclusion: Exclusion, needs: Needs, now: int, oldest: int
    ) -> None:
        self.group = kept.group or name
        voices = (self.group,)
        self._facts = [row.facts._replace(voices=voices, expires=life.expiry(row, kept.grace)) for row in harvest.table]
        self._needs = [needs.of(name, kept.agreement, facts) for facts in self._facts]
        out = exclusion.of(harvest)
        self.kept_out = Counter(out.values())
        self.keys, self.rows, self.over = harvest.keys, harvest.rows, 0
        ended = [self._is_over(row, now, oldest) for row in range(len(harvest.table))]
        if out or any(ended):
            stays = [place not in out and not ended[row] for place, row in enumerate(harvest.rows)]
            self.keys = list(compress(harvest.keys, stays))
            self.rows = array("I", compress(harvest.rows, stays))
            self.over = len(harvest) - len(out) - len(self.keys)

    def _is_over(self, row: int, now: int, oldest: int) -> bool:
        """Tell whether trails ran out: too long ago to be kept, or at all where others would have to agree."""
        end = self._facts[row].expires
        return 0 < end < oldest or (0 < end < now and self._needs[row] > ALONE)

    def needs(self) -> Iterator[int]:
        return map(self._needs.__getitem__, self.rows)

    def add_to(self, into: Gathering, unsettled: AbstractSet[bytes]) -> None:
        numbers: dict[int, int] = {row: into.number(self._facts[row]) for row in set(self.rows)}
        keys, rows = self.keys, self.rows
        if unsettled and not unsettled.isdisjoint(keys):
            stays = [key not in unsettled for key in keys]
            keys, rows = list(compress(keys, stays)), array("I", compress(rows, stays))
        into.add_many(keys, map(numbers.__getitem__, rows))
