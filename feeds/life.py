"""The life of trails: when the feed first had them, when it had them last, how long they stay after that, what is gone.

A trail that its feed no longer lists stays for the feed's grace, then it is out of the set and remembered as gone for a
while, so that people can see what went, and so that it keeps its first time should it come back.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from feeds.feed import Feed
from feeds.harvest import Gone, Harvest, Row
from matchers.gather import Facts, Gathering

MOST_GONE = 50_000  # Trails that are remembered as gone, the latest.
GONE_SECONDS = 90 * 86_400  # How long they are.


@dataclass(frozen=True, slots=True)
class Change:
    """What one look changed. `absent` counts those that are no longer listed and stay for their grace."""

    added: int = 0
    removed: int = 0
    absent: int = 0


class _Table:
    """Rows by their content, each once."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._numbers: dict[Row, int] = {}

    def number(self, row: Row) -> int:
        number = self._numbers.setdefault(row, len(self.rows))
        if number == len(self.rows):
            self.rows.append(row)
        return number


class _Grown:
    """Keys in their order, each with the number of its row."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.rows = array("I")

    def add(self, key: bytes, row: int) -> None:
        self.keys.append(key)
        self.rows.append(row)


def merge(
    old: Harvest | None,
    parsed: Gathering,
    now: int,
    feed: Feed,
    *,
    seen: int = 0,
    mark: str = "",
    refused: int = 0,
) -> tuple[Harvest, Change]:
    """Put what a feed lists now together with what is known of its trails from before.

    `seen` is when the feed last had what `old` lists, by default when that was made: what is no longer listed was then.
    """
    gone = {item.key: item for item in old.gone} if old is not None else {}
    earlier = {key: gone.pop(key) for key in list(gone) if key in parsed.numbers}
    absent = _absent(old, seen)
    table, grown = _Table(), _Grown()
    cache: dict[tuple[int, int], int] = {}
    added = over = waiting = 0
    for key, number, row in _paired(parsed, old):
        if number < 0:
            was = absent[row]
            if _is_over(was, now, feed.expires):
                gone[key] = Gone(key, was.facts.first_seen, was.added, now)
                over += 1
            else:
                grown.add(key, table.number(was))
                waiting += 1
            continue
        known = cache.get((number, row)) if key not in earlier else None
        if known is None:
            before = old.table[row] if old is not None and row >= 0 else None
            known = table.number(_listed(parsed.facts[number], before, earlier.get(key), now))
            if key not in earlier:
                cache[number, row] = known
        added += row < 0
        grown.add(key, known)
    harvest = _harvest(mark, now, refused, grown, table.rows, _bounded(gone.values(), now))
    return harvest, Change(added, over, waiting)


def age(old: Harvest, now: int, feed: Feed) -> Harvest | None:
    """Let go what was waited for long enough; None when there is nothing to let go, as when a feed did not change."""
    over = {number for number, row in enumerate(old.table) if row.last_seen and _is_over(row, now, feed.expires)}
    if not over.intersection(old.rows):
        return None
    pairs = list(zip(old.keys, old.rows, strict=True))
    gone = {item.key: item for item in old.gone}
    for key, number in pairs:
        if number in over:
            row = old.table[number]
            gone[key] = Gone(key, row.facts.first_seen, row.added, now)
    grown = _Grown()
    for key, number in pairs:
        if number not in over:
            grown.add(key, number)
    aged = _harvest(old.mark, old.made, old.refused, grown, old.table, _bounded(gone.values(), now))
    return replace(aged, kinds=old.kinds)


def expiry(row: Row, grace: int) -> int:
    """Tell until when a trail is met: what the feed says, and no longer than its grace after it was last listed."""
    if not row.last_seen:
        return row.facts.expires
    end = row.last_seen + grace
    return min(row.facts.expires, end) if row.facts.expires else end


def changes(harvest: Harvest, since: int) -> tuple[list[tuple[bytes, int]], list[tuple[bytes, int]]]:
    """Give what came since a time and what went since, each with when; what is only absent counts as gone."""
    came, went = [], [(item.key, item.gone) for item in harvest.gone if item.gone >= since]
    for key, number in zip(harvest.keys, harvest.rows, strict=True):
        row = harvest.table[number]
        if row.last_seen >= max(since, 1):
            went.append((key, row.last_seen))
        elif row.added >= since and not row.last_seen:
            came.append((key, row.added))
    return came, sorted(went)


def _listed(facts: Facts, before: Row | None, gone: Gone | None, now: int) -> Row:
    known = [facts.first_seen]
    if before is not None:
        known.append(before.facts.first_seen)
    if gone is not None:
        known.append(gone.first_seen)
    first_seen = min((moment for moment in known if moment), default=now)
    added = before.added if before is not None else now
    return Row(facts._replace(first_seen=first_seen), added, 0)


def _paired(parsed: Gathering, old: Harvest | None) -> Iterator[tuple[bytes, int, int]]:
    """Give all keys in their order, each with the numbers of its facts and of its old row; -1 for none."""
    known = zip(old.keys, old.rows, strict=True) if old is not None else iter(())
    item = next(known, None)
    for key in sorted(parsed.numbers):
        while item is not None and item[0] < key:
            yield item[0], -1, item[1]
            item = next(known, None)
        if item is not None and item[0] == key:
            yield key, parsed.numbers[key], item[1]
            item = next(known, None)
        else:
            yield key, parsed.numbers[key], -1
    while item is not None:
        yield item[0], -1, item[1]
        item = next(known, None)


def _absent(old: Harvest | None, seen: int) -> list[Row]:
    """Give the rows of `old` as those of trails that are no longer listed: what was listed, was so at our last look."""
    if old is None:
        return []
    return [row if row.last_seen else row._replace(last_seen=seen or old.made) for row in old.table]


def _is_over(row: Row, now: int, grace: int) -> bool:
    return now - row.last_seen >= grace


def _harvest(mark: str, made: int, refused: int, grown: _Grown, table: Sequence[Row], gone: Sequence[Gone]) -> Harvest:
    """Make a harvest whose bytes do not tell in which order anything came."""
    counts = Counter(grown.rows)
    order = sorted(counts, key=lambda number: table[number])
    rank = {number: place for place, number in enumerate(order)}
    numbers = array("I", map(rank.__getitem__, grown.rows))
    kinds: Counter[str] = Counter()
    for number, count in counts.items():
        if not table[number].last_seen:
            kinds[table[number].facts.kind.value] += count
    rows = [table[number] for number in order]
    return Harvest(mark, made, refused, grown.keys, numbers, rows, gone, dict(sorted(kinds.items())))


def _bounded(gone: Iterable[Gone], now: int) -> list[Gone]:
    """Remember the latest, in the order of their keys."""
    young = [item for item in gone if now - item.gone < GONE_SECONDS]
    if len(young) > MOST_GONE:
        young = sorted(young, key=lambda item: (-item.gone, item.key))[:MOST_GONE]
    return sorted(young)
