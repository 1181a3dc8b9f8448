"""Strobes: very many connections of one host to one server, without a pause."""

from pydantic import Field

from matchers.behaviour.behaviour import Behaviour
from matchers.findings import Technique, Thresholds


class Strobe(Thresholds):
    """From where on connections are a strobe."""

    connections: int = Field(
        default=10_000, ge=100, le=10_000_000, description="So many to one port of a server in the window, at least."
    )
    per_second: float = Field(
        default=1, gt=0, le=1000, description="So many a second on average, at least: busy clients have pauses."
    )


STROBE = Behaviour(
    name="strobe",
    title="strobe of connections",
    about="A host of the site opens connections to one port of a server abroad without a pause, thousands of them.",
    reads={"conn": ("id.orig_h", "id.resp_h", "id.resp_p", "proto", "conn_state", "orig_bytes", "resp_bytes")},
    analysis="matchers.behaviour.analyses.volume:strobes",
    technique=Technique("T1498", "Network Denial of Service", "Impact"),
    thresholds=Strobe,
    false_positives=("Proxies and gateways that stand for many hosts", "Load tests", "Crawlers"),
    silence="Mute `strobe` for the address of the gateway, or raise `connections`.",
    blind="Name servers (port 53) and clocks (123) are left out: forwarders do little else.",
)
