"""What was asked of raw cells before: a value that was clean once is not asked about again."""

from collections.abc import Callable, Collection, Hashable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

# Cells that are remembered as clean by each question and generation; with 100 bytes each, both stay under 14 MB.
REMEMBERED = 65_536
LONGEST_REMEMBERED = 512  # Characters of a value; longer ones hardly repeat, and would let a client fill the memory.
MAX_DIALECTS = 32  # A site has far fewer, a log with made-up headers does not.


class Texts(Protocol):
    """What reads raw cells of a column: see `trailhound.record.Batch`."""

    def dialect(self, name: str) -> Hashable: ...

    def texts(self, name: str, cells: AbstractSet[Hashable]) -> tuple[Sequence[str], Sequence[Hashable]]: ...


@dataclass(slots=True)
class _Answers:
    """What was said of raw cells in one dialect, whatever the log and the column.

    Clean ones are kept in two generations: when the young one is full it becomes the old one, and of that only what is
    seen again stays. So a question that meets more values than can be remembered keeps those that are common.
    """

    young: set[Hashable] = field(default_factory=set)
    old: set[Hashable] = field(default_factory=set)
    hot: set[Hashable] = field(default_factory=set)

    def unknown(self, cells: set[Hashable]) -> set[Hashable]:
        """Give those of some cells that were not asked about."""
        new = cells.difference(self.young, self.hot)
        again = new & self.old
        if again:
            self.young |= again
            new -= again
        return new

    def remember(self, new: set[Hashable], hot: set[Hashable], *, is_short: bool, capacity: int) -> None:
        if not is_short:
            new = {cell for cell in new if length(cell) <= LONGEST_REMEMBERED}
        self.young |= new - hot
        self.hot |= new & hot
        if len(self.young) > capacity:
            self.young, self.old = set(), self.young
        if len(self.hot) > capacity:
            self.hot.clear()


class Asked:
    """A question about the texts of cells, with what it was answered. `ask` gives those of some texts that matter."""

    def __init__(self, ask: Callable[[Sequence[str]], Collection[str]], capacity: int = REMEMBERED) -> None:
        self._ask = ask
        self._capacity = capacity
        self._answers: dict[Hashable, _Answers] = {}

    def hot(self, batch: Texts, name: str, distinct: set[Hashable]) -> set[Hashable]:
        """Give those of the distinct cells of a column that matter; what is not known is asked at once."""
        dialect = batch.dialect(name)
        answers = self._answers.get(dialect)
        if answers is None:
            if len(self._answers) >= MAX_DIALECTS:
                self._answers.clear()
            answers = self._answers[dialect] = _Answers()
        hot = distinct & answers.hot
        new = answers.unknown(distinct)
        if not new:
            return hot
        texts, cells = batch.texts(name, new)
        hot_texts = self._ask(texts)
        found = {cell for text, cell in zip(texts, cells, strict=True) if text in hot_texts} if hot_texts else set()
        answers.remember(new, found, is_short=_is_short(texts, new), capacity=self._capacity)
        return hot | found


def length(cell: Hashable) -> int:
    """Give the length of a raw cell: bytes or text, or a set of texts of which some may be unset."""
    if isinstance(cell, tuple):
        return sum(len(item) + 1 for item in cell if isinstance(item, str))
    return len(cell) if isinstance(cell, bytes | str) else 0


def _is_short(texts: Sequence[str], cells: Collection[Hashable]) -> bool:
    """Tell at a glance that no cell is too long to be remembered, where each has one text."""
    return len(texts) == len(cells) and max(map(len, texts)) <= LONGEST_REMEMBERED
