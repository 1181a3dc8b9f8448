"""intel.log: indicators of Zeek's own intelligence framework that were seen. The trail is what was seen."""

from collections.abc import Iterator, Mapping
from typing import Any

from matchers.detectors.detector import UNRATED, Detector
from matchers.observer import Observer, Sight, Sighting
from matchers.rules import Meeting
from trailhound import canonical
from trailhound.canonical import Indicator
from trailhound.errors import TrailError
from trailhound.record import Record
from trailhound.trail import Trail, TrailClass, TrailKind
from trailhound.zeek_intel import kind_of

# Zeek's places -> where such a value stands in ECS.
_ROLES: Mapping[str, str] = {
    "Conn::IN_ORIG": "source.ip",
    "Conn::IN_RESP": "destination.ip",
    "DNS::IN_REQUEST": "dns.question.name",
    "DNS::IN_RESPONSE": "dns.answers.data",
    "HTTP::IN_HOST_HEADER": "url.domain",
    "HTTP::IN_REFERRER_HEADER": "http.request.referrer",
    "HTTP::IN_URL": "url.original",
    "HTTP::IN_USER_AGENT_HEADER": "user_agent.original",
    "HTTP::IN_X_FORWARDED_FOR_HEADER": "client.ip",
    "SSL::IN_SERVER_NAME": "tls.client.server_name",
    "X509::IN_CERT": "tls.server.x509.alternative_names",
    "SMTP::IN_MAIL_FROM": "email.from.address",
    "SMTP::IN_FROM": "email.from.address",
    "SMTP::IN_RCPT_TO": "email.to.address",
    "SMTP::IN_TO": "email.to.address",
    "SMTP::IN_CC": "email.cc.address",
    "SMTP::IN_REPLY_TO": "email.reply_to.address",
    "Files::IN_NAME": "file.name",
    "SMB::IN_FILE_NAME": "file.name",
}
_SEEN = "zeek.intel.seen.indicator"
# A hash stands where hashes of its kind stand, wherever Zeek met it.
_HASHES: Mapping[TrailKind, str] = {
    TrailKind.FILE_MD5: "file.hash.md5",
    TrailKind.FILE_SHA1: "file.hash.sha1",
    TrailKind.FILE_SHA256: "file.hash.sha256",
    TrailKind.CERT_SHA1: "tls.server.hash.sha1",
    TrailKind.CERT_SHA256: "tls.server.hash.sha256",
}
# Types that no list of ours has.
_OWN = {"FILE_NAME": TrailKind.FILE_NAME, "USER_NAME": TrailKind.USER_NAME, "PUBKEY_HASH": TrailKind.PUBKEY_HASH}
_AGREEING = 15  # What each further source adds to the confidence.
_SUREST = 95


def _detected(record: Record) -> Meeting | None:
    found = _indicator(record)
    if found is None:
        return None
    sources = tuple(record.texts("sources")) or ("Zeek intel",)
    confidence = min(_SUREST, UNRATED + _AGREEING * (len(sources) - 1))
    # An intelligence file says no class; whoever lists a value there means a threat.
    trail = Trail(found.kind, found.value, ", ".join(sources), TrailClass.MALWARE, sources, "", confidence)
    return Meeting(Sighting(Sight.DETECTION, found.value, _role(record, found)), trail, found.value)


def _indicator(record: Record) -> Indicator | None:
    """Read what was seen; of a type that is not Zeek's, or that it does not fit, it is kept as it stands."""
    text = (record.text("seen.indicator") or "").strip()[: canonical.MAX_TEXT]
    type_ = record.text("seen.indicator_type") or ""
    if not text:
        return None
    own = _OWN.get(type_.removeprefix("Intel::"))
    if own is not None:
        return Indicator(own, text)
    try:
        return canonical.indicator(kind_of(type_, text), text)
    except TrailError:
        return Indicator(TrailKind.OTHER, text)


def _role(record: Record, found: Indicator) -> str:
    return _HASHES.get(found.kind) or _ROLES.get(record.text("seen.where") or "", _SEEN)


def _observe(_: Record) -> Iterator[Sighting]:
    """See nothing: what was seen is the event itself, and the connection stands in the log of its protocol."""
    yield from ()


def _derive(record: Record) -> dict[str, Any]:
    found = _indicator(record)
    role = _role(record, found) if found is not None else _SEEN
    if found is None or role in (_SEEN, "source.ip", "destination.ip"):
        return {}
    return {role: found.value}


ZEEK_INTEL = Detector(
    name="zeek-intel",
    file="intel.log",
    observer=Observer(
        log="intel",
        probes={},
        observe=_observe,
        derive=_derive,
        ecs={
            "file.mime_type": "file_mime_type",
            "zeek.intel.seen.indicator": "seen.indicator",
            "zeek.intel.seen.indicator_type": "seen.indicator_type",
            "zeek.intel.seen.where": "seen.where",
            "zeek.intel.matched": "matched",
            "zeek.intel.sources": "sources",
        },
    ),
    detected=_detected,
)
