"""Settings of the observable memory: which names, addresses and hashes were ever seen in traffic."""

from pydantic import BaseModel, ConfigDict, Field


class Observables(BaseModel):
    """What is remembered of traffic that met no trail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        default=False,
        description="Whether `trailhound run` remembers every name, address and hash (of files and certificates, JA3,"
        " JA4) in the logs, with the first and last hour and by which sensors, so that one can ask later whether it was"
        " ever seen. Takes a tenth to a quarter of the time of reading.",
    )
    max_rows: int = Field(
        default=2_000_000,
        ge=1000,
        le=100_000_000,
        description="How many are remembered at most, one for each value and sensor; those not seen for longest are"
        " forgotten first. A million takes about 100 MB of disk.",
    )
