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
    return ObservablesAnswer(observables=observables(memory, values), memory=_extent(memory.extent(), enabled=enabled))


def observables(memory: ObservableMemory, values: Sequence[str]) -> tuple[ObservableAnswer, ...]:
    """Tell of each value, in any spelling, when it was seen; one question to the memory for all."""
    meant = [_meant(value.strip()) for value in values]
    found = memory.seen({value for value in meant if value is not None})
    return tuple(
        _observable(given, value, found.get(value or "", ())) for given, value in zip(values, meant, strict=True)
    )


def _meant(text: str) -> str | None:
    return canonical.address(text) or canonical.fingerprint(text) or canonical.name(text)


def _kind(value: str | None) -> str | None:
    if value is None:
        return None
    return "address" if canonical.address(value) else "hash" if canonical.fingerprint(value) else "name"


def _observable(given: str, value: str | None, by: Sequence[Sightings]) -> ObservableAnswer:
    return ObservableAnswer.model_validate(
        {
            "value": given if value is None else value,
            "kind": _kind(value),
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
