"""Connections to public addresses only: a feed, or whoever has taken it over, must not send us to the network at home.

What a name resolves to is checked, and the connection then goes to the address that was checked: the name is not
resolved again, so it cannot be another one by then (DNS rebinding). Certificates are still checked against the name.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any, TypeAlias

import httpcore

from feeds.manners import Network
from trailhound.errors import FetchError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
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
_MOST_ADDRESSES = 8


class UnresolvedError(FetchError):
    """A name cannot be resolved; it may be later."""


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


def literal(host: str) -> Address | None:
    """Give the address that a host is, in any form that a resolver takes for one (`127.1`, `0x7f000001`)."""
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ipaddress.AddressValueError):
        return None


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


def resolve(host: str, port: int, reachable: tuple[Network, ...]) -> list[str]:
    """Give the addresses of a host that we may connect to. Raises `FetchError` when there are none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        detail = error.strerror if isinstance(error, OSError) and error.strerror else "it is no name"
        raise UnresolvedError(f"{host} cannot be resolved: {detail}") from error
    addresses = list(dict.fromkeys(ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in found))
    good = [str(address) for address in addresses if allowed(address, reachable)]
    if not good:
        raise FetchError(_not_public(host, addresses[0]) if addresses else f"{host} has no address")
    return good[:_MOST_ADDRESSES]


class Clock:
    """When what is under way has to be over."""

    def __init__(self) -> None:
        self._end = float("inf")

    def start(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return self._end - time.monotonic()

    def shorten(self, timeout: float | None) -> float:
        """Give the time that one step on the network may take. Raises httpcore's `ReadTimeout` when none is left."""
        left = self.left
        if left <= 0:
            raise httpcore.ReadTimeout("the time for the whole document is over")
        return left if timeout is None else min(timeout, left)


class TimedStream(httpcore.NetworkStream):
    """A connection on which no step outlasts the clock: a server may send one byte a second, but not for ever."""

    def __init__(self, stream: httpcore.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._clock.shorten(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.shorten(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._stream.start_tls(ssl_context, server_hostname, self._clock.shorten(timeout))
        return TimedStream(inner, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class GuardedNetwork(httpcore.SyncBackend):
    """The network as httpcore sees it: names resolve to addresses that we may connect to, and the clock runs."""

    def __init__(self, reachable: tuple[Network, ...], clock: Clock, *, proxy: tuple[str, int] | None = None) -> None:
        super().__init__()
        self._reachable = reachable
        self._clock = clock
        self._proxy = proxy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        # The proxy is the site's own choice, wherever it stands.
        addresses = [host] if (host, port) == self._proxy else resolve(host, port, self._reachable)
        for last, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
            try:
                stream = super().connect_tcp(address, port, self._clock.shorten(timeout), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not last:
                    raise
            else:
                return TimedStream(stream, self._clock)
        raise httpcore.ConnectError(f"{host} has no address")
