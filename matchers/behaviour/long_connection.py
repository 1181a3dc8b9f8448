"""Connections that last for hours: tunnels, remote control, implants that do not hang up."""

from pydantic import Field

from matchers.behaviour.behaviour import Behaviour
from matchers.findings import Technique, Thresholds


class LongConnection(Thresholds):
    """From where on a connection is long."""

    hours: float = Field(
        default=4, ge=0.1, le=240, description="So many hours at least: sessions of people are shorter, mostly."
    )
    hosts_percent: float = Field(
        default=10,
        ge=0,
        le=100,
        description="Servers to which more than so many of a hundred hosts of the site (and more than three) hold such"
        " connections are a service of everybody's.",
    )


LONG_CONNECTION = Behaviour(
    name="long-connection",
    title="long connection",
    about="A host of the site holds a connection abroad for hours, other than for mail, push messages or a usual VPN.",
    reads={
        "conn": ("id.orig_h", "id.resp_h", "id.resp_p", "proto", "conn_state", "duration", "orig_bytes", "resp_bytes")
    },
    analysis="matchers.behaviour.analyses.volume:long_connections",
    technique=Technique("T1572", "Protocol Tunneling", "Command and Control"),
    thresholds=LongConnection,
    false_positives=("Remote work over SSH", "Video calls", "Services that push messages on ports of their own"),
    silence="Mute `long-connection` for the address of the server, or raise `hours`.",
    blind="Zeek and Suricata log a connection when it ends: one that is still open is not seen, unless the sensor logs"
    " open connections too (zeek-long-connections).",
)
