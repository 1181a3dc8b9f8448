"""Which values no trail may have, because they would match half the world or the network at home.

Documentation networks (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32) and unassigned space are let
through: nobody is harmed, and tests live there.
"""

import ipaddress
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import re2
from publicsuffixlist import PublicSuffixList

from trailhound.canonical import address, host_port
from trailhound.trail import Trail, TrailKind

WIDEST_V4 = 8
WIDEST_V6 = 16
CANARY_NAMES = ("google.com", "www.microsoft.com", "wikipedia.org", "www.bbc.co.uk", "akamai.net", "debian.org")
# Addresses that half the world speaks to: a set that holds one of them was poisoned or mixed up.
CANARY_ADDRESSES = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
CANARY_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Microsoft-CryptoAPI/10.0",
    "Windows-Update-Agent/10.0.10011.16384 Client-Protocol/2.50",
    "Debian APT-HTTP/1.3 (2.6.1)",
)
_OWN = {
    "0.0.0.0/8": "an unspecified",
    "10.0.0.0/8": "a private",
    "100.64.0.0/10": "a carrier-shared",
    "127.0.0.0/8": "a loopback",
    "169.254.0.0/16": "a link-local",
    "172.16.0.0/12": "a private",
    "192.168.0.0/16": "a private",
    "198.18.0.0/15": "a benchmarking",
    "224.0.0.0/4": "a multicast",
    "240.0.0.0/4": "a reserved",
    "255.255.255.255/32": "a broadcast",
    "::/128": "an unspecified",
    "::1/128": "a loopback",
    "64:ff9b::/96": "a translated",
    "64:ff9b:1::/48": "a translated",
    "100::/64": "a discard-only",
    "fc00::/7": "a unique local",
    "fe80::/10": "a link-local",
    "ff00::/8": "a multicast",
}
_OWN_NAMES = frozenset({"arpa", "corp", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost"})
_LARGE_TLDS = frozenset({"com", "edu", "gov", "int", "mil", "net", "org"})
_PLAIN_PATHS = frozenset(
    f"/{name}"
    for name in (
        "default.aspx",
        "default.htm",
        "default.html",
        "favicon.ico",
        "index.htm",
        "index.html",
        "index.jsp",
        "index.php",
        "robots.txt",
        "sitemap.xml",
    )
)
# Hashes of no bytes at all: every sensor sees empty files, and lists of bad ones often hold them.
_EMPTY_FILE = frozenset(
    {
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }
)
# Real malware hides behind paths of fifty dashes; three dots are an accident.
_TELLING_PATH = 8


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)


@lru_cache(maxsize=1)
def _own_networks() -> Mapping[ipaddress.IPv4Network | ipaddress.IPv6Network, str]:
    return {ipaddress.ip_network(network): word for network, word in _OWN.items()}


@lru_cache(maxsize=1)
def _own_v4_halves() -> Mapping[str, str]:
    """Give, for the first two numbers of an IPv4 address, the networks of ours that hold all such addresses.

    A table of texts: a million addresses would take seconds to parse.
    """
    halves = {}
    for network, word in _own_networks().items():
        if network.version == 4 and network.prefixlen <= 16:
            for half in network.subnets(new_prefix=16):
                halves[str(half.network_address).removesuffix(".0.0")] = word
    return halves


def _domain(value: str) -> str | None:
    if _suffixes().is_public(value):
        return "a public suffix: it would match every name that is registered below it"
    if value.endswith((".in-addr.arpa", ".ip6.arpa", ".localhost")) or value == "localhost.localdomain":
        return "a name of the local machine or of reverse look-ups"
    return None


def _tld(value: str) -> str | None:
    if len(value) == 1:
        return "a single letter"
    if value.isdigit():
        return "a bare number"
    if value in _OWN_NAMES:
        return "a name that is only used at home"
    if value in _LARGE_TLDS:
        return "a top-level domain that half the world is in"
    return None


def _ipv4(value: str) -> str | None:
    first, second, _ = value.split(".", 2)
    word = "a broadcast" if value == "255.255.255.255" else _own_v4_halves().get(f"{first}.{second}")
    return f"{word} address" if word else None


def _ipv6(value: str) -> str | None:
    parsed = ipaddress.IPv6Address(value)
    for network, word in _own_networks().items():
        if parsed in network:
            return f"{word} address"
    return None


def _address(value: str) -> str | None:
    return _ipv6(value) if ":" in value else _ipv4(value)


def _cidr(value: str) -> str | None:
    parsed = ipaddress.ip_network(value)
    widest = WIDEST_V4 if parsed.version == 4 else WIDEST_V6
    if parsed.prefixlen < widest:
        return f"a network wider than /{widest}"
    for network, word in _own_networks().items():
        if network.version == parsed.version and parsed.overlaps(network):
            return f"a network that holds {word} address"
    return None


def _ip_port(value: str) -> str | None:
    return _address(value[1:].partition("]")[0] if value[0] == "[" else value.partition(":")[0])


def _url(value: str) -> str | None:
    host, _ = host_port(value.partition("/")[0])
    if host[:1].isdigit() or ":" in host:
        return _address(host) if address(host) else None
    return None


def _http_host(value: str) -> str | None:
    host, _ = host_port(value.partition("/")[0])
    if address(host) is None and _suffixes().is_public(host):
        return "a public suffix, which is nobody's host"
    return _url(value)


def _path(value: str) -> str | None:
    if value in _PLAIN_PATHS:
        return "a path that every site has"
    if len(value) < _TELLING_PATH and not any(char.isalnum() for char in value):
        return "a short path without a letter or number"
    return None


def _pattern(value: str, canaries: tuple[str, ...]) -> str | None:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    try:
        pattern: Any = re2.compile(value, options=options)
    except re2.error as error:
        return f"a pattern that RE2 cannot compile ({_text(error)})"
    if pattern.search(""):
        return "a pattern that matches nothing at all, and so everything"
    for canary in canaries:
        if pattern.search(canary):
            return f"a pattern that matches {canary}"
    return None


def _text(error: Exception) -> str:
    detail = error.args[0] if error.args else ""
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)


