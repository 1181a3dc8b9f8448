"""A file for Zeek's intelligence framework."""

import re
from collections.abc import Iterable, Iterator, Mapping

from feeds.exports.export import Export, Piece, Wishes
from trailhound.trail import Trail, TrailKind

TYPES: Mapping[TrailKind, str] = {
    TrailKind.DOMAIN: "DOMAIN",
    TrailKind.IPV4: "ADDR",
    TrailKind.IPV6: "ADDR",
    TrailKind.CIDR: "SUBNET",
    TrailKind.URL: "URL",
    TrailKind.HTTP_HOST: "URL",
    TrailKind.USER_AGENT: "SOFTWARE",
    TrailKind.EMAIL: "EMAIL",
    TrailKind.CERT_SHA1: "CERT_HASH",
    TrailKind.FILE_MD5: "FILE_HASH",
    TrailKind.FILE_SHA1: "FILE_HASH",
    TrailKind.FILE_SHA256: "FILE_HASH",
}
_COLUMNS = ("indicator", "indicator_type", "meta.source", "meta.desc", "meta.url")
_BREAKS_ROWS = re.compile(r"[\t\r\n\\]")
_NOT_THEMSELVES = frozenset({"", "-", "(empty)"})


def _write(trails: Iterable[Trail], wishes: Wishes) -> Iterator[Piece]:
    del wishes
    yield "", "\t".join(("#fields", *_COLUMNS)) + "\n"
    for trail in trails:
        texts = (trail.value, f"Intel::{TYPES[trail.kind]}", trail.sources[0], trail.info, trail.reference)
        yield "", "\t".join(map(_field, texts)) + "\n"


def _field(text: str) -> str:
    """Spell a text as Zeek reads it; `-` is unset for it."""
    if text in _NOT_THEMSELVES:
        return "-"
    # Zeek reads `\x09` and the like back.
    text = _BREAKS_ROWS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return f"\\x23{text[1:]}" if text.startswith("#") else text


EXPORT = Export("a file for Zeek's intelligence framework", frozenset(TYPES), _write)
