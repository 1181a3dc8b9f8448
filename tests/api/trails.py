"""A trail set for tests: a dictionary, with the parents of names."""

from collections import Counter
from collections.abc import Iterable, Sequence

from api.lookup import Explanation, FoundTrail, TrailSetInfo
from trailhound.canonical import Indicator, readings
from trailhound.errors import TrailSetError
from trailhound.trail import Trail, TrailKind


class DictLookup:
    """Look values up by kind and canonical value; names by their parents too."""

    def __init__(self, trails: Iterable[Trail], *, whitelist: Iterable[str] = (), built: int | None = None) -> None:
        self._trails = {Indicator(trail.kind, trail.value): trail for trail in trails}
        self._whitelist = frozenset(whitelist)
        self._built = built

    def explain(self, values: Sequence[str]) -> Sequence[Explanation]:
        return [self._explain(value) for value in values]

    def info(self) -> TrailSetInfo:
        return TrailSetInfo(
            trails=len(self._trails),
            by_kind=Counter(trail.kind.value for trail in self._trails.values()),
            by_class=Counter(trail.class_.value for trail in self._trails.values()),
            built=self._built,
            checksum="0c7e6a405862e402eb76a70f8a26fc73",
        )

    def _explain(self, value: str) -> Explanation:
        read = readings(value)
        matches = [match for reading in read for match in self._matches(reading)]
        listed = next((one.value for one in read if one.value in self._whitelist), None)
        return Explanation(
            value=value,
            readings=read,
            matches=matches,
            whitelisted=f"{listed} is on the whitelist" if listed else None,
            found=bool(matches) and listed is None,
        )

    def _matches(self, reading: Indicator) -> Sequence[FoundTrail]:
        keys = [reading.value]
        if reading.kind is TrailKind.DOMAIN:
            labels = reading.value.split(".")
            keys = [".".join(labels[place:]) for place in range(len(labels) - 1)]
        found = [(key, self._trails.get(Indicator(reading.kind, key))) for key in keys]
        return [FoundTrail(key, trail) for key, trail in found if trail]


class MissingLookup:
    """A trail set whose file is gone."""

    def explain(self, values: Sequence[str]) -> Sequence[Explanation]:
        raise TrailSetError("/var/lib/trailhound/trails.set: there is no such trail set")

    def info(self) -> TrailSetInfo:
        raise TrailSetError("/var/lib/trailhound/trails.set: there is no such trail set")
