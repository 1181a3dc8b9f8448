"""Settings of heuristics: which are on, from where on they fire, and what the site does not want to hear of."""

import ipaddress
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise ValueError(f"{text!r} is no address and no network, such as 192.0.2.1 or 10.0.0.0/8") from None


_Network = Annotated[str, AfterValidator(_network)]


class Mute(BaseModel):
    """What is not to be heard of: all that is said here must hold for a finding to be muted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str = Field(default="", description="Name of a heuristic; all of them when it is not said.")
    source: _Network | None = Field(default=None, description="Address or network that the record came from.")
    destination: _Network | None = Field(default=None, description="Address or network that the record went to.")
    value: str = Field(default="", max_length=4096, description="Name, address or URL that was found.")
    below: int = Field(default=0, ge=0, le=101, description="Findings with a score below this.")
    until: AwareDatetime | None = Field(default=None, description="Until when, by the time of the record.")
    reason: str = Field(default="", max_length=1024, description="Why, for whoever reads this later.")


class HeuristicsSettings(BaseModel):
    """What no indicator knows: scans, tunnels, generated names, exploits, beacons."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(default=True, description="Whether heuristics look at records at all.")
    disabled: tuple[str, ...] = Field(
        default=(), description="Heuristics that are off, by name; `trailhound rules list` names all."
    )
    also: tuple[str, ...] = Field(
        default=(), description="Heuristics that are on though they are off by default, by name."
    )
    slack_seconds: float = Field(
        default=300,
        ge=0,
        le=86_400,
        description="How late a record may come after others of its time: conn.log is written when connections end.",
    )
    thresholds: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description="Thresholds by heuristic and name, in place of the defaults; `trailhound rules explain NAME` says"
        " which there are, and why they are what they are.",
    )
    mute: tuple[Mute, ...] = Field(default=(), max_length=10_000, description="What is not to be heard of.")


def micros(moment: datetime) -> int:
    """Give a moment in microseconds since the epoch."""
    return round(moment.timestamp() * 1_000_000)
