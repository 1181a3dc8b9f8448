"""Beacons by address: one host calls one server at regular intervals for hours, as implants ask for orders."""

from pydantic import Field

from matchers.behaviour.behaviour import Behaviour
from matchers.findings import Technique, Thresholds


class Beacon(Thresholds):
    """From where on calls are a beacon."""

    calls: int = Field(
        default=24,
        ge=8,
        le=1000,
        description="So many calls at least: one an hour for a day, and enough for the intervals to be judged.",
    )
    hours: float = Field(
        default=1,
        ge=0.1,
        le=24,
        description="From first to last call, at least: an open page asks as regularly, but is closed before long.",
    )
    together: float = Field(
        default=2, ge=0, le=60, description="Seconds within which calls are one: a page opens several connections."
    )
    score: int = Field(
        default=75, ge=1, le=100, description="From so many of 100 points on: see the parts of a score in an event."
    )
    hosts_percent: float = Field(
        default=10,
        ge=0,
        le=100,
        description="What more than so many of a hundred hosts of the site call (and more than three) is a service of"
        " everybody's.",
    )


BEACON = Behaviour(
    name="beacon",
    title="regular calls to one server (beacon)",
    about="A host of the site calls a server abroad at regular intervals for hours, with jitter of up to a half."
    " Intervals (their spread and the share near their median), sizes, how long it lasts, and how few hosts of the site"
    " do so make the score. Calls for which the logs have a name are `named-beacon`'s.",
    reads={
        "conn": ("id.orig_h", "id.resp_h", "id.resp_p", "proto", "conn_state", "orig_bytes", "resp_bytes"),
        "http": ("id.orig_h", "id.resp_h", "host"),
        "ssl": ("id.orig_h", "id.resp_h", "server_name"),
    },
    analysis="matchers.behaviour.analyses.beacon:by_address",
    technique=Technique("T1071", "Application Layer Protocol", "Command and Control"),
    thresholds=Beacon,
    false_positives=(
        "Agents of monitoring and backup",
        "VPN and push services",
        "Clients of games and of mining pools",
    ),
    silence="Mute `beacon` for the address of the server or of the host, or raise `score`.",
    blind="Implants that hold one connection open (see `long-connection`), that wait for days between calls, or that"
    " vary intervals by more than a half.",
)
