"""STIX 2.1: the indicators of a bundle, of a page of TAXII (`objects`), or of a list of either."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from feeds import streams
from feeds.archives import Document
from feeds.entry import Entry, Origin, refused
from feeds.formats import moments, stix_pattern, values
from feeds.formats.format import Format
from feeds.formats.making import Said, entries
from trailhound.errors import SourceError, TrailError
from trailhound.trail import TrailClass

_Object = dict[str, Any]
_NAMED = ("malware", "tool", "intrusion-set", "threat-actor", "campaign")
_CLASSES: Mapping[str, TrailClass] = {
    "command-and-control": TrailClass.C2,
    "c2": TrailClass.C2,
    "botnet": TrailClass.C2,
    "phishing": TrailClass.PHISHING,
    "exploit-kit": TrailClass.EXPLOIT,
    "exploitation": TrailClass.EXPLOIT,
    "scanning": TrailClass.SCANNER,
    "reconnaissance": TrailClass.SCANNER,
    "spam": TrailClass.SPAM,
    "anonymization": TrailClass.ANONYMIZER,
    "sinkhole": TrailClass.SINKHOLE,
    "compromised": TrailClass.ATTACKER,
    "anomalous-activity": TrailClass.SUSPICIOUS,
}
_HARMLESS = "benign"


def read(documents: Iterable[Document], origin: Origin, options: Any) -> Iterator[Entry]:
    """Read the newest version of each indicator that has not been revoked."""
    del options
    for document in documents:
        try:
            content = orjson.loads(streams.whole(document))
        except orjson.JSONDecodeError as error:
            raise SourceError(f"{document.place}: this is no JSON: {error}") from error
        objects = _objects(content)
        if objects is None:
            raise SourceError(f"{document.place}: expected a bundle of STIX with its `objects`")
        newest = _newest(objects)
        threats = _threats(newest)
        indicators = (
            one for one in newest.values() if one.get("type") == "indicator" and one.get("revoked") is not True
        )
        for number, indicator in enumerate(indicators, 1):
            yield from _indicator(indicator, threats.get(str(indicator.get("id")), ""), origin, number)


def _objects(content: Any) -> list[_Object] | None:
    if isinstance(content, list):
        parts = [_objects(one) for one in content]
        return None if any(part is None for part in parts) else [one for part in parts for one in part or ()]
    if not isinstance(content, dict):
        return None
    if isinstance(content.get("objects"), list):
        return [one for one in content["objects"] if isinstance(one, dict)]
    # A bundle and a page of TAXII may be empty, and then say nothing.
    return [] if content.get("type") == "bundle" or content == {} or content.get("more") is False else None


def _newest(objects: Iterable[_Object]) -> dict[str, _Object]:
    """Give the newest version of each object, in the order of the list."""
    newest: dict[str, _Object] = {}
    for one in objects:
        key = str(one.get("id"))
        if key not in newest or str(one.get("modified") or "") >= str(newest[key].get("modified") or ""):
            newest[key] = one
    return newest


def _threats(objects: Mapping[str, _Object]) -> Mapping[str, str]:
    """Give for each indicator the name of what it indicates."""
    found: dict[str, str] = {}
    for one in objects.values():
        target = objects.get(str(one.get("target_ref")))
        if one.get("relationship_type") == "indicates" and target is not None and target.get("type") in _NAMED:
            found.setdefault(str(one.get("source_ref")), str(target.get("name") or ""))
    return found


def _indicator(indicator: _Object, threat: str, origin: Origin, number: int) -> Iterator[Entry]:
    pattern = str(indicator.get("pattern") or "")
    words = _words(indicator)
    if _HARMLESS in words:
        return
    try:
        found = _values(indicator, pattern)
        first = moments.seconds(str(indicator.get("valid_from") or indicator.get("created") or ""))
        expires = moments.seconds(str(indicator.get("valid_until") or ""))
    except TrailError as error:
        yield refused(origin, number, pattern, str(error))
        return
    class_ = next((_CLASSES[word] for word in words if word in _CLASSES), None)
    info = threat or str(indicator.get("name") or "")
    said = Said(info, class_, _confidence(indicator), _link(indicator), first, expires)
    for kind, text in found:
        try:
            readings = values.of_kind(text, kind)
        except TrailError as error:
            yield refused(origin, number, text, str(error))
        else:
            yield from entries(readings, said, origin, number, text)


def _values(indicator: _Object, pattern: str) -> tuple[stix_pattern.Value, ...]:
    type_ = indicator.get("pattern_type", "stix")
    if type_ != "stix":
        raise TrailError(f"a pattern of the type {str(type_)[:40]!r}; expected stix")
    return stix_pattern.read(pattern)


def _words(indicator: _Object) -> list[str]:
    """Give all words for what it indicates: its types, its labels (STIX 2.0), the phases of the attack."""
    given = [*_list(indicator, "indicator_types"), *_list(indicator, "labels")]
    phases = [one.get("phase_name") for one in _list(indicator, "kill_chain_phases") if isinstance(one, dict)]
    return [str(word).lower().replace(" ", "-").replace("_", "-") for word in (*given, *phases)]


def _confidence(indicator: _Object) -> int | None:
    given = indicator.get("confidence")
    return given if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= 100 else None


def _link(indicator: _Object) -> str:
    links = (str(one.get("url") or "") for one in _list(indicator, "external_references") if isinstance(one, dict))
    return next((link for link in links if link.startswith("http")), "")


def _list(holder: _Object, key: str) -> list[Any]:
    value = holder.get(key)
    return value if isinstance(value, list) else []


FORMAT = Format(read, "STIX 2.1: a bundle, or pages of TAXII", suffixes=frozenset({".json"}))
