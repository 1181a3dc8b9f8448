"""Vertical scans that take their time: a port every few minutes, so that no short window holds them.

Off by default: it costs as much as `port-scan` again, and tells fast scans a second time.
"""

from pydantic import Field

from matchers.findings import Technique, Thresholds
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.tries import COLUMNS, Kind
from matchers.heuristics.vertical import Vertical


class SlowPortScan(Thresholds):
    """From where on tries are a slow scan."""

    ports: int = Field(
        default=20,
        ge=2,
        le=1000,
        description="More distinct ports than these that were tried in vain; in an hour a client meets more of them"
        " than in half a minute.",
    )
    seconds: int = Field(
        default=3600, ge=60, le=86_400, description="Within so many seconds; longer windows hold more hosts in memory."
    )


def _start(thresholds: SlowPortScan, surroundings: Surroundings) -> Vertical:
    return Vertical((Kind.TCP, Kind.STEALTH), "TCP", thresholds.ports, thresholds.seconds, surroundings)


SLOW_PORT_SCAN = Heuristic(
    name="slow-port-scan",
    title="potential slow port scanning",
    about="One host tries many TCP ports of another in vain within an hour.",
    reads={"conn": COLUMNS},
    technique=Technique("T1046", "Network Service Discovery", "Discovery"),
    thresholds=SlowPortScan,
    start=_start,
    false_positives=(
        "Vulnerability scanners and monitoring of the site's own",
        "Clients of a service with dynamic ports (FTP, RPC, NFS) that a firewall refuses",
    ),
    silence="Mute `slow-port-scan` for the address of the scanner, or whitelist it.",
    blind="Scans slower than the window; in a storm of scans, those that are forgotten between two tries.",
    enabled=False,
)
