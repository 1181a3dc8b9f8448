"""Bare values to kinds: quick shapes for what makes up the millions, `trailhound.canonical` for the rest."""

import re
from functools import lru_cache

from publicsuffixlist import PublicSuffixList

from trailhound import canonical
from trailhound.canonical import Indicator
from trailhound.errors import TrailError
from trailhound.trail import TrailKind

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}(?::([1-9][0-9]{{0,4}}))?")

_PLAIN_KINDS = frozenset({TrailKind.DOMAIN, TrailKind.IPV4, TrailKind.IP_PORT})
# Kinds that people write so that nobody clicks on them.
_CLICKABLE = frozenset(
    {TrailKind.DOMAIN, TrailKind.IPV4, TrailKind.IPV6, TrailKind.CIDR, TrailKind.IP_PORT, TrailKind.URL}
)


@lru_cache(maxsize=1)
def _all_suffixes() -> PublicSuffixList:
    """Give public suffixes with those that hosting companies register: below one, neighbours are strangers."""
    return PublicSuffixList()


def without_www(name: str) -> str:
    """Cut a leading `www.`, unless what remains is a suffix below which strangers live."""
    rest = name.removeprefix("www.")
    return name if rest is name or "." not in rest or _all_suffixes().is_public(rest) else rest


def plain(text: str) -> Indicator | None:
    """Type a value of one of the commonest shapes, or give None: it takes a closer look."""
    if _NAME.fullmatch(text) and len(text) <= canonical.MAX_NAME:
        return Indicator(TrailKind.DOMAIN, text)
    match = _IPV4.fullmatch(text)
    if match is None:
        return None
    if match[1] is None:
        return Indicator(TrailKind.IPV4, text)
    return Indicator(TrailKind.IP_PORT, text) if int(match[1]) <= 65535 else None


def as_meant(text: str) -> str:
    """Undo what people do to values so that nobody clicks on them, and the `*.` that every name means anyway."""
    if "[.]" in text or "[:]" in text or text[:4].lower() == "hxxp":
        text = text.replace("[.]", ".").replace("[:]", ":")
        text = f"http{text[4:]}" if text[:4].lower() == "hxxp" else text
    rest = text.removeprefix("*")
    return rest[1:] if rest.startswith(".") and "." in rest[1:] else text


def maltrail(text: str, *, words: bool = False) -> Indicator:
    """Type a key of Maltrail's set. Raises `TrailError` with the reason when it can be nothing.

    The shape alone says the kind there: 32 digits are a JA3, 40 a certificate. With `words` a single word is a
    top-level domain even without the dot before it, as in the built set, where the dot has been cut off.
    """
    found = plain(text)
    if found is None:
        found = canonical.indicator(TrailKind.PATH, text) if text[:1] == "/" else _closer(text, words=words)
    if found.kind is TrailKind.DOMAIN and found.value.startswith("www."):
        return Indicator(TrailKind.DOMAIN, without_www(found.value))
    return found


def _closer(text: str, *, words: bool) -> Indicator:
    kinds = {found.kind: found for found in usable_readings(text, words=words)}
    return kinds.get(TrailKind.JA3) or next(iter(kinds.values()))


def usable_readings(text: str, *, words: bool = False) -> tuple[Indicator, ...]:
    """Give what a bare value can be, user agents aside: any text could be one. Raises `TrailError` when nothing."""
    if len(text) > canonical.MAX_TEXT:
        raise TrailError(f"{len(text)} characters; a value has at most {canonical.MAX_TEXT}")
    found = tuple(one for one in canonical.readings(text) if one.kind is not TrailKind.USER_AGENT)
    if found and found[0].kind is TrailKind.TLD and not words and not text.startswith("."):
        raise TrailError(f"{text[:80]!r} is a single word; a top-level domain is written with a dot before it")
    if found:
        return found
    if not text.isascii():
        raise TrailError(f"{text[:80]!r} has characters that no name can have")
    if "://" in text or "/" in text:
        canonical.url(text)
    raise TrailError(f"{text[:80]!r} is no address, name, URL, path, hash or pattern")


def meant(word: str, kind: TrailKind | None) -> tuple[Indicator, ...]:
    """Read a value as people write it, of a kind that is known or not. Raises `TrailError` when it is none.

    A hash does not say what it is the hash of. All its readings are given: none can be mistaken for another.
    """
    if kind is not None:
        return (canonical.indicator(kind, word),)
    text = as_meant(word).rstrip(",;")
    found = plain(text)
    if found is not None:
        return (found,)
    readings = usable_readings(text)
    return readings if readings[0].kind.group.value in {"FILE", "TLS"} else readings[:1]


def of_kind(text: str, kind: TrailKind | None) -> tuple[Indicator, ...]:
    """Read a value of a feed. Raises `TrailError` when it is none of that kind.

    Nobody at the site has read the list, so a single word among names is a slip and no top-level domain.
    """
    if kind is None:
        return meant(text, None)
    if kind in _PLAIN_KINDS:
        found = plain(text)
        if found is not None and found.kind is kind:
            return (found,)
    one = canonical.indicator(kind, as_meant(text) if kind in _CLICKABLE else text)
    if one.kind is TrailKind.TLD and kind is not TrailKind.TLD and not text.startswith("."):
        raise TrailError(f"{text[:80]!r} is a single word; a top-level domain is written with a dot before it")
    return (one,)
