"""Which values count: lists of attackers, scanners and spammers have to agree, what is rated counts alone.

Lists of one group are one voice, however many of them have a value. A value counts when at least one list that has it
asks for no more voices than there are; then all of them are its sources. The site's own files always count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from matchers.gather import Facts
from trailhound.trail import TrailClass

ALONE = 1


@dataclass(frozen=True, slots=True)
class Needs:
    """How many voices a value needs. What is said of a feed is stronger than what is said of a class."""

    of_feeds: Mapping[str, int] = field(default_factory=dict)
    of_classes: Mapping[TrailClass, int] = field(default_factory=dict)

    def of(self, feed: str, agreement: int, facts: Facts) -> int:
        """Give what a trail of a feed needs; `agreement` is what the catalogue says of the feed."""
        said = self.of_feeds.get(feed)
        if said is None:
            said = self.of_classes.get(facts.class_, agreement)
        return max(said, ALONE)


class Voices:
    """Counts for values that need more than one voice which groups have them. Groups get numbers as they come."""

    def __init__(self) -> None:
        self._groups: dict[str, int] = {}
        self._heard: dict[bytes, int] = {}
        self._needs: dict[bytes, int] = {}

    def ask(self, keys: Iterable[bytes], needs: Iterable[int]) -> None:
        """Note that a list has these keys, and how many voices it needs for each. Before anybody is heard."""
        known = self._needs
        for key, need in zip(keys, needs, strict=True):
            if need > ALONE:
                before = known.setdefault(key, need)
                if need < before:
                    known[key] = need

    def hear(self, group: str, keys: Sequence[bytes], needs: Iterable[int]) -> None:
        """Count a group's voice for these keys; what it needs no further voice for is settled."""
        bit = 1 << self._groups.setdefault(group, len(self._groups))
        asked, heard = self._needs, self._heard
        for key, need in zip(keys, needs, strict=True):
            if key in asked:
                heard[key] = heard.get(key, 0) | bit
                if need <= ALONE:
                    asked[key] = ALONE

    def unsettled(self) -> frozenset[bytes]:
        """Give the keys that too few have."""
        heard = self._heard
        return frozenset(key for key, need in self._needs.items() if heard.get(key, 0).bit_count() < need)
