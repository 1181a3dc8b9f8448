"""MISP's warning lists: what everybody uses (resolvers, clouds, update servers), and so must not become a trail.

A list is JSON: `{"name": "...", "type": "string", "matching_attributes": ["domain", ...], "list": ["...", ...]}`; types
are `string`, `substring`, `hostname`, `cidr` and `regex`. Lists have had entries that met everything, so each entry is
looked at before it may keep a trail out. Source: the README of github.com/MISP/misp-warninglists.
"""

import contextlib
import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import re2
from publicsuffixlist import PublicSuffixList

from feeds import archives
from feeds.entry import Refused, tidy_info
from trailhound import canonical
from trailhound.errors import SourceError, TrailError
from trailhound.trail import LISTED_KINDS, TrailKind

LARGEST = 256 * 1024**2  # Bytes; the lists of a million names have 20 MB.
_SHORTEST_PART = 5  # Letters of a text that is looked for anywhere in values: "77" is in half of them.
_WIDEST = {4: 8, 6: 16}
_NAMES = frozenset({TrailKind.DOMAIN, TrailKind.TLD})
_ADDRESSES = frozenset({TrailKind.IPV4, TrailKind.IPV6, TrailKind.CIDR, TrailKind.IP_PORT})
_ATTRIBUTES: Mapping[str, frozenset[TrailKind]] = {
    "domain": _NAMES,
    "hostname": _NAMES,
    "ip-src": _ADDRESSES,
    "ip-dst": _ADDRESSES,
    "url": frozenset({TrailKind.URL, TrailKind.HTTP_HOST}),
    "uri": frozenset({TrailKind.PATH}),
    "user-agent": frozenset({TrailKind.USER_AGENT}),
    "md5": frozenset({TrailKind.FILE_MD5}),
    "sha1": frozenset({TrailKind.FILE_SHA1}),
    "sha256": frozenset({TrailKind.FILE_SHA256}),
    "x509-fingerprint-sha1": frozenset({TrailKind.CERT_SHA1}),
    "x509-fingerprint-sha256": frozenset({TrailKind.CERT_SHA256}),
    "ja3-fingerprint-md5": frozenset({TrailKind.JA3, TrailKind.JA3S}),
    "email": frozenset({TrailKind.EMAIL}),
    "email-src": frozenset({TrailKind.EMAIL}),
    "email-dst": frozenset({TrailKind.EMAIL}),
}
# Values that no list of well-known ones can mean; a pattern that meets one of them meets anything.
_UNKNOWN = ("qvx7-unheard-of.example", "203.0.113.77", "2001:db8::77", "qvx7.example/unheard-of.php?id=7", "7" * 40)
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class _Document(msgspec.Struct, frozen=True, rename={"entries": "list"}):
    name: str
    entries: list[str]
    type: Literal["string", "substring", "hostname", "cidr", "regex"] = "string"
    matching_attributes: list[str] = []


@dataclass(frozen=True, slots=True)
class WarningList:
    """One list, its entries canonical and each fit to keep trails out.

    `values` keep out trails of exactly that kind and value; `names` also all names below, unless strangers live there;
    `networks` all addresses in them; `parts` are looked for anywhere in values of `kinds`, `patterns` (RE2) likewise.
    """

    name: str
    kinds: frozenset[TrailKind]
    values: tuple[canonical.Indicator, ...] = ()
    names: tuple[str, ...] = ()
    networks: tuple[_Network, ...] = ()
    parts: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values) + len(self.names) + len(self.networks) + len(self.parts) + len(self.patterns)


def load(path: Path) -> tuple[WarningList, list[Refused]]:
    """Read the file of a warning list. Raises `SourceError` when it is none."""
    try:
        if path.stat().st_size > LARGEST:
            raise SourceError(f"{path}: the warning list has more than {LARGEST // 1024**2} MB")
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise SourceError(f"{path}: the warning list cannot be read: {error.strerror or error}") from error


def of_files(name: str, paths: Iterable[Path], patterns: Collection[str] = ()) -> Iterator[WarningList]:
    """Read the lists among files and archives of what was fetched of a feed; whatever is none is passed over.

    `patterns` are for the names of the members of archives; without any, all that end in `.json` are looked at.
    """

    def is_wanted(member: str) -> bool:
        return any(fnmatchcase(member, pattern) for pattern in patterns or ("*.json",))

    for path in paths:
        with archives.readable(path), contextlib.closing(archives.documents(path, is_wanted)) as documents:
            for document in documents:
                with contextlib.suppress(SourceError):
                    found, _ = parse(document.stream.read(LARGEST), f"{name}: {document.place}")
                    yield found


