"""What the API asks of the trail set. The command line adapts the real one to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from matchers.explain import Look
from trailhound.canonical import Indicator
from trailhound.trail import Trail


@dataclass(frozen=True, slots=True)
class FoundTrail:
    """A trail, and the key it was found by: the value itself, a parent domain, a network, a host.

    `hidden` says why it does not count, empty when it does.
    """

    key: str
    trail: Trail
    hidden: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the trail set says of one value, as if it had stood in a log.

    `readings` is everything that the value could be, with its canonical form, the likeliest first. `whitelisted` is the
    reason why a record with this value makes no event, or None. `found` says whether it would make one. `looks` are the
    keys that were asked for; `unfit` are sentences on why lists with this value would have it refused: these two, which
    take longer than all the rest, are filled in for a person only.
    """

    value: str
    readings: Sequence[Indicator] = ()
    matches: Sequence[FoundTrail] = ()
    whitelisted: str | None = None
    found: bool = False
    looks: Sequence[Look] = ()
    unfit: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class TrailSetInfo:
    """What the trail set holds. `built` is seconds since the epoch; `checksum` is hexadecimal."""

    trails: int
    by_kind: Mapping[str, int] = field(default_factory=dict)
    by_class: Mapping[str, int] = field(default_factory=dict)
    built: int | None = None
    checksum: str = ""


class TrailLookup(Protocol):
    """The trail set in force. Both methods may raise `TrailSetError`."""

    def explain(self, values: Sequence[str]) -> Sequence[Explanation]:
        """Explain each value, in the order given."""
        ...

    def info(self) -> TrailSetInfo: ...
