"""Vertical scans over UDP: one host sends to many ports of another, and hears nothing.

Most of what a scan meets does not answer: a closed port tells by ICMP, an open one waits for a request that it knows.
"""

from pydantic import Field

from matchers.findings import Technique, Thresholds
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.tries import COLUMNS, Kind
from matchers.heuristics.vertical import Vertical


class UdpScan(Thresholds):
    """From where on what was sent is a scan."""

    ports: int = Field(
        default=10,
        ge=2,
        le=1000,
        description="More distinct ports than these that did not answer; ordinary clients stay under five.",
    )
    seconds: int = Field(default=30, ge=1, le=3600, description="Within so many seconds, as fast scans are.")


def _start(thresholds: UdpScan, surroundings: Surroundings) -> Vertical:
    return Vertical((Kind.UDP,), "UDP", thresholds.ports, thresholds.seconds, surroundings)


UDP_SCAN = Heuristic(
    name="udp-scan",
    title="potential udp scanning",
    about="One host sends to many UDP ports of another within a short time, and none answers.",
    reads={"conn": COLUMNS},
    technique=Technique("T1046", "Network Service Discovery", "Discovery"),
    thresholds=UdpScan,
    start=_start,
    false_positives=("Games and calls whose answers the sensor does not see", "Monitoring of the site's own"),
    silence="Mute `udp-scan` for the address of the scanner, or whitelist it.",
    blind="Traffic from a port to higher ones, as servers answer and as `nmap --source-port 53` sends; the ports of"
    " traceroute (33434-33534). UDP is logged a minute after it fell silent.",
)
