"""An event in CEF (ArcSight's Common Event Format, revision 25), which most SIEMs read."""

import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trailhound import __version__

_SEVERITIES = {"low": 3, "medium": 5, "high": 8, "critical": 10}
_DIRECTIONS = {"inbound": 0, "outbound": 1}
# Line ends, and whatever else could end a line or upset a terminal on the way.
_CONTROL = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONGEST = 1023


def to_cef(document: Mapping[str, Any]) -> str:
    own = document.get("trailhound", {})
    header = (
        "CEF:0",
        "Trailhound",
        "Trailhound",
        __version__,
        _header(own.get("kind")),
        _header(own.get("info")),
        str(_SEVERITIES.get(str(own.get("severity")), 5)),
    )
    pairs = " ".join(f"{name}={_value(value)}" for name, value in _fields(document).items() if value not in (None, ""))
    return f"{'|'.join(header)}|{pairs}"


def _fields(document: Mapping[str, Any]) -> dict[str, Any]:
    own, about, network = (document.get(name, {}) for name in ("trailhound", "event", "network"))
    fields: dict[str, Any] = {
        "externalId": about.get("id"),
        "cat": own.get("class"),
        "start": _millis(about.get("start")),
        "end": _millis(about.get("end")),
        "rt": _millis(about.get("ingested")),
        "cnt": own.get("count"),
        "deviceDirection": _DIRECTIONS.get(str(network.get("direction"))),
        "proto": str(network.get("transport", "")).upper(),
        "app": network.get("protocol"),
        "dvchost": document.get("observer", {}).get("name"),
        "msg": document.get("message"),
        "request": document.get("url", {}).get("full"),
        "requestClientApplication": document.get("user_agent", {}).get("original"),
        "reason": (document.get("threat", {}).get("indicator") or {}).get("reference"),
    }
    fields |= _end(document.get("source", {}), "src", "spt", "c6a2", "Source IPv6 Address")
    fields |= _end(document.get("destination", {}), "dst", "dpt", "c6a3", "Destination IPv6 Address")
    labelled = (
        ("trail", own.get("trail")),
        ("observed", own.get("observed")),
        ("feeds", ", ".join(map(str, own.get("sources") or ()))),
        ("threat", own.get("threat_id")),
        ("direction", network.get("direction")),
    )
    for number, (label, value) in enumerate(labelled, 1):
        if value:
            fields |= {f"cs{number}Label": label, f"cs{number}": value}
    if own.get("confidence") is not None:
        fields |= {"cn1Label": "confidence", "cn1": own["confidence"]}
    return fields


def _end(end: Mapping[str, Any], address: str, port: str, address6: str, label6: str) -> dict[str, Any]:
    """Write one end of a connection; the usual fields are for IPv4 only."""
    fields: dict[str, Any] = {port: end.get("port")}
    try:
        found = ipaddress.ip_address(str(end.get("ip", "")))
    except ValueError:
        return fields
    is_new = isinstance(found, ipaddress.IPv6Address)
    return fields | ({f"{address6}Label": label6, address6: found} if is_new else {address: found})


def _millis(text: object) -> int | None:
    try:
        return int(datetime.fromisoformat(str(text)).timestamp() * 1000)
    except ValueError:
        return None


def _header(value: object) -> str:
    plain = _CONTROL.sub(" ", str(value or "unknown")).replace("\r", " ").replace("\n", " ")
    return plain[:_LONGEST].replace("\\", "\\\\").replace("|", "\\|")


def _value(value: object) -> str:
    plain = _CONTROL.sub(" ", str(value))[:_LONGEST]
    return plain.replace("\\", "\\\\").replace("=", "\\=").replace("\r", "\\r").replace("\n", "\\n")
