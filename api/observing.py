"""From the observable memory to answers."""

from collections.abc import Sequence

from api.answers_observables import MemoryExtent, ObservableAnswer, ObservablesAnswer, SensorSightings
from stores.observables import Extent, ObservableMemory, Sightings
from trailhound import canonical
from trailhound.event import timestamp
from trailhound.record import MICROSECONDS

_HOUR = 3600 * MICROSECONDS


def answer(memory: ObservableMemory, values: Sequence[str], *, enabled: bool) -> ObservablesAnswer:
    """Answer for values in any spelling."""
    meant = [canonical.address(value.strip()) or canonical.name(value) for value in values]
    found = memory.seen({value for value in meant if value is not None})
    return ObservablesAnswer(
        observables=tuple(
            _observable(given, value, found.get(value or "", ())) for given, value in zip(values, meant, strict=True)
        ),
        memory=_extent(memory.extent(), enabled=enabled),
    )


def _observable(given: str, value: str | None, by: Sequence[Sightings]) -> ObservableAnswer:
    kind = None if value is None else "address" if canonical.address(value) else "name"
    return ObservableAnswer.model_validate(
        {
            "value": given if value is None else value,
            "kind": kind,
            "seen": bool(by),
            "first": _hour(min((one.first for one in by), default=None)),
            "last": _hour(max((one.last for one in by), default=None)),
            "hours": max((one.hours for one in by), default=0),
            "sensors": tuple(
                SensorSightings(
                    sensor=one.sensor,
                    first=timestamp(one.first * _HOUR),
                    last=timestamp(one.last * _HOUR),
                    hours=one.hours,
                )
                for one in by
            ),
        }
    )


def _extent(extent: Extent, *, enabled: bool) -> MemoryExtent:
    return MemoryExtent(
        enabled=enabled,
        since=None if extent.since is None else timestamp(extent.since),
        forgotten=extent.forgotten,
        forgotten_until=_hour(extent.forgotten_until),
    )


def _hour(hour: int | None) -> str | None:
    return None if hour is None else timestamp(hour * _HOUR)
