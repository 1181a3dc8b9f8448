"""Vertical scans over TCP: one host tries many ports of another within a short time.

conn.log has a row for each try, whatever became of it: S0 when nothing answered, REJ when it was refused, RSTO when an
open port was let go without a word, and for the stealth scans of nmap (FIN, XMAS, NULL) states of their own.
"""

from pydantic import Field

from matchers.findings import Technique, Thresholds
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.tries import COLUMNS, Kind
from matchers.heuristics.vertical import Vertical


class PortScan(Thresholds):
    """From where on tries are a scan."""

    ports: int = Field(
        default=10,
        ge=2,
        le=1000,
        description="More distinct ports than these that were tried in vain; ordinary clients stay under five.",
    )
    seconds: int = Field(default=30, ge=1, le=3600, description="Within so many seconds, as fast scans are.")


def _start(thresholds: PortScan, surroundings: Surroundings) -> Vertical:
    return Vertical((Kind.TCP, Kind.STEALTH), "TCP", thresholds.ports, thresholds.seconds, surroundings)


PORT_SCAN = Heuristic(
    name="port-scan",
    title="potential port scanning",
    about="One host tries many TCP ports of another in vain within a short time; told again at each tenfold.",
    reads={"conn": COLUMNS},
    technique=Technique("T1046", "Network Service Discovery", "Discovery"),
    thresholds=PortScan,
    start=_start,
    false_positives=(
        "Vulnerability scanners and monitoring of the site's own",
        "Clients of a service with dynamic ports (FTP, RPC, NFS) that a firewall refuses",
    ),
    silence="Mute `port-scan` for the address of the scanner, or whitelist it.",
    blind="Scans slower than the window (see `slow-port-scan`) or spread over many sources; scans that a firewall"
    " before the sensor drops; ACK scans, which look like connections picked up in the middle; Suricata without logs of"
    " unanswered flows.",
)
