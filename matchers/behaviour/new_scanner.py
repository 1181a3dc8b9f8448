"""New scanners inside: a host of the site knocks at many others, slowly, as it never did."""

from pydantic import Field

from matchers.behaviour.behaviour import Behaviour
from matchers.findings import Technique, Thresholds


class NewScanner(Thresholds):
    """From where on a host is a scanner."""

    hosts: int = Field(
        default=20,
        ge=3,
        le=10_000,
        description="So many hosts of the site where nobody answered on one port, at least.",
    )
    failed_percent: float = Field(
        default=60, ge=1, le=100, description="So many of a hundred hosts that were tried did not answer, at least."
    )


NEW_SCANNER = Behaviour(
    name="new-scanner",
    title="new scanner inside the site",
    about="A host of the site tries one port of many others of the site over the window, most of which do not answer."
    " Whoever did so on a day before is known, and not reported again. The fast ones are found in the loop.",
    reads={"conn": ("id.orig_h", "id.resp_h", "id.resp_p", "proto", "conn_state", "orig_bytes", "resp_bytes")},
    analysis="matchers.behaviour.analyses.volume:new_scanners",
    technique=Technique("T1046", "Network Service Discovery", "Discovery"),
    thresholds=NewScanner,
    false_positives=("Inventories and monitoring that are new", "Hosts that look for a server that has moved"),
    silence="Mute `new-scanner` for the address of the scanner, or raise `hosts`.",
    blind="Sensors that see only what crosses a router; flows without states.",
)
