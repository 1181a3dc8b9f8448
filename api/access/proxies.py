"""Where a request really comes from: what trusted proxies say of it, and nothing that others say."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.networks import Networks
from trailhound import canonical

# Whatever says that a request was passed on. From a proxy that is not trusted it makes the address worth nothing.
_MARKS = ("x-forwarded-for", "forwarded", "x-real-ip", "x-forwarded-host", "x-forwarded-proto", "via")
MAX_HOPS = 50


class Proxies:
    """Put the client's address and scheme into the scope, as trusted proxies tell them.

    Of `X-Forwarded-For` the last address that no trusted proxy has is the client's: whatever stands before it was
    written by the client. `state.relayed` says that somebody who is not trusted claims to be a proxy.
    """

    def __init__(self, app: ASGIApp, *, trusted: Sequence[str]) -> None:
        self._app = app
        self._trusted = Networks(tuple(trusted))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            client = scope.get("client")
            peer = canonical.address(client[0]) if client else None
            if peer is not None and self._trusted.holds(peer):
                scope = self._told(scope, headers, peer)
            elif any(mark in headers for mark in _MARKS):
                scope = {**scope, "state": {**scope.get("state", {}), "relayed": True}}
        await self._app(scope, receive, send)

    def _told(self, scope: Scope, headers: Headers, peer: str) -> Scope:
        told = dict(scope)
        address = self._client(headers, peer)
        told["client"] = (address, 0) if address is not None else None
        schemes = headers.getlist("x-forwarded-proto")
        if len(schemes) == 1 and schemes[0].strip().lower() in ("http", "https"):
            told["scheme"] = schemes[0].strip().lower()
        return told

    def _client(self, headers: Headers, peer: str) -> str | None:
        """Give the client's address; None when the chain holds something that is no address."""
        hops = [hop for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
        last = peer
        for hop in reversed(hops[-MAX_HOPS:]):
            address = canonical.address(_bare(hop.strip()))
            if address is None:
                return None
            last = address
            if not self._trusted.holds(address):
                break
        return last


def _bare(hop: str) -> str:
    """Take the port off that some proxies write."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
