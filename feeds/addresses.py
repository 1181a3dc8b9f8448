"""Connections to public addresses only: a feed, or whoever has taken it over, must not send us to the network at home.

What a name resolves to is checked, and the connection then goes to the address that was checked: the name is not
resolved again, so it cannot be another one by then (DNS rebinding). Certificates are still checked against the name.
"""

import ipaddress
from collections.abc import Iterable

from feeds.manners import Network
from trailhound.connecting import Address, addresses_of, literal
from trailhound.errors import FetchError

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::/96",
        "192.88.99.0/24",  # Relays of 6to4, which lead anywhere.
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public Internet, also by what an IPv6 address carries within."""
    if isinstance(address, ipaddress.IPv6Address):
        within = _within(address)
        if within is not None:
            return is_public(within)
    special = any(network.version == address.version and address in network for network in _NOT_PUBLIC)
    return address.is_global and not address.is_multicast and not special


def _within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Give the IPv4 address that traffic to an IPv6 address ends at."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def allowed(address: Address, reachable: Iterable[Network]) -> bool:
    """Tell whether we may connect to an address; `reachable` are the networks that the site allows besides."""
    if is_public(address):
        return True
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    plain = mapped or address
    return any(plain in network for network in reachable if network.version == plain.version)


def refuse_host(host: str, reachable: Iterable[Network]) -> None:
    """Raise `FetchError` when a host is by its own words none that we may go to; names are not resolved."""
    address = literal(host)
    if address is not None and not allowed(address, reachable):
        raise FetchError(_not_public(host, address))
    is_home = host.rstrip(".").lower() == "localhost" or host.rstrip(".").lower().endswith(".localhost")
    if is_home and not allowed(ipaddress.IPv4Address("127.0.0.1"), reachable):
        raise FetchError(_not_public(host, ipaddress.IPv4Address("127.0.0.1")))


def _not_public(host: str, address: Address) -> str:
    where = host if literal(host) is not None else f"{host} is {address}, which"
    return f"{where} is no public address; a network at home that feeds may come from has to stand in feeds.reachable"


def resolve(host: str, port: int, reachable: Iterable[Network]) -> list[str]:
    """Give the addresses of a host that we may connect to. Raises `FetchError` when there are none."""
    addresses = addresses_of(host, port)
    good = [str(address) for address in addresses if allowed(address, reachable)]
    if not good:
        raise FetchError(_not_public(host, addresses[0]) if addresses else f"{host} has no address")
    return good
