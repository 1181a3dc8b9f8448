"""Addresses and networks as conditions and block lists see them."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def span(text: str) -> tuple[Address, Address] | None:
    """Give the first and last address of an address or network, or None when it is neither.

    An IPv4-mapped address is the IPv4 address that it maps.
    """
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    first, last = network.network_address, network.broadcast_address
    if isinstance(first, ipaddress.IPv6Address) and isinstance(last, ipaddress.IPv6Address):
        if first.ipv4_mapped and last.ipv4_mapped:
            return first.ipv4_mapped, last.ipv4_mapped
        # A scope says where an address is good, not which it is.
        return ipaddress.IPv6Address(int(first)), ipaddress.IPv6Address(int(last))
    return first, last


def is_public(text: str) -> bool:
    """Tell whether an address may stand on a block list: globally routable, of one host."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_global and not address.is_multicast
