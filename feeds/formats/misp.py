"""MISP: events as feeds, exports and the interface give them, and the manifest that says which events a feed has.

What an attribute is for is said by `to_ids`; one that MISP's own warning lists know as harmless is refused.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import orjson

from feeds import streams
from feeds.archives import Document
from feeds.entry import Entry, Origin, Refused, refused
from feeds.formats import values
from feeds.formats.format import Format
from feeds.formats.making import entries
from feeds.formats.misp_says import MispOptions, said, tags_of, wanted_event
from trailhound.canonical import Indicator
from trailhound.errors import SourceError, TrailError
from trailhound.trail import TrailKind as Kind

MANIFEST = "manifest.json"
# Beside the manifest: MD5 sums of values, for looking values up without reading events, and a signature.
_BESIDE = frozenset({MANIFEST, "hashes.csv"})
# Of a composite value, the kind of each part; None is a part that says nothing alone.
_TYPES: Mapping[str, tuple[Kind | None, ...]] = {
    "domain": (Kind.DOMAIN,),
    "hostname": (Kind.DOMAIN,),
    "hostname|port": (Kind.DOMAIN, None),
    "domain|ip": (Kind.DOMAIN, Kind.IPV4),
    "ip": (Kind.IPV4,),
    "ip-src": (Kind.IPV4,),
    "ip-dst": (Kind.IPV4,),
    "ip-src|port": (Kind.IP_PORT,),
    "ip-dst|port": (Kind.IP_PORT,),
    "url": (Kind.URL,),
    "uri": (Kind.PATH,),
    "user-agent": (Kind.USER_AGENT,),
    "email": (Kind.EMAIL,),
    "email-src": (Kind.EMAIL,),
    "email-dst": (Kind.EMAIL,),
    "md5": (Kind.FILE_MD5,),
    "sha1": (Kind.FILE_SHA1,),
    "sha256": (Kind.FILE_SHA256,),
    "filename|md5": (None, Kind.FILE_MD5),
    "filename|sha1": (None, Kind.FILE_SHA1),
    "filename|sha256": (None, Kind.FILE_SHA256),
    "malware-sample": (None, Kind.FILE_MD5),
    "x509-fingerprint-sha1": (Kind.CERT_SHA1,),
    "x509-fingerprint-sha256": (Kind.CERT_SHA256,),
    "ja3-fingerprint-md5": (Kind.JA3,),
    "ja3s-fingerprint-md5": (Kind.JA3S,),
    "ja4": (Kind.JA4,),
}


def read(documents: Iterable[Document], origin: Origin, options: MispOptions) -> Iterator[Entry]:
    """Read events. A document that is none is refused and the others are read; when none is one, that is an error.

    Where a manifest comes first, an event that it does not name has been withdrawn and is not read.
    """
    listed: frozenset[str] | None = None
    troubles: list[SourceError] = []
    is_any = False
    for document in documents:
        name = PurePosixPath(document.path).name
        if name == MANIFEST:
            listed = frozenset(members(streams.whole(document), options, document.place))
        elif name not in _BESIDE and (listed is None or name in listed):
            try:
                events = _events_of(document)
            except SourceError as error:
                troubles.append(error)
                yield Refused(document.place, 0, "", str(error))
                continue
            is_any = True
            yield from _read_events(events, origin, options)
    if troubles and not is_any:
        raise troubles[0]


def members(manifest: bytes, options: MispOptions, place: str = MANIFEST) -> tuple[str, ...]:
    """Give the names of the documents of a feed that the options want, in the order of names.

    Raises `SourceError` when this is no manifest.
    """
    listed = _parsed(manifest, place)
    if not isinstance(listed, dict) or not all(isinstance(event, dict) for event in listed.values()):
        raise SourceError(f"{place}: this is no manifest of a MISP feed; expected an object of events by their UUID")
    return tuple(
        sorted(f"{uuid}.json" for uuid, event in listed.items() if _is_uuid(uuid) and wanted_event(event, options))
    )


def _is_uuid(text: str) -> bool:
    """Tell whether a name is one; another could lead out of the folder."""
    return len(text) == 36 and all(char in "0123456789abcdefABCDEF-" for char in text)


def _events_of(document: Document) -> list[dict[str, Any]]:
    """Give the events of a document. Raises `SourceError` when it is not MISP's; a search may have found nothing."""
    content = _parsed(streams.whole(document), document.place)
    events = list(_events(content))
    if not events and content not in ([], {"response": []}):
        raise SourceError(f"{document.place}: no event of MISP is in it; expected `Event` or `response`")
    return events


