"""Canonical values: one spelling for one meaning, on the side of trails and on the side of logs alike.

Every function is idempotent. Those that read a trail raise `TrailError` with the reason when the value cannot be one.
"""

import ipaddress
import re
import socket
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

import idna

from trailhound.errors import TrailError
from trailhound.trail import DETECTED_KINDS, TrailKind

MAX_NAME = 253
MAX_TEXT = 2048
MAX_ADDRESS = 80  # The longest spelling of IPv6 has 45 characters; the rest is for a zone.
_PLAIN_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_PLAIN_PATH = re.compile(r"/(?!/)(?:[a-z0-9_.~!$&'()*+,;:@=?-]|/(?!/))*")
_ESCAPE = re.compile(r"%([0-9a-f]{2})")
_LONE_PERCENT = re.compile(r"%(?![0-9a-f]{2})")
_SLASHES = re.compile(r"/{2,}")
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEX = re.compile(r"[0-9a-f]+")
_JA4 = re.compile(r"[tqd][0-9a-z]{9}_[0-9a-f]{12}_[0-9a-f]{12}")
_WILDCARD = re.compile(r"[\])][*+?{]|\.[*+]|\[[^\]]+\]|\\\.")
_EMAIL = re.compile(r"[^\s@/]+@[^\s@/]+")
_BRACKETED = re.compile(r"<([^<>]*)>\s*$")
# What may stand unescaped in a canonical path: all printable ASCII that no server reads as another character.
_SAFE_IN_PATH = "/?:@!$&'()*+,;=%-._~[]"
_STAYS_ESCAPED = frozenset('%#"<>\\^`{|} ')
_HASH_KINDS = {
    32: (TrailKind.FILE_MD5, TrailKind.JA3, TrailKind.JA3S),
    40: (TrailKind.CERT_SHA1, TrailKind.FILE_SHA1),
    64: (TrailKind.FILE_SHA256, TrailKind.CERT_SHA256),
}
_HASH_LENGTHS = {kind: length for length, kinds in _HASH_KINDS.items() for kind in kinds}


class Indicator(NamedTuple):
    """A kind and a canonical value: what a trail is known by."""

    kind: TrailKind
    value: str


def name(text: str) -> str | None:
    """Give the canonical form of a host name as logs show it, or None when it is not one.

    Lower case, IDNA (UTS 46), no trailing dot. Underscores are let through: service names in DNS have them.
    """
    lowered = text.lower()
    if len(lowered) <= MAX_NAME and _PLAIN_NAME.fullmatch(lowered):
        return lowered
    if len(lowered) > 2 * MAX_NAME:
        return None  # Nothing that long becomes a name; what IDNA does to it would take time.
    lowered = lowered.strip()
    if not lowered.isascii():
        try:
            remapped = idna.uts46_remap(lowered, std3_rules=False, transitional=False)
            lowered = ".".join(map(_ascii_label, remapped.split(".")))
        except (idna.IDNAError, UnicodeError):
            return None
    lowered = lowered.rstrip(".")
    return lowered if len(lowered) <= MAX_NAME and _PLAIN_NAME.fullmatch(lowered) else None


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return idna.alabel(label).decode("ascii")
    except idna.IDNAError:
        # Registries refuse such labels (an emoji), but resolvers do not.
        return f"xn--{label.encode('punycode').decode('ascii')}"


def address(text: str) -> str | None:
    """Give the canonical form of an IP address (RFC 5952; mapped IPv4 as IPv4), or None when it is not one."""
    # What is longer must not fill the memory of what was asked before.
    return _address(text) if len(text) <= MAX_ADDRESS else None


@lru_cache(maxsize=65_536)
def _address(text: str) -> str | None:
    try:
        # A dotted quad that the C library takes has one spelling only: its own.
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return _address6(text)
    return text


def _address6(text: str) -> str | None:
    if ":" not in text:
        return None  # As most are, and to be told so by an exception takes ten times as long.
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        if parsed.scope_id:
            return str(ipaddress.IPv6Address(int(parsed)))
    return str(parsed)


def address_kind(canonical: str) -> TrailKind:
    return TrailKind.IPV6 if ":" in canonical else TrailKind.IPV4


