"""Sets of networks."""

import ipaddress
import socket
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from trailhound import canonical

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Networks:
    """A set of networks of both families, with a fast answer to whether an address is inside.

    Addresses and networks that map IPv4 into IPv6 count as IPv4.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        parsed = [parse(text) for text in networks]
        self._ranges = {
            4: _ranges([n for n in parsed if isinstance(n, ipaddress.IPv4Network)]),
            6: _ranges([n for n in parsed if isinstance(n, ipaddress.IPv6Network)]),
        }

    def holds(self, address: str) -> bool:
        """Tell whether a canonical address is in one of the networks."""
        family, version = (socket.AF_INET6, 6) if ":" in address else (socket.AF_INET, 4)
        starts, ends = self._ranges[version]
        if not starts:
            return False
        number = int.from_bytes(socket.inet_pton(family, address))
        place = bisect_right(starts, number) - 1
        return place >= 0 and number <= ends[place]

    def rest(self, network: Network) -> Iterator[Network]:
        """Give what is left of a network without these, from its beginning to its end."""
        make = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
        begin, end = int(network.network_address), int(network.broadcast_address)
        for first, last in zip(*self._ranges[network.version], strict=True):
            if last < begin:
                continue
            if first > end:
                break
            if first > begin:
                yield from ipaddress.summarize_address_range(make(begin), make(first - 1))
            begin = last + 1
        if begin <= end:
            yield from ipaddress.summarize_address_range(make(begin), make(end))


def parse(text: str) -> Network:
    """Read an address or a network. Raises `TrailError`."""
    return ipaddress.ip_network(canonical.network(text).value)


def _ranges(networks: Sequence[Network]) -> tuple[list[int], list[int]]:
    collapsed: Sequence[Network] = sorted(ipaddress.collapse_addresses(networks))  # type: ignore[type-var]
    return [int(n.network_address) for n in collapsed], [int(n.broadcast_address) for n in collapsed]
