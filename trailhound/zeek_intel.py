"""The types of Zeek's intelligence framework, in our kinds: one table for its files and for its log."""

from collections.abc import Mapping

from trailhound.errors import TrailError
from trailhound.trail import TrailKind

_BY_LENGTH: Mapping[str, Mapping[int, TrailKind]] = {
    "FILE_HASH": {32: TrailKind.FILE_MD5, 40: TrailKind.FILE_SHA1, 64: TrailKind.FILE_SHA256},
    "CERT_HASH": {40: TrailKind.CERT_SHA1, 64: TrailKind.CERT_SHA256},
}
_KINDS: Mapping[str, TrailKind] = {
    "ADDR": TrailKind.IPV4,
    "SUBNET": TrailKind.CIDR,
    "URL": TrailKind.URL,
    "DOMAIN": TrailKind.DOMAIN,
    "SOFTWARE": TrailKind.USER_AGENT,
    "EMAIL": TrailKind.EMAIL,
    # Not Zeek's own, but what packages for these fingerprints call them.
    "JA3": TrailKind.JA3,
    "JA3S": TrailKind.JA3S,
    "JA4": TrailKind.JA4,
}


def kind_of(zeek_type: str, text: str) -> TrailKind:
    """Tell the kind of a value by Zeek's type of it (`Intel::DOMAIN`) and, of a hash, by its length.

    An address of either family is `ipv4` until `canonical.indicator` has read it. Raises `TrailError` for a type that
    no trail has, and for a hash of another length.
    """
    word = zeek_type.strip().removeprefix("Intel::")
    kind = _KINDS.get(word)
    if kind is not None:
        return kind
    lengths = _BY_LENGTH.get(word)
    if lengths is None:
        raise TrailError(f"{zeek_type!r} is a type that no trail has")
    found = lengths.get(len(text.replace(":", "")))
    if found is None:
        raise TrailError(f"{text[:80]!r} is no hash of a length that {word} has")
    return found
