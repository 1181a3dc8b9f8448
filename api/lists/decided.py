"""What people decided of addresses and names, as lists need to know it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from api.lists.rule import Rule
from api.lists.spared import Spared
from stores.addresses import is_public
from stores.desk.contract import Decision, DecisionScope, Desk, Noun, Verdict

_NEVER = 2**63


@dataclass(frozen=True, slots=True)
class Decided:
    """What is in force at one moment. `mark` tells it from what was before.

    `cleared` says since when (microseconds) an address counts as clean.
    """

    mark: tuple[object, ...]
    blocks: tuple[Decision, ...]
    allowed: tuple[str, ...]
    cleared: Mapping[str, int]


class Decisions:
    """Asks a desk only when something on it has changed, or has run out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: Decided | None = None
        self._good = (0, 0)

    def at(self, now: int) -> Decided:
        words = self._desk.mark(Noun.DECISION), self._desk.mark(Noun.CLEARED)
        begin, end = self._good
        if self._known is None or self._known.mark[:2] != words or not begin <= now < end:
            found = self._desk.decisions(now=now)
            self._good = (now, min((one.ends for one in found if one.ends is not None), default=_NEVER))
            self._known = Decided(
                mark=(*words, self._good),
                blocks=tuple(one for one in found if one.verdict is Verdict.BLOCK),
                allowed=tuple(one.value for one in found if one.verdict is Verdict.ALLOW),
                cleared={one.address: one.at for one in self._desk.all_cleared()},
            )
        return self._known


def blocked(decision: Decision, rule: Rule, spared: Spared) -> Iterator[str]:
    """Give what a decision puts on a list: never what is spared, nor what is no host of the internet."""
    value = decision.value
    if decision.scope is DecisionScope.DOMAIN:
        if rule.is_of_names and not spared.name(value):
            yield value
    elif rule.is_of_names or not rule.takes(value):
        return
    elif decision.scope is DecisionScope.ADDRESS:
        if is_public(value) and not spared.address(value):
            yield value
    elif rule.ranges:
        yield from spared.rest(value)
