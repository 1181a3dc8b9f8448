"""What the site does not want to hear of: heuristics muted by name, source, destination, value, until a time."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from matchers.findings import Finding
from trailhound import canonical
from trailhound.record import Record

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Mute:
    """What is muted: all that is said must hold. `rule` is the name of a heuristic, empty for all of them.

    `below` mutes what has a score under it. `until` is microseconds since the epoch by the record's own time.
    """

    rule: str = ""
    source: Network | None = None
    destination: Network | None = None
    value: str = ""
    below: int = 0
    until: int | None = None

    def holds(self, finding: Finding, record: Record) -> bool:
        found = finding.found
        return (
            self.rule in ("", finding.heuristic.name)
            and (self.until is None or record.time <= self.until)
            and (not self.below or found.score < self.below)
            and (not self.value or self.value in (found.value, found.observed))
            and (self.source is None or _lies_in(record.source, self.source))
            and (self.destination is None or _lies_in(record.destination, self.destination))
        )


class Mutes:
    """All mutes of the site."""

    def __init__(self, mutes: Sequence[Mute]) -> None:
        self._mutes = tuple(mutes)

    def __call__(self, finding: Finding, record: Record) -> bool:
        return any(mute.holds(finding, record) for mute in self._mutes)


@lru_cache(maxsize=16_384)
def _lies_in(address: str | None, network: Network) -> bool:
    known = canonical.address(address or "")
    return known is not None and ipaddress.ip_address(known) in network
