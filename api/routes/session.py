"""Logging in and out, for people; who one is, for programs."""

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api.access.entry import Entered, Entry
from api.access.gate import COOKIE, SECURE_COOKIE, is_right_token
from api.access.guarding import CallerDep, PrincipalDep, needs, public
from api.access.principal import Scope
from api.answer import Answer, example
from trailhound import __version__

pages = APIRouter(include_in_schema=False, dependencies=[public()])
router = APIRouter(tags=["access"], dependencies=[needs(Scope.READ)])
MAX_FORM = 8192
_FIELDS = ("user", "password", "next", "csrf")
_WRONG = "User name or password is wrong."


class SessionAnswer(Answer):
    """Who asks, and what they may."""

    model_config = example(
        name="alice", kind="user", scopes=["lists", "read", "triage"], networks=[], sees_custom=True, csrf="aG91bmQ"
    )

    name: str
    kind: Literal["user", "key", "open", "network"]
    scopes: tuple[Scope, ...]
    networks: tuple[str, ...] = Field(description="Only events of these networks are answered; empty: all are.")
    sees_custom: bool = Field(description="Whether trails of the site's own are shown as they are.")
    csrf: str | None = Field(
        description="What a session has to send as `X-CSRF-Token` with whatever changes something; null for keys."
    )


@router.get("/session", operation_id="getSession", summary="Who one is, and what one may")
def get_session(principal: PrincipalDep, caller: CallerDep) -> SessionAnswer:
    """Give name, scopes and networks of the credentials of this request."""
    return SessionAnswer(
        name=principal.name,
        kind=principal.kind,
        scopes=tuple(sorted(principal.scopes)),
        networks=principal.networks,
        sees_custom=principal.sees_custom,
        csrf=caller.session.csrf if caller.session is not None else None,
    )


@pages.get("/login", response_class=HTMLResponse)
def get_login(
    request: Request, caller: CallerDep, next_: Annotated[str, Query(alias="next", max_length=2048)] = "/"
) -> Response:
    """Show the form, or go on for whoever is logged in."""
    if caller.principal is not None:
        return RedirectResponse(local(next_), status_code=303)
    return _form(request, next_)


@pages.post("/login", response_class=HTMLResponse)
async def post_login(request: Request, caller: CallerDep) -> Response:
    """Begin a session, and go back to where one was."""
    given = await _fields(request)
    if request.app.state.settings.api.access == "open":
        return RedirectResponse(local(given["next"]), status_code=303)
    entry: Entry = request.app.state.entry
    entered = await run_in_threadpool(entry.log_in, caller, given["user"], given["password"])
    if not isinstance(entered, Entered):
        said = f"{_WRONG} The next try is looked at in {entered.wait} seconds." if entered.wait else _WRONG
        return _form(request, given["next"], user=given["user"], error=said, wait=entered.wait)
    answer = RedirectResponse(local(given["next"]), status_code=303)
    _set_cookie(request, answer, entered.token)
    return answer


@pages.post("/logout")
async def post_logout(request: Request, caller: CallerDep) -> Response:
    """End the session."""
    given = await _fields(request)
    if caller.session is not None and not is_right_token(caller.session, given["csrf"]):
        raise HTTPException(403, "The token of the session was expected in the form.")
    entry: Entry = request.app.state.entry
    await run_in_threadpool(entry.log_out, caller)
    answer = RedirectResponse("/login", status_code=303)
    _set_cookie(request, answer, "")
    return answer


def local(target: str) -> str:
    """Give a path of ours to go to; whatever else was asked for becomes the first page."""
    parts = urlsplit(target) if target.isascii() and target.isprintable() and "\\" not in target else None
    if parts is None or parts.scheme or parts.netloc or not parts.path.startswith("/") or target.startswith("//"):
        return "/"
    return "/" if parts.path in ("/login", "/logout") else target


def _form(
    request: Request,
    target: str,
    *,
    user: str = "",
    error: str = "",
    wait: int = 0,
) -> Response:
    status = 429 if wait else 403 if error else 200
    headers = {"Retry-After": str(wait)} if wait else None
    template = request.app.state.templates.get_template("login.html")
    page = template.render(next=local(target), user=user[:64], error=error, version=__version__)
    return HTMLResponse(page, status_code=status, headers=headers)


async def _fields(request: Request) -> Mapping[str, str]:
    """Read a form of ours. Raises 413 and 400."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM:
            raise HTTPException(413, "The form is too large.")
    try:
        found = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=len(_FIELDS), errors="strict")
    except ValueError as error:
        raise HTTPException(400, "This is no form of ours.") from error
    return {name: found.get(name, [""])[0] for name in _FIELDS}


def _set_cookie(request: Request, answer: Response, token: str) -> None:
    """Give the cookie, or take it away (the empty token). It ends with the browser, if the session does not before."""
    secure = request.url.scheme == "https"
    answer.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        token,
        max_age=None if token else 0,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )
