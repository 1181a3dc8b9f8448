"""EVE `alert`: signatures of Suricata's that fired. The rule is the signature."""

from collections.abc import Mapping

from matchers.detectors.detector import UNRATED, Detector, rule_met
from matchers.observers.alert import ALERT
from matchers.rules import Meeting
from trailhound.record import Record
from trailhound.severity import rated
from trailhound.trail import TrailClass

# The categories of Suricata's classification.config, and what they mean; all others are suspicious.
_CLASSES: Mapping[str, TrailClass] = {
    "a network trojan was detected": TrailClass.MALWARE,
    "crypto currency mining activity detected": TrailClass.MALWARE,
    "targeted malicious activity was detected": TrailClass.MALWARE,
    "malware command and control activity detected": TrailClass.C2,
    "domain observed used for c2 detected": TrailClass.C2,
    "possible social engineering attempted": TrailClass.PHISHING,
    "successful credential theft detected": TrailClass.PHISHING,
    "attempted administrator privilege gain": TrailClass.EXPLOIT,
    "attempted user privilege gain": TrailClass.EXPLOIT,
    "executable code was detected": TrailClass.EXPLOIT,
    "exploit kit activity detected": TrailClass.EXPLOIT,
    "successful administrator privilege gain": TrailClass.EXPLOIT,
    "successful user privilege gain": TrailClass.EXPLOIT,
    "web application attack": TrailClass.EXPLOIT,
    "attempt to login by a default username and password": TrailClass.ATTACKER,
    "attempted denial of service": TrailClass.ATTACKER,
    "denial of service": TrailClass.ATTACKER,
    "misc attack": TrailClass.ATTACKER,
    "detection of a denial of service attack": TrailClass.ATTACKER,
    "detection of a network scan": TrailClass.SCANNER,
    "generic icmp event": TrailClass.POLICY,
    "generic protocol command decode": TrailClass.POLICY,
    "inappropriate content was detected": TrailClass.POLICY,
    "misc activity": TrailClass.POLICY,
    "not suspicious traffic": TrailClass.POLICY,
    "possibly unwanted program detected": TrailClass.POLICY,
    "potential corporate privacy violation": TrailClass.POLICY,
}
# What signatures say of how sure they are (`confidence` in their metadata).
CONFIDENCES: Mapping[str, int] = {"high": 90, "medium": 60, "low": 20}


def _detected(record: Record) -> Meeting | None:
    category = record.text("category") or ""
    number = record.text("signature_id")
    return rule_met(
        record.text("signature") or (f"signature {number}" if number else None),
        category or "Suricata alert",
        _CLASSES.get(category.lower(), TrailClass.SUSPICIOUS),
        "Suricata",
        confidence=CONFIDENCES.get((record.text("signature_confidence") or "").lower(), UNRATED),
        rating=rated(record.number("severity"), record.text("signature_severity")),
    )


SURICATA_ALERT = Detector(name="suricata-alert", file="eve.json", observer=ALERT, detected=_detected)
