"""The file of a compiled trail set: what is where, and how a trail's key is spelled.

    magic (8) | version, header length (u32, u32) | header (JSON) | sections, each at a multiple of 8

`keys` is one marisa-trie of all keys; marisa numbers them 0..n-1. `facts` gives each number its row in `rows`; a row
says what is known of a trail, and is shared by all trails of which the same is known. Texts are numbers into `texts`.

Every look-up is one question to the trie, which is mapped and never copied:

- a name is stored back to front, so that all its parents are prefixes of it;
- an address ends in `/`, an IP:port goes on after it, so that one question tells whether an address is anywhere;
- a network is the bits of its prefix as `0` and `1`, so that all networks around an address are prefixes of its bits.

Before these questions come three that need no trie: `blocks` has a bit for each 256 addresses of IPv4, set when a trail
may be there (an address, one of its ports, a network, the host of a URL); `hosts` has a bit for each checksum of a
name, set when it may be the host of a URL; `paths` one for each checksum of a path, set when it may be that of a path
trail, its query left out. All are as large as what they tell of needs.
"""

import contextlib
import struct
from array import array
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from ipaddress import ip_network
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any
from zlib import crc32

import msgspec

from trailhound.canonical import host_port
from trailhound.trail import TrailKind

MAGIC = b"TRAILSET"
VERSION = 3
PREAMBLE = struct.Struct("<8sII")
# info, sources, reference (numbers of texts), first seen, expires (seconds; 0 for unknown), kind, class, confidence,
# custom (0 or 1).
ROW = struct.Struct("<IIIIIBBBB")
ALIGNMENT = 8
ALL_BLOCKS = 1 << 24  # Networks of 256 addresses that IPv4 has.
BITS_A_VALUE = 16  # Of each such section, at least; so what is not there is taken for it in 3 to 6 of 100 cases.
SOURCES_SEPARATOR = "\n"

WWW = b"www."

NAME = b"d"
WILDCARD = b"w"
ADDRESS = b"a"
NETWORK4 = b"4"
NETWORK6 = b"6"
URL = b"u"
PATH = b"p"
AGENT = b"g"
AGENT_REGEX = b"r"
CERTIFICATE = b"x"
JA3 = b"j"
JA3S = b"k"
JA4 = b"l"
FILE = b"f"
EMAIL = b"e"
_OF_ADDRESSES = ADDRESS + NETWORK4 + URL
HASHES = (CERTIFICATE, FILE, JA3, JA3S, JA4)

_PREFIXES = {
    TrailKind.WILDCARD: WILDCARD,
    TrailKind.URL: URL,
    TrailKind.HTTP_HOST: URL,
    TrailKind.PATH: PATH,
    TrailKind.USER_AGENT: AGENT,
    TrailKind.USER_AGENT_REGEX: AGENT_REGEX,
    TrailKind.CERT_SHA1: CERTIFICATE,
    TrailKind.CERT_SHA256: CERTIFICATE,
    TrailKind.JA3: JA3,
    TrailKind.JA3S: JA3S,
    TrailKind.JA4: JA4,
    TrailKind.FILE_MD5: FILE,
    TrailKind.FILE_SHA1: FILE,
    TrailKind.FILE_SHA256: FILE,
    TrailKind.EMAIL: EMAIL,
}


def key(kind: TrailKind, value: str) -> bytes:
    """Spell the key of a trail with a canonical value."""
    if kind in (TrailKind.DOMAIN, TrailKind.TLD):
        return NAME + text(value)[::-1]
    if kind in (TrailKind.IPV4, TrailKind.IPV6):
        return address_key(value)
    if kind is TrailKind.IP_PORT:
        host, port = host_port(value)
        return address_key(host) + str(port).encode()
    if kind is TrailKind.CIDR:
        network = ip_network(value)
        return network_key(str(network.network_address))[: 1 + network.prefixlen]
    return _PREFIXES[kind] + text(value)


def block_bits(keys: Iterable[bytes]) -> bytes:
    """Make the section `blocks` of all keys: bit n is for the n-th /24, modulo the number of bits."""
    blocks, ranges = array("I"), []
    for key in keys:
        if key[0] not in _OF_ADDRESSES:  # As most are: names.
            continue
        kind, rest = key[:1], key[1:]
        if kind == NETWORK4:
            ranges.append((int(rest[:24].ljust(24, b"0"), 2), 1 << max(24 - len(rest), 0)))
        elif kind in (ADDRESS, URL) and rest[:1].isdigit():
            with contextlib.suppress(OSError):
                host = rest.partition(b"/")[0].partition(b":")[0].decode()
                blocks.append(int.from_bytes(inet_pton(AF_INET, host)[:3]))
    bits = bytearray(min(_bytes_for(len(blocks) + sum(count for _, count in ranges)), ALL_BLOCKS // 8))
    last = len(bits) - 1
    for block in blocks:
        bits[block >> 3 & last] |= 1 << (block & 7)
    for first, count in ranges:  # Each at a multiple of its own length, so none goes beyond the end.
        start = first >> 3 & last
        if count >= 8:
            bits[start : start + (count >> 3)] = b"\xff" * (count >> 3)
        else:
            bits[start] |= (1 << count) - 1 << (first & 7)
    return bytes(bits)


def _bytes_for(values: int) -> int:
    return 1 << (BITS_A_VALUE * values // 8).bit_length()


def host_bits(keys: Iterable[bytes]) -> bytes:
    """Make the section `hosts` of all keys. A name stands there without `www.`, which lists of URLs leave out."""
    return _checksum_bits({key[1 : key.index(b"/")].removeprefix(WWW) for key in keys if key.startswith(URL)})


def path_bits(keys: Iterable[bytes]) -> bytes:
    """Make the section `paths` of all keys."""
    return _checksum_bits({key[1:].partition(b"?")[0] for key in keys if key.startswith(PATH)})


def _checksum_bits(values: Collection[bytes]) -> bytes:
    bits = bytearray(_bytes_for(len(values)))
    last = len(bits) - 1
    for number in map(crc32, values):
        bits[number >> 3 & last] |= 1 << (number & 7)
    return bytes(bits)


def checksum(about: Mapping[str, Any], sections: Iterable[bytes | memoryview]) -> str:
    """Sum up a set: what its header says, without the checksum and the time it was built, and its sections."""
    said = {name: value for name, value in about.items() if name not in ("checksum", "built")}
    digest = sha256(msgspec.json.encode(said, order="deterministic"))
    for section in sections:
        digest.update(section)
    return digest.hexdigest()


def text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def address_key(address: str) -> bytes:
    return ADDRESS + address.encode() + b"/"


def network_key(address: str) -> bytes:
    """Spell an address as its bits; each network around it is a prefix."""
    if ":" in address:
        return NETWORK6 + format(int.from_bytes(inet_pton(AF_INET6, address)), "0128b").encode()
    return NETWORK4 + format(int.from_bytes(inet_pton(AF_INET, address)), "032b").encode()