def _read_events(events: Iterable[dict[str, Any]], origin: Origin, options: MispOptions) -> Iterator[Entry]:
    number = 0
    for event in events:
        if wanted_event(event, options):
            for attribute in _attributes(event):
                number += 1
                yield from _attribute(attribute, event, origin, options, number)


def _parsed(data: bytes, place: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise SourceError(f"{place}: this is no JSON: {error}") from error


def _events(content: Any) -> Iterator[dict[str, Any]]:
    """Give the events in whatever MISP wraps them, and bare attributes as an event without a name."""
    if isinstance(content, list):
        for one in content:
            yield from _events(one)
    elif isinstance(content, dict):
        if isinstance(content.get("Event"), dict) and "value" not in content:
            yield content["Event"]
        elif "response" in content:
            yield from _events(content["response"])
        elif isinstance(content.get("Attribute"), list) or isinstance(content.get("Object"), list):
            yield content


def _attributes(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    objects = event.get("Object")
    holders = [event, *(objects if isinstance(objects, list) else ())]
    for holder in holders:
        if isinstance(holder, dict) and not holder.get("deleted") and isinstance(holder.get("Attribute"), list):
            yield from (one for one in holder["Attribute"] if isinstance(one, dict))


def _attribute(
    attribute: Mapping[str, Any], event: Mapping[str, Any], origin: Origin, options: MispOptions, number: int
) -> Iterator[Entry]:
    kinds = _TYPES.get(str(attribute.get("type")))
    if kinds is None or not _is_wanted(attribute, options):
        return
    text = str(attribute.get("value") or "")
    warning = _warning(attribute)
    if warning:
        yield refused(origin, number, text, f"on MISP's warning list {warning!r}")
        return
    words = said(attribute, event, origin)
    for kind, part in zip(kinds, _parts(text, kinds), strict=False):
        if kind is None:
            continue
        try:
            found: tuple[Indicator, ...] = values.of_kind(part, kind)
        except TrailError as error:
            yield refused(origin, number, part, str(error))
        else:
            yield from entries(found, words, origin, number, part)


def _is_wanted(attribute: Mapping[str, Any], options: MispOptions) -> bool:
    if attribute.get("deleted") or (options.to_ids and not attribute.get("to_ids")):
        return False
    if options.types and attribute.get("type") not in options.types:
        return False
    return not tags_of(attribute) & set(options.without_tags)


def _parts(text: str, kinds: tuple[Kind | None, ...]) -> tuple[str, ...]:
    """Cut a composite value at its bar; an address and a port are one value."""
    if kinds == (Kind.IP_PORT,):
        host, _, port = text.rpartition("|")
        return (f"[{host}]:{port}" if ":" in host else f"{host}:{port}",)
    # A name of a file may hold a bar, what stands behind the last one does not.
    return tuple(text.rsplit("|", 1)) if len(kinds) == 2 else (text,)


def _warning(attribute: Mapping[str, Any]) -> str:
    """Give the name of a warning list that MISP found the value on, if any."""
    warnings = attribute.get("warnings")
    for warning in warnings if isinstance(warnings, list) else ():
        if isinstance(warning, dict):
            return str(warning.get("warninglist_name") or warning.get("warninglist_id") or "unnamed")
    return ""


FORMAT = Format(
    read, "events of MISP: alone, a search, or a feed with its manifest", MispOptions, suffixes=frozenset({".json"})
)
