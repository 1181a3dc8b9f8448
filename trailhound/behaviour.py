"""Settings of behaviours: what shows only over hours, looked for beside the loop."""

from pydantic import BaseModel, ConfigDict, Field


class BehaviourSettings(BaseModel):
    """What shows only over hours: beacons, long connections, data leaving, tunnels. On only if heuristics are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        default=True,
        description="Whether records are collected and looked through for behaviour. Each behaviour is switched, muted"
        " and given its thresholds under `heuristics`, as all heuristics are.",
    )
    every_minutes: float = Field(
        default=10,
        gt=0,
        le=1440,
        description="How often the window is looked through, by a process of its own that ends with that.",
    )
    window_hours: float = Field(
        default=24, ge=1, le=168, description="How many hours of records are looked through, by their own time."
    )
    max_rows: int = Field(
        default=10_000_000,
        ge=10_000,
        le=100_000_000,
        description="How many records are looked through at most, the newest. Ten million take about 1.4 GB of memory"
        " while they are, and 400 MB of disk.",
    )
    spool_megabytes: int = Field(
        default=512,
        ge=1,
        le=65_536,
        description="Room in the state directory for records that wait to be looked through; what finds none is left"
        " out, and counted.",
    )
    max_seconds: float = Field(
        default=600, ge=10, le=86_400, description="How long looking through may take, until it is given up."
    )
