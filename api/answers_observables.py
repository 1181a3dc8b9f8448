"""What the API answers with about names, addresses and hashes that were ever seen in traffic."""

from typing import Literal

from pydantic import Field

from api.answer import Answer, Time, example

_TIME = "2026-02-01T12:00:00.000000Z"
_LATER = "2026-02-02T12:00:00.000000Z"
_AT_LEAST = "In how many different hours it was seen, at least."


class SensorSightings(Answer):
    """When one sensor saw a value."""

    sensor: str
    first: Time = Field(description="The beginning of the first hour in which it was seen.")
    last: Time = Field(description="The beginning of the last hour in which it was seen.")
    hours: int = Field(description=_AT_LEAST)


class ObservableAnswer(Answer):
    """Whether a value was ever seen, met it a trail or not."""

    value: str = Field(description="Canonical; as given where it is nothing of the sort.")
    kind: Literal["name", "address", "hash"] | None = Field(
        description="`hash`: of a file, a certificate or a TLS client or server (JA3, JA4); null: it is none of these,"
        " so it cannot have been seen."
    )
    seen: bool
    first: Time | None = Field(description="The beginning of the first hour in which any sensor saw it.")
    last: Time | None = Field(description="The beginning of the last hour in which any sensor saw it.")
    hours: int = Field(description="The most hours in which one sensor saw it.")
    sensors: tuple[SensorSightings, ...]


class MemoryExtent(Answer):
    """How far the memory reaches: only within this does `seen: false` mean that something was not there."""

    enabled: bool = Field(description="Whether this host remembers what it reads (`observables.enabled`).")
    since: Time | None = Field(description="Since when is remembered what is read; null: nothing is remembered yet.")
    forgotten: int = Field(description="Values, of each sensor, that there was no room for (`observables.max_rows`).")
    forgotten_until: Time | None = Field(description="None of those was seen after this hour.")


class ObservablesAnswer(Answer):
    """The values that were asked for, in the order in which they were given, and how far the memory reaches."""

    model_config = example(
        observables=[
            {
                "value": "evil.example", "kind": "name", "seen": True, "first": _TIME, "last": _LATER, "hours": 7,
                "sensors": [{"sensor": "dmz", "first": _TIME, "last": _LATER, "hours": 7}],
            },
        ],
        memory={"enabled": True, "since": _TIME, "forgotten": 12, "forgotten_until": _TIME},
    )  # fmt: skip

    observables: tuple[ObservableAnswer, ...]
    memory: MemoryExtent
