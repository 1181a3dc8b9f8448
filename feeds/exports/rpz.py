"""A response policy zone (BIND, Unbound, PowerDNS, Knot): names and answers that a resolver denies."""

import ipaddress
import re
from collections.abc import Iterable, Iterator

from feeds.exports.export import Export, Piece, Wishes
from trailhound.trail import Trail, TrailKind

_LONGEST_NAME = 253
# What has a meaning of its own in a zone file, or in a name.
_SPECIAL = re.compile(r"[^a-z0-9_.-]")
_HEAD = """\
$TTL 300
$ORIGIN {zone}.
@ IN SOA localhost. root.localhost. {serial} 3600 600 604800 300
@ IN NS localhost.
"""


def _write(trails: Iterable[Trail], wishes: Wishes) -> Iterator[Piece]:
    # A serial has 32 bits and has to grow: the time the set was made does.
    yield "", _HEAD.format(zone=wishes.zone.rstrip("."), serial=wishes.made % 2**32)
    for trail in trails:
        for owner in _owners(trail):
            if len(owner) + 1 + len(wishes.zone) <= _LONGEST_NAME:
                yield "", f"{_SPECIAL.sub(_escaped, owner)} CNAME .\n"


def _owners(trail: Trail) -> Iterator[str]:
    match trail.kind:
        case TrailKind.DOMAIN:
            yield trail.value
            yield f"*.{trail.value}"
        case TrailKind.TLD:
            yield f"*.{trail.value}"
        case _:
            yield f"{_prefix(trail.value)}.rpz-ip"


def _prefix(text: str) -> str:
    """Spell a network back to front: `24.0.2.0.192`, `32.zz.db8.2001`."""
    network = ipaddress.ip_network(text)
    if network.version == 4:
        parts = str(network.network_address).split(".")
    else:
        parts = _compressed(network.network_address.exploded.split(":"))
    return ".".join([str(network.prefixlen), *reversed(parts)])


def _compressed(groups: list[str]) -> list[str]:
    """Put `zz` in place of the longest run of zeros, as `::` does; BIND refuses what is not the shortest form."""
    short = [format(int(group, 16), "x") for group in groups]
    runs = [(end - start, -start) for start in range(8) for end in range(start + 2, 9) if _zeros(short[start:end])]
    if not runs:
        return short
    length, start = max(runs)
    return [*short[:-start], "zz", *short[-start + length :]]


def _zeros(groups: list[str]) -> bool:
    return all(group == "0" for group in groups)


def _escaped(found: re.Match[str]) -> str:
    # The star of a wildcard stands at the beginning alone; there is no other in a name.
    if found[0] == "*" and found.start() == 0:
        return "*"
    return "".join(f"\\{byte:03d}" for byte in found[0].encode())


EXPORT = Export(
    "a response policy zone for resolvers",
    frozenset({TrailKind.DOMAIN, TrailKind.TLD, TrailKind.IPV4, TrailKind.IPV6, TrailKind.CIDR}),
    _write,
)
