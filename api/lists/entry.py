"""What stands on a list. There may be a hundred thousand of each, so they are tuples."""

from collections.abc import Sequence
from typing import NamedTuple

from trailhound.severity import Severity


class Candidate(NamedTuple):
    """An address or name that events speak against. `days` are those, in UTC, on which there were any."""

    value: str
    severity: Severity
    number: int
    first: int
    last: int
    infos: Sequence[str]
    days: int = 1


class Entry(NamedTuple):
    """One entry, and why. Without `candidate` a person decided it, because of `reason`.

    It stays until `until` (microseconds; None: for good).
    """

    value: str
    until: int | None
    candidate: Candidate | None = None
    reason: str = ""

    @property
    def without_reason(self) -> "Entry":
        candidate = None if self.candidate is None else self.candidate._replace(infos=())
        return self._replace(candidate=candidate, reason="")

    @property
    def says(self) -> str:
        """Say in a few words why it stands there."""
        if self.candidate is None:
            return self.reason
        return ", ".join(self.candidate.infos[:3])
