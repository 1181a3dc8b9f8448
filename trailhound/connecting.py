"""Connections to addresses that were checked: a name is resolved once, and nobody can make it another one in between.

Which addresses are good is for whoever connects to say; certificates are still checked against the name.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import httpcore

from trailhound.errors import UnresolvedError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
MOST_ADDRESSES = 8  # That are tried of one host.
# Gives the addresses of a host and port that may be connected to, or raises.
Resolve = Callable[[str, int], Sequence[str]]


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


def addresses_of(host: str, port: int, kind: int = socket.SOCK_STREAM) -> list[Address]:
    """Give the addresses that a name resolves to. Raises `UnresolvedError`."""
    try:
        found = socket.getaddrinfo(host, port, type=kind)
    except (OSError, UnicodeError) as error:
        detail = error.strerror if isinstance(error, OSError) and error.strerror else "it is no name"
        raise UnresolvedError(f"{host} cannot be resolved: {detail}") from error
    return list(dict.fromkeys(ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in found))


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


class CheckedNetwork(httpcore.SyncBackend):
    """The network as httpcore sees it: names resolve as they are told to, and the clock runs."""

    def __init__(self, resolve: Resolve, clock: Clock, *, proxy: tuple[str, int] | None = None) -> None:
        super().__init__()
        self._resolve = resolve
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
        addresses = [host] if (host, port) == self._proxy else self._resolve(host, port)[:MOST_ADDRESSES]
        for last, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
            try:
                stream = super().connect_tcp(address, port, self._clock.shorten(timeout), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not last:
                    raise
            else:
                return TimedStream(stream, self._clock)
        raise httpcore.ConnectError(f"{host} has no address")
