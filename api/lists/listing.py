"""One list at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import TypeAlias

from api.lists.decided import Decided, blocked
from api.lists.entry import Candidate, Entry
from api.lists.forms import Form
from api.lists.rule import Rule
from api.lists.spared import Spared

# A form, and whether it tells reasons.
Wanted: TypeAlias = tuple[Form, bool]


@dataclass(frozen=True, slots=True)
class Body:
    """A list in one form, and the entity tag that names this content."""

    content: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands on a list, the strongest first. `made` (seconds) grows whenever other values stand on it."""

    rule: Rule
    entries: Sequence[Entry]
    made: int
    _bodies: dict[Wanted, Body] = field(default_factory=dict, compare=False, repr=False)
    _asked: set[Wanted] = field(default_factory=set, compare=False, repr=False)

    def body(self, form: Form, *, reasons: bool = True) -> Body:
        """Give the list in a form, with or without reasons. It is written once."""
        self._asked.add((form, reasons))
        return self._written(form, reasons=reasons)

    def renewed(self, entries: Sequence[Entry], now: int) -> "Listing":
        """Give the list with other entries, written in the forms that this one was asked for."""
        same = [one.value for one in self.entries] == [one.value for one in entries]
        listing = Listing(self.rule, entries, self.made if same else max(now, self.made + 1))
        for form, reasons in tuple(self._asked):
            listing._written(form, reasons=reasons)
        return listing

    def _written(self, form: Form, *, reasons: bool) -> Body:
        found = self._bodies.get((form, reasons))
        if found is None:
            entries = self.entries if reasons else [one.without_reason for one in self.entries]
            content = form.write(self.rule, entries, self.made).encode("utf-8")
            # Weak: the same list is served plain and compressed.
            tag = f'W/"{blake2b(content, digest_size=16).hexdigest()}"'
            found = self._bodies[form, reasons] = Body(content, tag)
        return found


def assemble(rule: Rule, candidates: Sequence[Candidate], spared: Spared, decided: Decided) -> Sequence[Entry]:
    """Put what people decided first, then what events speak against; nothing that is spared or was cleared since."""
    entries: dict[str, Entry] = {}
    if rule.decisions:
        for decision in decided.blocks:
            for value in blocked(decision, rule, spared):
                entries.setdefault(value, Entry(value, decision.ends, None, decision.reason))
    for one in candidates:
        if len(entries) >= rule.limit:
            break
        if one.value not in entries and stands(one, rule, spared, decided):
            entries[one.value] = Entry(one.value, one.last + rule.stay(one.days), one)
    return tuple(islice(entries.values(), rule.limit))


def stands(one: Candidate, rule: Rule, spared: Spared, decided: Decided) -> bool:
    """Tell whether a candidate may stand on the list: one that was cleared only for what it did since."""
    if spared.name(one.value) if rule.is_of_names else spared.address(one.value):
        return False
    return one.last > decided.cleared.get(one.value, -1)
