"""Trails by their keys, with what is known of them: what several sources say of one value becomes one.

Whether trails come one by one, or by the million with the same few facts, the outcome is the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from matchers import layout
from trailhound.trail import Trail, TrailClass, TrailKind

# When sources disagree on what a value is, the site's own list wins; then the more telling word; then the more
# confident source.
_TELLING = {
    class_: rank
    for rank, class_ in enumerate(
        (
            TrailClass.HEURISTIC,
            TrailClass.POLICY,
            TrailClass.PARKED,
            TrailClass.SUSPICIOUS,
            TrailClass.ANONYMIZER,
            TrailClass.SPAM,
            TrailClass.SCANNER,
            TrailClass.ATTACKER,
            TrailClass.EXPLOIT,
            TrailClass.PHISHING,
            TrailClass.SINKHOLE,
            TrailClass.MALWARE,
            TrailClass.C2,
        )
    )
}
AGREEMENT = 5  # Confidence added by each further voice that has the same value.


class Facts(NamedTuple):
    """What is known of a trail, without its value.

    `sources` are the names of lists, the one whose words are used first; `voices` those of them that are independent:
    mirrors of one list are one voice. `confidence` is that of the first source alone. Times are seconds since the
    epoch, 0 for unknown or never.
    """

    kind: TrailKind
    class_: TrailClass
    info: str
    sources: tuple[str, ...]
    voices: tuple[str, ...]
    reference: str
    confidence: int
    first_seen: int
    expires: int
    custom: bool

    @property
    def agreed(self) -> int:
        """The confidence, raised by each further voice."""
        return min(max(self.confidence + AGREEMENT * (len(self.voices) - 1), 0), 100)


def facts_of(trail: Trail) -> Facts:
    """Take what is known of a trail; each of its sources is a voice."""
    return Facts(
        trail.kind,
        trail.class_,
        trail.info,
        trail.sources,
        trail.sources,
        trail.reference,
        trail.confidence,
        trail.first_seen or 0,
        trail.expires or 0,
        trail.custom,
    )


class Gathering:
    """Keys with the number of their facts. `merged` counts how often one more source had a key that was there."""

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}
        self.facts: list[Facts] = []
        self.merged = 0
        self._known: dict[Facts, int] = {}
        self._unions: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return len(self.numbers)

    def add(self, trail: Trail) -> None:
        number = self.number(facts_of(trail))
        key = layout.key(trail.kind, trail.value)
        known = self.numbers.setdefault(key, number)
        if known != number:
            self.merged += 1
            self.numbers[key] = self._union(known, number)

    def add_all(self, trails: Iterable[Trail]) -> None:
        for trail in trails:
            self.add(trail)

    def add_many(self, keys: Sequence[bytes], numbers: Iterable[int]) -> None:
        """Add many keys, none of them twice, each with a number that `number` gave."""
        mine: dict[bytes, int] = self.numbers
        others: Iterable[tuple[bytes, int]] = zip(keys, numbers, strict=True)
        if len(mine) < len(keys):  # The fewer are looked at one by one.
            self.numbers, others = dict(others), mine.items()
            mine = self.numbers
        settle = mine.setdefault
        for key, number in others:
            known = settle(key, number)
            if known != number:
                self.merged += 1
                mine[key] = self._union(known, number)

    def number(self, facts: Facts) -> int:
        """Give the number of facts, the same for the same."""
        number = self._known.setdefault(facts, len(self.facts))
        if number == len(self.facts):
            self.facts.append(facts)
        return number

    def clear(self) -> None:
        """Give all memory back; who holds this for a while longer holds nothing."""
        self.numbers.clear()
        self.facts.clear()
        self._known.clear()
        self._unions.clear()

    def used(self) -> Iterator[int]:
        """Give the numbers that some key has."""
        return iter(set(self.numbers.values()))

    def _union(self, known: int, new: int) -> int:
        pair = (known, new)
        number = self._unions.get(pair)
        if number is None:
            number = self._unions[pair] = self.number(union(self.facts[known], self.facts[new]))
        return number


def union(one: Facts, other: Facts) -> Facts:
    """Put together what two sources say of one value; in whatever order three come, the outcome is the same."""
    first, second = sorted((one, other), key=_precedence)
    seen = [moment for moment in (first.first_seen, second.first_seen) if moment]
    return first._replace(
        sources=(first.sources[0], *sorted({*first.sources, *second.sources} - {first.sources[0]})),
        voices=tuple(sorted({*first.voices, *second.voices})),
        first_seen=min(seen, default=0),
        # One source that never lets it expire keeps it.
        expires=max(first.expires, second.expires) if first.expires and second.expires else 0,
    )


def _precedence(facts: Facts) -> tuple[object, ...]:
    return (
        not facts.custom,
        -_TELLING[facts.class_],
        -facts.confidence,
        not facts.reference,
        facts.info,
        facts.sources[0],
        facts.reference,
        facts.kind,
    )
