"""What is turned away before any route sees it: foreign host names, other methods, bodies that are none of ours.

A page that a browser of this host has open must not be able to read the API. Browsers enforce that by origin, except
when the page's own name is made to resolve to this host (DNS rebinding). Such a request still carries the page's name
in `Host`; therefore only these are answered: names of the loopback, names that the settings know, and addresses, which
nobody can rebind.
"""

import ipaddress
from collections.abc import Iterable
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from trailhound import canonical

LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost", "ip6-loopback", "localhost.localdomain"})
_READING = ("GET", "HEAD")
_METHODS = (*_READING, "POST", "PUT", "PATCH", "DELETE")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
# Forms of the console; everything else takes JSON, which no form of a foreign page can send.
FORMS = frozenset({"/login", "/logout"})


class Guard:
    """Let a request through, or answer it with a problem; HEAD is GET without a body."""

    def __init__(self, app: ASGIApp, *, names: Iterable[str], max_body: int) -> None:
        self._app = app
        self._max_body = max_body
        self._too_large = f"A body of {max_body} bytes at most was expected."
        self._names = LOOPBACK_NAMES | {canonical.name(name) or name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        app: ASGIApp = refusal or self._app
        if scope["method"] == "HEAD":
            await app({**scope, "method": "GET", "is_head": True}, receive, _without_body(send))
        else:
            await app(scope, self._bounded(receive), send)

    def _bounded(self, receive: Receive) -> Receive:
        """Count what arrives of a body that does not say how long it is."""
        left = self._max_body

        async def receive_some() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_large, {"Connection": "close"})
            return message

        return receive_some

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._known(hosts[0]):
            return problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                "The Host header must be an address, a name of the loopback, api.host, or one of api.names.",
            )
        if scope["method"] not in _METHODS:
            allowed = {"Allow": ", ".join(_METHODS)}
            return problem(HTTPStatus.METHOD_NOT_ALLOWED, "There is no such method here.", headers=allowed)
        if not (headers.get("content-length", "0").strip("0") or "transfer-encoding" in headers):
            return None
        if "content-length" in headers and "transfer-encoding" in headers:
            # Where one server goes by the length and the next by the chunks, a request hides in the body of another.
            twice = "A body has a length or chunks, not both."
            return problem(HTTPStatus.BAD_REQUEST, twice, headers={"Connection": "close"})
        if scope["method"] in _READING:
            return problem(HTTPStatus.BAD_REQUEST, "This request cannot have a body.", headers={"Connection": "close"})
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) <= 20) or int(length) > self._max_body:
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_large, headers={"Connection": "close"})
        expected = FORM if scope["path"] in FORMS else JSON
        if [one.partition(";")[0].strip().lower() for one in headers.getlist("content-type")] != [expected]:
            refused = f"A body of the type {expected} was expected."
            return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, refused, headers={"Connection": "close"})
        return None

    def _known(self, host: str) -> bool:
        name, port = _split(host)
        if port is not None and not (port.isascii() and port.isdigit()):
            return False
        return name.lower().rstrip(".") in self._names or _is_address(name)


def _split(host: str) -> tuple[str, str | None]:
    """Split `Host` into name or address and port; the colons of an IPv6 address are inside brackets."""
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        if not bracket or rest[:1] not in ("", ":"):
            return "", None
        return name, rest[1:] if rest else None
    name, colon, port = host.partition(":")
    return name, port if colon else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
