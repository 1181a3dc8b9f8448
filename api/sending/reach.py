"""Where connections go: wherever the site says, but not to link-local addresses and metadata services of clouds.

What a name resolves to is checked, and the connection goes to the address that was checked: whoever runs the name
server cannot make it another one in between. Whoever has taken over a name must not get the credentials of this host.
"""

import ipaddress
import socket
from collections.abc import Iterable

from api.sending.outcome import Later
from feeds.manners import Network
from trailhound.connecting import MOST_ADDRESSES, Address, addresses_of, literal
from trailhound.errors import SendError, UnresolvedError

_METADATA = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::/32",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def is_allowed(address: Address, reachable: Iterable[Network]) -> bool:
    """Tell whether we may connect to an address, also by the IPv4 address that an IPv6 one carries within."""
    every = [address, *_within(address)]
    if any(one in network for network in reachable for one in every if network.version == one.version):
        return True
    return not any(
        one.is_multicast
        or one.is_unspecified
        or one == ipaddress.IPv4Address("255.255.255.255")
        or any(one in network for network in _METADATA if network.version == one.version)
        for one in every
    )


def _within(address: Address) -> Iterable[ipaddress.IPv4Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return
    found = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
    yield from (one for one in found if one is not None)
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)


def refuse_host(host: str, reachable: Iterable[Network]) -> None:
    """Raise `SendError` when a host is by its own words none that we may go to; names are not resolved."""
    address = literal(host)
    if address is not None and not is_allowed(address, reachable):
        raise SendError(_not_allowed(host, address))


def resolve(host: str, port: int, reachable: Iterable[Network], kind: int = socket.SOCK_STREAM) -> list[str]:
    """Give the addresses of a host that we may connect to. Raises `Later` when there are none, or none known."""
    try:
        addresses = addresses_of(host, port, kind)
    except UnresolvedError as error:
        raise Later(str(error)) from error
    good = [str(address) for address in addresses if is_allowed(address, reachable)]
    if not good:
        raise Later(_not_allowed(host, addresses[0]) if addresses else f"{host} has no address")
    return good[:MOST_ADDRESSES]


def _not_allowed(host: str, address: Address) -> str:
    where = host if literal(host) is not None else f"{host} is {address}, which"
    return f"{where} is link-local or a metadata service: nothing is sent there unless it stands in send.reachable"