def network(text: str) -> Indicator:
    """Read an address or network; a network of one address is that address."""
    alone = address(text)
    if alone is not None:
        return Indicator(address_kind(alone), alone)
    try:
        parsed = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise TrailError(f"{text!r} is no network") from error
    mapped = parsed.network_address.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Network) else None
    if mapped and parsed.prefixlen >= 96:
        parsed = ipaddress.ip_network(f"{mapped}/{parsed.prefixlen - 96}", strict=False)
    if parsed.num_addresses == 1:
        canonical = str(parsed.network_address)
        return Indicator(address_kind(canonical), canonical)
    return Indicator(TrailKind.CIDR, str(parsed))


def host_port(text: str) -> tuple[str, int | None]:
    """Split `host`, `host:port`, `[v6]` or `[v6]:port`; the port is None when there is none that can be read."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        digits = rest.removeprefix(":")
    elif text.count(":") == 1:
        host, _, digits = text.partition(":")
    else:
        host, digits = text, ""
    # Five digits at most: Python refuses to read very long numbers at all.
    is_port = len(digits) <= 5 and digits.isascii() and digits.isdigit() and int(digits) <= 65535
    return host, int(digits) if is_port else None


def with_port(canonical: str, port: int) -> str:
    """Write an address and a port as the value of an IP:port trail."""
    return f"[{canonical}]:{port}" if ":" in canonical else f"{canonical}:{port}"


def path(text: str) -> str:
    """Give the canonical form of a path with query: lower case, needless escapes undone, needed ones made.

    It comes out the same for what Suricata logs (escaped) and what Zeek logs (unescaped already).
    """
    # Letters beyond ASCII keep their case: escaped, as Suricata logs them, nobody sees that they are letters.
    lowered = text.lower() if text.isascii() else _lower_ascii(text)
    if _PLAIN_PATH.fullmatch(lowered):
        return lowered
    lowered = _LONE_PERCENT.sub("%25", lowered)
    lowered = _ESCAPE.sub(_unescape, lowered)
    return _SLASHES.sub("/", quote(lowered, safe=_SAFE_IN_PATH, errors="surrogatepass").lower())


def _lower_ascii(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def _unescape(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    char = chr(code).lower()
    return char if 0x20 < code < 0x7F and char not in _STAYS_ESCAPED else match[0]


def split_url(text: str) -> tuple[str, str, str]:
    """Cut a URL, with or without scheme, into scheme, authority (without user) and the rest (without fragment)."""
    match = _SCHEME.match(text)
    rest = text[match.end() :] if match else text
    rest = rest.partition("#")[0]
    cut = min((i for i in (rest.find("/"), rest.find("?")) if i >= 0), default=len(rest))
    return match[1].lower() if match else "", rest[:cut].rpartition("@")[2], rest[cut:]


def request_path(text: str) -> str:
    """Give the canonical form of what a request asks for; it begins with a slash, whatever the client sent."""
    return path(text if text[:1] == "/" else f"/{text}")


def url(text: str) -> Indicator:
    """Read a URL, with or without scheme, as a trail: host and path, `host/` when there is no path."""
    scheme, authority, rest = split_url(text)
    host, port = host_port(authority)
    canonical = address(host) or name(host)
    if canonical is None or not ("." in canonical or ":" in canonical):
        raise TrailError(f"{text!r}: {host!r} is no host")
    if port is None or (scheme, port) in (("http", 80), ("", 80), ("https", 443)):
        authority = f"[{canonical}]" if ":" in canonical else canonical
    else:
        authority = with_port(canonical, port)
    tail = request_path(rest)
    if tail == "/":
        return Indicator(TrailKind.HTTP_HOST, f"{authority}/")
    return Indicator(TrailKind.URL, authority + _without_last_slash(tail))


def _without_last_slash(tail: str) -> str:
    return tail.rstrip("/") or "/"


def user_agent(text: str) -> str:
    return text.strip().lower()


def email(text: str) -> str | None:
    """Give the canonical form of an e-mail address, alone or as `Name <address>`, or None when it is not one."""
    bracketed = _BRACKETED.search(text) if len(text) <= MAX_TEXT else None
    local, _, domain = (bracketed[1] if bracketed else text).strip().rpartition("@")
    host = name(domain)
    return f"{local.lower()}@{host}" if local and host is not None and len(local) <= MAX_NAME else None


def digest(text: str) -> str | None:
    """Give the canonical form of a hash in hexadecimal, colons taken out, or None when it is not one."""
    bare = text.strip().lower().replace(":", "")
    return bare if len(bare) in _HASH_KINDS and _HEX.fullmatch(bare) else None


def fingerprint(text: str) -> str | None:
    """Give the canonical form of a hash or of a JA4 fingerprint, or None when it is neither."""
    lowered = text.strip().lower()
    return lowered if _JA4.fullmatch(lowered) else digest(lowered)


def indicator(kind: TrailKind, text: str) -> Indicator:
    """Read a value as a trail of the given kind. Raises `TrailError` with the reason when it is not one."""
    text = text.strip()
    if not text:
        raise TrailError("an empty value")
    if len(text) > MAX_TEXT:
        raise TrailError(f"{text[:40]!r}... is {len(text)} characters long; a trail has at most {MAX_TEXT}")
    if _CONTROL.search(text):
        raise TrailError(f"{text!r} holds control characters")
    match kind:
        case TrailKind.DOMAIN | TrailKind.TLD:
            canonical = name(text.strip("."))
            if canonical is None or address(canonical):
                raise TrailError(f"{text!r} is no host name")
            return Indicator(TrailKind.DOMAIN if "." in canonical else TrailKind.TLD, canonical)
        case TrailKind.IPV4 | TrailKind.IPV6 | TrailKind.CIDR:
            return network(text)
        case TrailKind.IP_PORT:
            host, port = host_port(text)
            canonical = address(host)
            if canonical is None or not port:
                raise TrailError(f"{text!r} is no address with a port")
            return Indicator(kind, with_port(canonical, port))
        case TrailKind.URL | TrailKind.HTTP_HOST:
            return url(text)
        case TrailKind.PATH:
            canonical = _without_last_slash(path(text))
            if not canonical.startswith("/") or len(canonical) < 3:
                raise TrailError(f"{text!r} is no path that says anything")
            return Indicator(kind, canonical)
        case TrailKind.USER_AGENT:
            return Indicator(kind, user_agent(text))
        case TrailKind.USER_AGENT_REGEX | TrailKind.WILDCARD:
            return Indicator(kind, text)
        case TrailKind.EMAIL:
            canonical = email(text)
            if canonical is None:
                raise TrailError(f"{text!r} is no e-mail address")
            return Indicator(kind, canonical)
        case TrailKind.JA4:
            if not _JA4.fullmatch(text.lower()):
                raise TrailError(f"{text!r} is no JA4 fingerprint")
            return Indicator(kind, text.lower())
        case kind if kind in DETECTED_KINDS:
            return Indicator(kind, text)
        case _:
            canonical = digest(text)
            if canonical is None or len(canonical) != _HASH_LENGTHS[kind]:
                raise TrailError(f"{text!r} is no {kind.value} of {_HASH_LENGTHS[kind]} hexadecimal digits")
            return Indicator(kind, canonical)


def readings(text: str) -> tuple[Indicator, ...]:
    """Give everything that a bare value could be, the likeliest first; none when it can be nothing."""
    text = text.strip()
    found = []
    for kind in _plausible_kinds(text):
        try:
            found.append(indicator(kind, text))
        except TrailError:
            continue
    return tuple(dict.fromkeys(found))


def _plausible_kinds(text: str) -> tuple[TrailKind, ...]:
    lowered = text.lower()
    if lowered.startswith("/"):
        return (TrailKind.PATH,)
    if _SCHEME.match(lowered):
        return (TrailKind.URL,)
    if address(text):
        return (TrailKind.IPV4,)
    if (bare := digest(text)) is not None:
        return _HASH_KINDS[len(bare)]
    if _JA4.fullmatch(lowered):
        return (TrailKind.JA4,)
    head, slash, tail = text.partition("/")
    if slash and tail.isdigit() and address(head):
        return (TrailKind.CIDR, TrailKind.URL)
    host, port = host_port(text)
    if port is not None and address(host):
        return (TrailKind.IP_PORT,)
    if _EMAIL.fullmatch(text):
        return (TrailKind.EMAIL,)
    if _WILDCARD.search(text) and not slash:
        return (TrailKind.WILDCARD,)
    if slash and (name(host_port(head)[0]) or address(host_port(head)[0])):
        return (TrailKind.URL,)
    if name(text.strip(".")):
        return (TrailKind.DOMAIN,)
    return (TrailKind.USER_AGENT,) if text else ()
