"""Finds out who sends a request, before anything else of it is looked at, and turns away what nobody may send.

What a caller may do is the matter of the routes (`api.access.guarding`). Here a request ends when it wants to change
something and has no credentials, when a page of another origin made a browser send it, and when its sender asks too
often.
"""

import base64
import logging
from collections.abc import Mapping
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.access.accounts import MAX_TOKEN, Accounts
from api.access.caller import Caller, Session
from api.access.principal import ANYBODY
from api.guard import FORMS
from api.problems import RETRY_SECONDS, problem
from trailhound import canonical
from trailhound.errors import TrailhoundError
from trailhound.settings import Settings

logger = logging.getLogger(__name__)
COOKIE = "trailhound_session"
# Over TLS the name makes browsers refuse a cookie that plain HTTP, or a neighbouring name, tries to plant.
SECURE_COOKIE = f"__Host-{COOKIE}"
CSRF_HEADER = "x-csrf-token"
SAFE = frozenset({"GET", "HEAD"})
_BEARER = "bearer "
_BASIC = "basic "


class Gate:
    """Leave a `Caller` in the state of each request, or answer it with a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, state = Headers(scope=scope), scope["app"].state
        try:
            caller = await _caller(scope, headers, state.settings, state.accounts)
        except TrailhoundError as error:
            logger.error("Nobody can be let in: %s", error)  # noqa: TRY400 - the message says all
            sorry = problem(503, "Who asks cannot be found out.", headers={"Retry-After": str(RETRY_SECONDS)})
            await sorry(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        refusal = state.pace.refusal(caller) or _refusal(scope, headers, caller)
        await (refusal or self._app)(scope, receive, send)


async def _caller(scope: Scope, headers: Headers, settings: Settings, accounts: Accounts) -> Caller:
    client = scope.get("client")
    address = canonical.address(client[0]) if client else None
    is_relayed = bool(scope.get("state", {}).get("relayed"))
    if settings.api.access == "open":
        return Caller(address, ANYBODY, is_relayed=is_relayed)
    keys = _keys(headers) | (_passwords(headers) if scope["method"] in SAFE else set())
    if len(keys) > 1:
        return Caller(address, problem="One key was expected, not several.", is_relayed=is_relayed, shows_key=True)
    if keys:
        return await run_in_threadpool(_by_key, accounts, keys.pop(), address, is_relayed)
    token = session_token(headers, secure=scope.get("scheme") == "https")
    if token:
        return await run_in_threadpool(_by_session, accounts, token, address, is_relayed)
    return Caller(address, is_relayed=is_relayed)


def _keys(headers: Headers) -> set[str]:
    bearers = [one[len(_BEARER) :] for one in headers.getlist("authorization") if one.lower().startswith(_BEARER)]
    return {one.strip() for one in (*bearers, *headers.getlist("x-api-key"))}


def _passwords(headers: Headers) -> set[str]:
    """Give keys that come as a password: clients of TAXII and firewalls know nothing else.

    Only for reading: a browser would send a password by itself, also for a page of another origin.
    """
    found = set()
    for one in headers.getlist("authorization"):
        if one.lower().startswith(_BASIC):
            try:
                pair = base64.b64decode(one[len(_BASIC) :].strip(), validate=True).decode()
            except ValueError:
                pair = ""
            found.add(pair.partition(":")[2])
    return found


def _by_key(accounts: Accounts, secret: str, address: str | None, is_relayed: bool) -> Caller:  # noqa: FBT001
    key = accounts.key(secret) if 0 < len(secret) <= MAX_TOKEN else None
    if key is None:
        return Caller(address, problem="This key is unknown, or was revoked.", is_relayed=is_relayed, shows_key=True)
    if accounts.is_expired(key):
        return Caller(address, problem=f"The key {key.name} has expired.", is_relayed=is_relayed, shows_key=True)
    return Caller(address, key.principal, is_relayed=is_relayed, shows_key=True)


def _by_session(accounts: Accounts, token: str, address: str | None, is_relayed: bool) -> Caller:  # noqa: FBT001
    found = accounts.session(token)
    if found is None:
        return Caller(address, problem="The session has ended: log in again.", is_relayed=is_relayed)
    session, principal = found
    return Caller(address, principal, session, is_relayed=is_relayed)


def session_token(headers: Mapping[str, str], *, secure: bool) -> str | None:
    """Give the token in the cookie of a session."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    found = cookies.get(SECURE_COOKIE if secure else COOKIE)
    return found.value if found is not None and 0 < len(found.value) <= MAX_TOKEN else None


def _refusal(scope: Scope, headers: Headers, caller: Caller) -> Response | None:
    if scope["method"] in SAFE:
        return None
    if (caller.session is not None or caller.principal is ANYBODY or scope["path"] in FORMS) and not is_own(
        scope, headers
    ):
        return problem(403, "This request comes from a page of another origin.")
    if scope["path"] in FORMS:
        return None  # Each looks at a token of its own.
    if caller.principal is None:
        return problem(
            401,
            caller.problem or "Changing anything needs a session of the console, or a key.",
            headers={"WWW-Authenticate": 'Bearer realm="Trailhound"', "Connection": "close"},
        )
    if caller.session is not None and not is_right_token(caller.session, headers.get(CSRF_HEADER, "")):
        return problem(403, "The token of the session was expected in the header X-CSRF-Token.")
    return None


def is_right_token(session: Session, given: str) -> bool:
    return compare_digest(given.encode("utf-8", "surrogateescape"), session.csrf.encode())


def is_own(scope: Scope, headers: Headers) -> bool:
    """Tell whether a browser says that a page of ours sent this; programs say nothing of it."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    parts = urlsplit(origin)
    return parts.scheme == scope.get("scheme", "http") and parts.netloc.lower() == headers.get("host", "").lower()
