"""What a MISP event and its tags say of an attribute: the threat, the class, how sure, since when; which are wanted."""

import re
from collections.abc import Mapping
from typing import Any

from feeds.classes import rate
from feeds.entry import Origin
from feeds.formats import moments
from feeds.formats.format import Options
from feeds.formats.making import Said
from trailhound.errors import TrailError
from trailhound.trail import TrailClass

# Galaxies whose clusters are names of malware, the most telling first; then those of groups.
_GALAXIES = (
    "malpedia", "ransomware", "botnet", "rat", "stealer", "banker", "backdoor", "mitre-malware", "tool", "exploit-kit",
    "threat-actor", "mitre-intrusion-set",
)  # fmt: skip
_CLUSTER = re.compile(r'misp-galaxy:([a-z0-9-]+)="([^"]+)"')
_TECHNIQUE = re.compile(r"\s+-\s+[GS]\d{4}$")
_CONFIDENCE: Mapping[str, int] = {
    'misp:confidence-level="completely-confident"': 100,
    'misp:confidence-level="usually-confident"': 75,
    'misp:confidence-level="fairly-confident"': 50,
    'misp:confidence-level="rarely-confident"': 25,
    'misp:confidence-level="unconfident"': 0,
    'estimative-language:confidence-in-analytic-judgment="high"': 95,
    'estimative-language:confidence-in-analytic-judgment="moderate"': 55,
    'estimative-language:confidence-in-analytic-judgment="low"': 25,
    'false-positive:risk="low"': 80,
    'false-positive:risk="medium"': 50,
    'false-positive:risk="high"': 20,
}
_CLASSES: Mapping[str, TrailClass] = {
    'circl:incident-classification="phishing"': TrailClass.PHISHING,
    'circl:incident-classification="malware"': TrailClass.MALWARE,
    'circl:incident-classification="scan"': TrailClass.SCANNER,
    'ecsirt:malicious-code="c&c"': TrailClass.C2,
    'ecsirt:malicious-code="ransomware"': TrailClass.MALWARE,
    'ecsirt:fraud="phishing"': TrailClass.PHISHING,
    'ecsirt:information-gathering="scanner"': TrailClass.SCANNER,
    'rsit:malicious-code="c2-server"': TrailClass.C2,
    'rsit:fraud="phishing"': TrailClass.PHISHING,
    "kill-chain:command and control": TrailClass.C2,
    "kill-chain:Command and Control": TrailClass.C2,
}


class MispOptions(Options, frozen=True, kw_only=True):
    """`to_ids` reads only attributes meant for detection. `types` are the types read, all that can be a trail if none.

    `tags` are those of which an event has one, `without_tags` those that neither event nor attribute has. `published`
    reads only published events; `since` only those of that day (2024-01-31) or later.
    """

    to_ids: bool = True
    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    published: bool = False
    since: str = ""

    def __post_init__(self) -> None:
        try:
            moments.seconds(self.since)
        except TrailError as error:
            raise ValueError(f"since = {self.since!r}; expected a day such as 2024-01-31") from error


def wanted_event(event: Mapping[str, Any], options: MispOptions) -> bool:
    """Tell by an event, or by what the manifest says of it, whether it is read."""
    if options.published and event.get("published") is False:
        return False
    if options.since and str(event.get("date") or "") < options.since:
        return False
    tags = tags_of(event)
    return (not options.tags or not tags.isdisjoint(options.tags)) and tags.isdisjoint(options.without_tags)


def tags_of(holder: Mapping[str, Any]) -> frozenset[str]:
    tags = holder.get("Tag")
    return (
        frozenset(str(tag.get("name")) for tag in tags if isinstance(tag, dict))
        if isinstance(tags, list)
        else frozenset()
    )


def said(attribute: Mapping[str, Any], event: Mapping[str, Any], origin: Origin) -> Said:
    own, all_ = tags_of(attribute), tags_of(event)
    tags = sorted(own) + sorted(all_ - own)
    info = _threat(tags) or str(event.get("info") or "")
    confidence = min((_CONFIDENCE[tag] for tag in tags if tag in _CONFIDENCE), default=None)
    return Said(info, _class(attribute, tags, info, origin), confidence, _link(event), _first_seen(attribute))


def _threat(tags: list[str]) -> str:
    """Give the name of the malware or group when the tags name one; several say nothing of a single value."""
    clusters = [match.groups() for tag in tags if (match := _CLUSTER.fullmatch(tag))]
    for galaxy in _GALAXIES:
        names = {_TECHNIQUE.sub("", name) for known, name in clusters if known == galaxy}
        if len(names) == 1:
            return names.pop()
    return ""


def _class(attribute: Mapping[str, Any], tags: list[str], info: str, origin: Origin) -> TrailClass:
    tagged = next((_CLASSES[tag] for tag in tags if tag in _CLASSES), None)
    if tagged is not None:
        return tagged
    words = f"{attribute.get('comment') or ''} {attribute.get('object_relation') or ''}"
    if rate(words).class_ is TrailClass.C2 and attribute.get("category") == "Network activity":
        return TrailClass.C2
    return origin.class_ or rate(info).class_


def _link(event: Mapping[str, Any]) -> str:
    """Give the report that the event was made from, if it names one."""
    attributes = event.get("Attribute")
    for one in attributes if isinstance(attributes, list) else ():
        if isinstance(one, dict) and one.get("type") == "link" and str(one.get("value")).startswith("http"):
            return str(one["value"])
    return ""


def _first_seen(attribute: Mapping[str, Any]) -> int | None:
    """Give when the value was first seen, or else when it was written down."""
    for key in ("first_seen", "timestamp"):
        try:
            moment = moments.seconds(str(attribute.get(key) or ""))
        except TrailError:
            continue
        if moment is not None and moment > 0:
            return moment
    return None
