"""Pages of domains that the police have seized."""

from matchers.findings import Technique, Thresholds
from matchers.heuristics.exchange import COLUMNS
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.marks import Marks
from trailhound.trail import TrailClass

_SIGNS = {
    "resp_title": r"\bdomain(?: name)? (?:has been |was )?seiz(?:ed|ure)\b|\b(?:web)?site (?:has been |was )?seized\b"
    r"|\bseizure (?:notice|banner)\b"
}


class SeizedDomain(Thresholds):
    """Nothing to set."""


def _start(thresholds: SeizedDomain, surroundings: Surroundings) -> Marks:
    del thresholds
    return Marks(_SIGNS, "that it was seized", 60, TrailClass.SUSPICIOUS, surroundings)


SEIZED_DOMAIN = Heuristic(
    name="seized-domain",
    title="seized domain (suspicious)",
    about="The title of a page says that its domain was seized: what used it before may still run here.",
    reads={"http": (*COLUMNS, *_SIGNS)},
    technique=Technique("T1071.001", "Application Layer Protocol: Web Protocols", "Command and Control"),
    thresholds=SeizedDomain,
    start=_start,
    false_positives=("People who want to see such a page",),
    silence="Mute `seized-domain` for the client, or whitelist the name.",
    blind="Zeek logs no titles of pages unless a script adds `resp_title`; Suricata never does. What is said over TLS.",
)
