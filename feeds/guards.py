"""Whether what a feed gives today is that feed: not empty, shrunk, of another shape, or another feed's list."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from feeds.feed import Feed
from feeds.harvest import Harvest
from matchers.gather import Gathering

# A feed of fewer trails may do as it likes: of four servers two are switched off on an ordinary day.
_FEW = 20
_REFUSED = 0.5  # Share of values that are refused from which something is wrong, unless it always was so.
_REFUSED_MORE = 0.25  # By how much that share may rise.
_NEW_KIND = 0.5  # Share of trails of kinds that the feed did not have.
_STRANGE = 0.9  # Share of trails that another feed has.
_OWN = 0.1  # Share of trails that the feed had itself, below which it is a stranger.


@dataclass(frozen=True, slots=True)
class Guard:
    """`min_ratio` is the least share of what a feed had that it must still have. 0 lets it shrink, never to nothing."""

    min_ratio: float = 0.5

    def objection(
        self, feed: Feed, parsed: Gathering, refused: int, old: Harvest | None, others: Iterable[tuple[Feed, Harvest]]
    ) -> str | None:
        """Say why what was parsed must not take the place of what is in force, or None when it may."""
        if not len(parsed):
            return _nothing(refused, old)
        listed = sum(old.kinds.values()) if old is not None else 0
        if listed >= _FEW and len(parsed) < self.min_ratio * listed:
            return (
                f"it shrank from {listed:,} trails to {len(parsed):,}; less than {self.min_ratio:.0%} is not taken up"
            )
        return (
            _too_much_refused(len(parsed), refused, old)
            or _other_kinds(parsed, old)
            or _another_feed(feed, parsed, old, others)
        )


def _nothing(refused: int, old: Harvest | None) -> str | None:
    if refused:
        return f"nothing in it is a trail: {refused:,} values were refused"
    return "it is empty" if old is not None and len(old) else None


def _too_much_refused(trails: int, refused: int, old: Harvest | None) -> str | None:
    share = refused / (trails + refused)
    usual = old.refused / (len(old) + old.refused) if old is not None and len(old) else 0.0
    if (refused < _FEW and trails >= refused) or share < _REFUSED or share < usual + _REFUSED_MORE:
        return None
    return f"it changed shape: {refused:,} of {trails + refused:,} values were refused, {usual:.0%} are usual"


def _other_kinds(parsed: Gathering, old: Harvest | None) -> str | None:
    if old is None or len(old) < _FEW or len(parsed) < _FEW:
        return None
    counts = Counter(parsed.numbers.values())
    strange: Counter[str] = Counter()
    for number, count in counts.items():
        kind = parsed.facts[number].kind.value
        if not old.kinds.get(kind):
            strange[kind] += count
    if strange.total() < _NEW_KIND * len(parsed):
        return None
    return f"it changed shape: {_most(strange)} where it had {_most(old.kinds)}"


def _most(counts: Mapping[str, int]) -> str:
    return max(sorted(counts), key=lambda kind: counts[kind], default="nothing")


def _another_feed(
    feed: Feed, parsed: Gathering, old: Harvest | None, others: Iterable[tuple[Feed, Harvest]]
) -> str | None:
    """Compare with other feeds only when it has little in common with itself: a change of place, not of content."""
    if old is None or len(parsed) < _FEW or len(old) < _FEW or _share(parsed, old) >= _OWN:
        return None
    for other, harvest in others:
        if other.group != feed.group and _share(parsed, harvest) >= _STRANGE:
            return f"it has the content of {other.name} and none of its own"
    return None


def _share(parsed: Gathering, harvest: Harvest) -> float:
    return sum(map(parsed.numbers.__contains__, harvest.keys)) / len(parsed)
