"""AlienVault OTX: pulses as its interface gives them, alone or a page of them (`results`)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import msgspec
import orjson

from feeds import streams
from feeds.archives import Document
from feeds.entry import Entry, Origin, refused
from feeds.formats import moments, values
from feeds.formats.format import Format, Options
from feeds.formats.making import Said, entries
from trailhound.errors import SourceError, TrailError
from trailhound.trail import TrailClass, TrailKind

_KINDS: Mapping[str, TrailKind] = {
    "IPv4": TrailKind.IPV4,
    "IPv6": TrailKind.IPV6,
    "CIDR": TrailKind.CIDR,
    "domain": TrailKind.DOMAIN,
    "hostname": TrailKind.DOMAIN,
    "URL": TrailKind.URL,
    "URI": TrailKind.PATH,
    "email": TrailKind.EMAIL,
    "FileHash-MD5": TrailKind.FILE_MD5,
    "FileHash-SHA1": TrailKind.FILE_SHA1,
    "FileHash-SHA256": TrailKind.FILE_SHA256,
    "SSLCertFingerprint": TrailKind.CERT_SHA1,
    "JA3": TrailKind.JA3,
}
# What nothing in a log of connections can meet.
_PASSED_OVER = frozenset(
    {"YARA", "Mutex", "CVE", "FilePath", "FileHash-PEHASH", "FileHash-IMPHASH", "BitcoinAddress", "osquery"}
)
_ROLES: Mapping[str, TrailClass] = {
    "bruteforce": TrailClass.ATTACKER,
    "command_and_control": TrailClass.C2,
    "exploit_kit": TrailClass.EXPLOIT,
    "exploit_source": TrailClass.EXPLOIT,
    "malware_hosting": TrailClass.MALWARE,
    "phishing": TrailClass.PHISHING,
    "scanning_host": TrailClass.SCANNER,
    "trojan": TrailClass.MALWARE,
    "web_attack": TrailClass.ATTACKER,
}


def read(documents: Iterable[Document], origin: Origin, options: Any) -> Iterator[Entry]:
    """Read the indicators that are active; the pulse gives the name and the reference, the role the class."""
    del options
    for document in documents:
        try:
            content = orjson.loads(streams.whole(document))
        except orjson.JSONDecodeError as error:
            raise SourceError(f"{document.place}: this is no JSON: {error}") from error
        pulses = content.get("results", [content]) if isinstance(content, dict) else content
        if not isinstance(pulses, list) or not all(
            isinstance(one, dict) and isinstance(one.get("indicators"), list) for one in pulses
        ):
            raise SourceError(f"{document.place}: expected pulses, each with its `indicators`")
        number = 0
        for pulse in pulses:
            for item in pulse["indicators"]:
                number += 1
                yield from _indicator(item if isinstance(item, dict) else {}, pulse, origin, number)


def _indicator(item: Mapping[str, Any], pulse: Mapping[str, Any], origin: Origin, number: int) -> Iterator[Entry]:
    text, type_ = str(item.get("indicator") or ""), str(item.get("type") or "")
    if type_ in _PASSED_OVER or item.get("is_active") in (0, False):
        return
    try:
        found = values.of_kind(text, _kind(type_))
        first, expires = (moments.seconds(str(item.get(key) or "")) for key in ("created", "expiration"))
    except TrailError as error:
        yield refused(origin, number, text, str(error))
        return
    said = Said(
        _name(pulse),
        _ROLES.get(str(item.get("role") or "").lower().replace(" ", "_")),
        reference=_link(pulse),
        first_seen=first,
        expires=expires,
    )
    yield from entries(found, said, origin, number, text)


def _kind(type_: str) -> TrailKind:
    kind = _KINDS.get(type_)
    if kind is None:
        raise TrailError(f"{type_[:40]!r} is a type that no trail has")
    return kind


def _name(pulse: Mapping[str, Any]) -> str:
    """Give the malware family when the pulse names just one, or else what the pulse is called."""
    families = pulse.get("malware_families")
    if isinstance(families, list) and len(families) == 1:
        family = families[0]
        name = family.get("display_name") if isinstance(family, dict) else family
        if name:
            return str(name)
    return str(pulse.get("name") or "")


def _link(pulse: Mapping[str, Any]) -> str:
    references = pulse.get("references")
    links = [str(one) for one in references if str(one).startswith("http")] if isinstance(references, list) else []
    pulse_id = str(pulse.get("id") or "")
    return links[0] if links else f"https://otx.alienvault.com/pulse/{pulse_id}" if pulse_id.isalnum() else ""


class OtxOptions(Options, frozen=True, kw_only=True):
    """`days` is how many days back pulses may have been changed, 0 for all. `page` is how many come at once."""

    days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 0
    page: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 50


FORMAT = Format(read, "pulses of AlienVault OTX", OtxOptions, suffixes=frozenset({".json"}))