def parse(content: bytes, place: str) -> tuple[WarningList, list[Refused]]:
    """Read a warning list, and say which of its entries are not used and why. Raises `SourceError` when it is none."""
    try:
        document = msgspec.json.decode(content, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(f"{place}: this is no warning list of MISP: {error}") from error
    kinds = _kinds(document.matching_attributes)
    found: dict[str, list[Any]] = {"values": [], "names": [], "networks": [], "parts": [], "patterns": []}
    refusals = []
    for number, text in enumerate(document.entries, 1):
        try:
            for field, entry in _READERS[document.type](text.strip(), kinds):
                found[field].append(entry)
        except TrailError as error:
            refusals.append(Refused(place, number, tidy_info(text), str(error)))
    once = {field: tuple(dict.fromkeys(items)) for field, items in found.items()}
    return WarningList(tidy_info(document.name), kinds, **once), refusals


def _kinds(attributes: Iterable[str]) -> frozenset[TrailKind]:
    """Give the kinds that a list is for; a list that does not say is for all."""
    words = [word for attribute in attributes for word in attribute.split("|")]
    return frozenset().union(*(_ATTRIBUTES.get(word, frozenset()) for word in words)) if words else _ALL


_ALL = frozenset(LISTED_KINDS)
_Entry = tuple[str, Any]


def _string(text: str, kinds: frozenset[TrailKind]) -> Iterator[_Entry]:
    if "/" in text and text.rpartition("/")[2].isdigit() and kinds & _ADDRESSES:
        yield from _cidr(text, kinds)
        return
    readings = [one for one in canonical.readings(text) if one.kind in kinds and one.kind is not TrailKind.USER_AGENT]
    if TrailKind.USER_AGENT in kinds and len(text) >= _SHORTEST_PART and not readings:
        readings = [canonical.indicator(TrailKind.USER_AGENT, text)]
    if not readings:
        raise TrailError("no value of the kinds that the list is for")
    for reading in readings:
        if reading.kind is TrailKind.CIDR:
            yield from _cidr(text, kinds)
        else:
            yield "values", reading


def _hostname(text: str, kinds: frozenset[TrailKind]) -> Iterator[_Entry]:
    del kinds
    name = canonical.name(text.strip("."))
    if name is None or "." not in name or canonical.address(name):
        raise TrailError("no name of a host")
    if _suffixes().is_public(name):
        # Strangers live below it, or it is a whole country; only a trail of exactly this is a mistake.
        yield "values", canonical.Indicator(TrailKind.DOMAIN, name)
    else:
        yield "names", name


def _cidr(text: str, kinds: frozenset[TrailKind]) -> Iterator[_Entry]:
    del kinds
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise TrailError("no address or network") from error
    if network.prefixlen < _WIDEST[network.version]:
        raise TrailError(f"a network wider than /{_WIDEST[network.version]}")
    yield "networks", network


def _substring(text: str, kinds: frozenset[TrailKind]) -> Iterator[_Entry]:
    del kinds
    if len(text) < _SHORTEST_PART:
        raise TrailError(f"fewer than {_SHORTEST_PART} characters, which stand in too many values")
    if any(text.lower() in value for value in _UNKNOWN):
        raise TrailError("a text that stands in values nobody knows")
    yield "parts", text.lower()


def _regex(text: str, kinds: frozenset[TrailKind]) -> Iterator[_Entry]:
    del kinds
    # Lists write them as PHP does, between slashes.
    bare = (
        text[1:].rpartition("/")[0] if text.startswith("/") and text.rpartition("/")[2].isalpha() else text.strip("/")
    )
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    try:
        pattern: Any = re2.compile(bare, options=options)
    except re2.error as error:
        raise TrailError("a pattern that RE2 cannot compile") from error
    if not bare or pattern.search("") or any(map(pattern.search, _UNKNOWN)):
        raise TrailError("a pattern that matches values nobody knows")
    yield "patterns", bare


_READERS = {"string": _string, "hostname": _hostname, "cidr": _cidr, "substring": _substring, "regex": _regex}


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