def _user_agent(value: str) -> str | None:
    if len(value) < 2:
        return "a single letter"
    return "a user agent that ordinary programs send" if value in {agent.lower() for agent in CANARY_AGENTS} else None


def _digest(value: str) -> str | None:
    if value in _EMPTY_FILE:
        return "the hash of an empty file"
    return "the same digit throughout" if len(set(value)) == 1 else None


_CHECKS: Mapping[TrailKind, Callable[[str], str | None]] = {
    TrailKind.DOMAIN: _domain,
    TrailKind.TLD: _tld,
    TrailKind.WILDCARD: lambda value: _pattern(value, CANARY_NAMES),
    TrailKind.IPV4: _ipv4,
    TrailKind.IPV6: _ipv6,
    TrailKind.CIDR: _cidr,
    TrailKind.IP_PORT: _ip_port,
    TrailKind.URL: _url,
    TrailKind.HTTP_HOST: _http_host,
    TrailKind.PATH: _path,
    TrailKind.USER_AGENT: _user_agent,
    TrailKind.USER_AGENT_REGEX: lambda value: _pattern(value, CANARY_AGENTS),
    TrailKind.CERT_SHA1: _digest,
    TrailKind.CERT_SHA256: _digest,
    TrailKind.JA3: _digest,
    TrailKind.JA3S: _digest,
    TrailKind.FILE_MD5: _digest,
    TrailKind.FILE_SHA1: _digest,
    TrailKind.FILE_SHA256: _digest,
}


def refusal(trail: Trail) -> str | None:
    """Say why this trail must not be in force, or None when it may. The value has to be canonical."""
    check = _CHECKS.get(trail.kind)
    return check(trail.value) if check else None
