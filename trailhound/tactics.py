"""Tactics of MITRE ATT&CK in the order in which attacks mostly go, and the tactic that each class of trail stands for.

What a heuristic finds has the tactic of its technique; what a trail meets has that of the trail's class.
"""

from collections.abc import Mapping

from trailhound.trail import TrailClass

# The matrix for enterprises, version 17, with one change: what malware calls its master for comes after the call.
TACTICS = (
    "Reconnaissance",
    "Resource Development",
    "Initial Access",
    "Execution",
    "Persistence",
    "Privilege Escalation",
    "Defense Evasion",
    "Command and Control",
    "Credential Access",
    "Discovery",
    "Lateral Movement",
    "Collection",
    "Exfiltration",
    "Impact",
)
# Read for a host of the site as the source: it fell for a phish, runs malware, calls its master. None: it says nothing
# of how far an attack has come.
OF_CLASS: Mapping[TrailClass, str | None] = {
    TrailClass.MALWARE: "Execution",
    TrailClass.C2: "Command and Control",
    TrailClass.PHISHING: "Initial Access",
    TrailClass.EXPLOIT: "Initial Access",
    TrailClass.ATTACKER: "Initial Access",
    TrailClass.SCANNER: "Reconnaissance",
    TrailClass.SPAM: "Initial Access",
    TrailClass.ANONYMIZER: "Command and Control",
    TrailClass.SUSPICIOUS: None,
    TrailClass.POLICY: None,
    TrailClass.SINKHOLE: "Command and Control",
    TrailClass.PARKED: None,
    TrailClass.HEURISTIC: None,
}
_PLACES = {tactic: place for place, tactic in enumerate(TACTICS)}


def place(tactic: str | None) -> int | None:
    """Tell how far along an attack a tactic stands, from 0; None for what is no tactic."""
    return _PLACES.get(tactic) if tactic is not None else None
