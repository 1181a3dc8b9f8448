"""Searching for what people said of threats: the desk names the threats, and a store is asked for those."""

import re
from collections.abc import Sequence

from stores.contract import Store
from stores.desk.contract import MAX_TRIAGED, Desk, Triage, TriageState
from stores.search.expression import And, Expression, Not, Or, Said, Saying, Threats, lower
from trailhound.errors import SearchError


def is_reopened(triage: Triage, last: int | None) -> bool:
    """Tell whether a threat was resolved, and happened again since."""
    return triage.state is TriageState.RESOLVED and last is not None and last > triage.at


def settled(where: Expression | None, desk: Desk, store: Store) -> Expression | None:
    """Put threats in the place of what people said of them.

    Raises `SearchError` when people said something of more threats than a search goes through.
    """
    if where is None or not _asks(where):
        return where
    said = desk.triaged(list(TriageState), limit=MAX_TRIAGED + 1)
    if len(said) > MAX_TRIAGED:
        raise SearchError(
            f"people said something of more than {MAX_TRIAGED:,} threats, too many to search in what they said: "
            "leave out status, tag, note and assignee"
        )
    resolved = [one.threat for one in said if one.state is TriageState.RESOLVED]
    lasts = store.lasts(resolved) if resolved else {}
    reopened = frozenset(one.threat for one in said if is_reopened(one, lasts.get(one.threat)))
    return _Settling(said, reopened).settle(where)


def _asks(part: Expression) -> bool:
    match part:
        case Not(inner):
            return _asks(inner)
        case And(parts) | Or(parts):
            return any(_asks(one) for one in parts)
    return isinstance(part, Said)


class _Settling:
    """All that people said, with the threats that are new again."""

    def __init__(self, said: Sequence[Triage], reopened: frozenset[str]) -> None:
        self._said = said
        self._reopened = reopened

    def settle(self, part: Expression) -> Expression:
        match part:
            case Not(inner):
                return Not(self.settle(inner))
            case And(parts):
                return And(tuple(self.settle(one) for one in parts))
            case Or(parts):
                return Or(tuple(self.settle(one) for one in parts))
            case Said():
                return self._threats(part)
        return part

    def _threats(self, said: Said) -> Expression:
        if said.field is Saying.STATUS and TriageState.NEW in said.values:
            # Most threats are new because nobody said anything: those that are not can be named.
            return Not(Threats(tuple(one.threat for one in self._said if self._state(one) not in said.values)))
        return Threats(tuple(one.threat for one in self._said if self._fits(one, said)))

    def _fits(self, one: Triage, said: Said) -> bool:
        match said.field:
            case Saying.STATUS:
                return self._state(one) in said.values
            case Saying.NOTE:
                note = one.note.casefold()
                return any(value in note for value in said.values) and bool(note)
            case Saying.TAG:
                return any(_matches(tag, said.values) for tag in one.tags)
        return bool(one.assignee) and _matches(one.assignee, said.values)

    def _state(self, one: Triage) -> TriageState:
        return TriageState.NEW if one.threat in self._reopened else one.state


def _matches(text: str, patterns: Sequence[str]) -> bool:
    """Compare as a whole, whatever the case of ASCII letters; `*` is anything."""
    text = lower(text)
    return any(_glob(pattern, text) for pattern in patterns)


def _glob(pattern: str, text: str) -> bool:
    """Compare piece by piece, so that no pattern takes longer than its length allows."""
    first, *rest = re.split(r"\*+", pattern)
    if not rest:
        return text == first
    *middle, last = rest
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True
