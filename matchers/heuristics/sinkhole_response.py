"""Answers of sinkholes: whoever gets one asked for a name that malware used, which defenders have taken over."""

from matchers.findings import Technique, Thresholds
from matchers.heuristics.exchange import COLUMNS
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.marks import Marks
from trailhound.trail import TrailClass

_SERVER = r"\bsinkhole|\bsinksoft\b"
_LOCATION = r"\bsinkdns\.org\b|//sinkhole"
_TITLE = r"\bthis is a sinkhole\b|\bsinkholed (?:by|domain)\b|^\s*sinkhole(?:d)?\s*(?:$|[-|:])"
_SIGNS = {
    "resp_server": _SERVER,
    "resp_set_cookie": r"\bsnkz=",
    "resp_location": _LOCATION,
    "resp_sinkhole": ".",
    "resp_title": _TITLE,
    "resp_headers": rf"^x-[sz]inkhole|^server: .*(?:{_SERVER})|^set-cookie: *snkz=|^location: .*(?:{_LOCATION})",
}


class SinkholeResponse(Thresholds):
    """Nothing to set."""


def _start(thresholds: SinkholeResponse, surroundings: Surroundings) -> Marks:
    del thresholds
    return Marks(_SIGNS, "by a sinkhole", 85, TrailClass.SINKHOLE, surroundings)


SINKHOLE_RESPONSE = Heuristic(
    name="sinkhole-response",
    title="sinkhole response (malware)",
    about="An answer says of itself that it is a sinkhole's: the client asked for a name that malware used.",
    reads={"http": (*COLUMNS, *_SIGNS)},
    technique=Technique("T1071.001", "Application Layer Protocol: Web Protocols", "Command and Control"),
    thresholds=SinkholeResponse,
    start=_start,
    false_positives=("Analysts who look at sinkholes",),
    silence="Mute `sinkhole-response` for the client, or whitelist the name.",
    blind="Zeek logs no headers of answers unless a script adds `resp_server`, `resp_set_cookie`, `resp_location`,"
    " `resp_sinkhole` and `resp_title`; Suricata needs `dump-all-headers: response`, and never tells the title of a"
    " page. What is said over TLS.",
)
