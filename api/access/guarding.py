"""What a route asks of whoever calls it: every route has exactly one owner, and the application is not made without.

    router = APIRouter(dependencies=[needs(Scope.READ)])

The owner is a dependency, so that it is asked before any parameter is looked at. Who calls was found out before
(`api.access.gate`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Protocol, cast
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.responses import RedirectResponse
from fastapi.routing import RouteContext, iter_route_contexts

from api.access import diary
from api.access.caller import Caller, caller_of
from api.access.principal import Principal, Scope
from api.networks import Networks
from trailhound.settings import Settings

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Trailhound"'}
NOT_LOGGED_IN = "Credentials were expected: a session of the console, or a key as Authorization: Bearer or X-Api-Key."


class LogInFirst(Exception):  # noqa: N818 - no error, but the way to the page
    """Whoever wanted this page has to log in first."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target


def to_log_in(_request: Request, error: Exception) -> Response:
    """Answer with the way to the log-in, which leads back."""
    assert isinstance(error, LogInFirst)  # noqa: S101 - tells the type; Starlette chose by it
    return RedirectResponse(f"/login?{urlencode({'next': error.target})}" if error.target != "/" else "/login", 303)


class Owner(Protocol):
    """Decides who may call a route."""

    @property
    def scope(self) -> Scope | None: ...

    @property
    def word(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Needs:
    """Credentials with a scope."""

    scope: Scope
    whole: bool
    own: bool = False
    is_page: bool = False
    word: str = "scope"

    async def __call__(self, request: Request) -> None:
        caller = caller_of(request.scope)
        principal = caller.principal
        if principal is None:
            if self.is_page and not caller.shows_key:
                raise LogInFirst(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
            if caller.shows_key:
                diary.write("key-refused", caller.address, "")
            raise HTTPException(401, caller.problem or NOT_LOGGED_IN, _CHALLENGE)
        if self.scope not in principal.scopes:
            raise HTTPException(403, f"This needs the scope {self.scope}, which {principal.name} does not have.")
        if self.whole and principal.is_restricted:
            raise HTTPException(403, "This tells of all networks, and so only whoever may see them all is answered.")
        if self.own and not principal.sees_custom:
            raise HTTPException(403, f"{principal.name} may not see the trails that people of this site made.")


@dataclass(frozen=True, slots=True)
class _Public:
    """Nothing: the answer tells nothing of this installation."""

    scope: None = None
    word: str = "public"

    async def __call__(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class _OwnKey:
    """A key that is none of an account; a dependency of the route itself looks at it."""

    is_optional: bool = False
    scope: None = None
    word: str = "own-key"

    async def __call__(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class _ByNetwork:
    """An address in the networks of the settings, or credentials with a scope. To all others there is no such page."""

    scope: Scope
    networks: str
    word: str = "network"

    async def __call__(self, request: Request) -> None:
        settings: Settings = request.app.state.settings
        admit(request, getattr(settings.api, self.networks), self.scope)


def admit(request: Request, networks: tuple[str, ...], scope: Scope) -> None:
    """Let only clients of these networks, or with credentials of the scope, know that there is a page.

    An address that a proxy which is not trusted gave us says nothing of where the client is. Raises 404.
    """
    caller = caller_of(request.scope)
    principal = caller.principal
    if principal is not None and scope in principal.scopes:
        return
    if not caller.is_relayed and caller.address is not None and _networks(networks).holds(caller.address):
        if principal is None:
            request.scope["state"]["caller"] = caller.by_network(scope)
        return
    raise HTTPException(404)


@lru_cache(maxsize=64)
def _networks(networks: tuple[str, ...]) -> Networks:
    return Networks(networks)


def needs(scope: Scope, *, whole: bool = False, own: bool = False, page: bool = False) -> Any:
    """Ask for credentials with a scope.

    With `whole` for somebody who is not restricted to some networks, with `own` for somebody who may see trails of the
    site's own; a `page` is for people, who are sent to the log-in and come back.
    """
    return Depends(_Needs(scope, whole, own, page))


def public() -> Any:
    """Answer everybody."""
    return Depends(_Public())


def own_key(*, optional: bool = False) -> Any:
    """Leave the matter to a dependency of the route, which looks at keys of its own; `optional` when not only there."""
    return Depends(_OwnKey(optional))


def by_network(scope: Scope = Scope.LISTS, *, networks: str = "list_networks") -> Any:
    """Answer clients in the networks of a setting (`api.` …), and credentials with the scope; else 404."""
    return Depends(_ByNetwork(scope, networks))


async def _principal(request: Request) -> Principal:
    caller = caller_of(request.scope)
    if caller.principal is None:
        raise HTTPException(401, caller.problem or NOT_LOGGED_IN, _CHALLENGE)
    return caller.principal


async def _caller(request: Request) -> Caller:
    return caller_of(request.scope)


PrincipalDep = Annotated[Principal, Depends(_principal)]
CallerDep = Annotated[Caller, Depends(_caller)]


def owners(app: FastAPI) -> Iterator[tuple[RouteContext, tuple[Owner, ...]]]:
    """Give every route with whoever owns it."""
    for context in iter_route_contexts(app.routes):
        dependant = cast("Dependant | None", getattr(context, "dependant", None))
        yield context, tuple(_found(dependant)) if dependant is not None else ()


def _found(dependant: Dependant) -> Iterator[Owner]:
    for one in dependant.dependencies:
        if isinstance(one.call, _Needs | _Public | _OwnKey | _ByNetwork):
            yield one.call
        yield from _found(one)


def check_owners(app: FastAPI) -> None:
    """Refuse to make an application in which somebody forgot to say who may call a route."""
    for context, found in owners(app):
        if len(found) != 1:
            raise TypeError(f"{context.path}: one owner of the route was expected, it has {len(found)}")


def describe(app: FastAPI, document: dict[str, Any]) -> None:
    """Write into the OpenAPI document what each operation asks for."""
    document.setdefault("components", {})["securitySchemes"] = _SCHEMES
    owned = {getattr(context, "operation_id", None): found[0] for context, found in owners(app) if found}
    for operation in operations(document):
        owner = owned.get(operation["operationId"])
        operation["security"] = _security(owner)
        if owner is not None and owner.scope is not None:
            operation["x-scope"] = str(owner.scope)


def _security(owner: Owner | None) -> list[Mapping[str, list[str]]]:
    if owner is None or owner.word == "public":
        return []
    if isinstance(owner, _OwnKey) and not owner.is_optional:
        return [{"bearer": []}]
    is_free = owner.word != "scope"
    return [*([{}] if is_free else []), *({name: []} for name in _SCHEMES)]


def operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for _, operation in by_method(document):
        yield operation


def by_method(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every operation with its method, in small letters."""
    for path in document["paths"].values():
        for method, operation in path.items():
            if method in _METHODS:
                yield method, operation


_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_SCHEMES: dict[str, Any] = {
    "session": {"type": "apiKey", "in": "cookie", "name": "trailhound_session"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
}
