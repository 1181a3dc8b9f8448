"""What routes ask for, as types.

Dependencies that wait for nothing are coroutines: a plain function goes to a thread of its own, and the way there takes
longer than what these do.
"""

import difflib
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError

from api.access.caller import caller_of
from api.access.guarding import operations
from api.access.sight import PublicTrails, seen_by
from api.conditions import condition
from api.countries import Countries
from api.lookup import TrailLookup
from api.problems import parameter_error
from feeds.status import Statuses
from stores import contract
from stores.desk import Desk
from stores.desk.asking import settled
from trailhound.errors import SearchError
from trailhound.settings import Settings


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _store(request: Request) -> contract.Store:
    """Give the store as whoever asks may see it."""
    store: contract.Store = request.app.state.store
    principal = caller_of(request.scope).principal
    return store if principal is None else seen_by(principal, store)


async def _trails(request: Request) -> TrailLookup:
    trails: TrailLookup = request.app.state.trails
    principal = caller_of(request.scope).principal
    return trails if principal is None or principal.sees_custom else PublicTrails(trails)


async def _feeds(request: Request) -> Statuses:
    feeds: Statuses = request.app.state.feeds
    return feeds


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def _query(
    query: Annotated[contract.Query, Depends(condition)],
    desk: Annotated[Desk, Depends(_desk)],
    store: Annotated[contract.Store, Depends(_store)],
) -> contract.Query:
    """Put the threats that people mean in the place of what they said of them."""
    if query.where is None:
        return query
    try:
        # What people said is read from the desk: only that waits for a disk.
        return replace(query, where=await run_in_threadpool(settled, query.where, desk, store))
    except SearchError as error:
        raise parameter_error("search", str(error)) from error


async def _countries(request: Request) -> Countries:
    countries: Countries = request.app.state.countries
    return countries


async def _now(request: Request) -> int:
    return int(request.app.state.clock())


async def _trouble(request: Request) -> str | None:
    trouble: str | None = request.app.state.trouble()
    return trouble


SettingsDep = Annotated[Settings, Depends(_settings)]
StoreDep = Annotated[contract.Store, Depends(_store)]
TrailsDep = Annotated[TrailLookup, Depends(_trails)]
FeedsDep = Annotated[Statuses, Depends(_feeds)]
CountriesDep = Annotated[Countries, Depends(_countries)]
TroubleDep = Annotated[str | None, Depends(_trouble)]
NowDep = Annotated[int, Depends(_now)]
DeskDep = Annotated[Desk, Depends(_desk)]
QueryDep = Annotated[contract.Query, Depends(_query)]
CursorParam = Annotated[
    str | None, Query(min_length=1, max_length=4096, description="Where to go on: `next` of the answer before.")
]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]


async def refuse_unknown(request: Request) -> None:
    """Refuse a parameter that the route does not have, and the repetition of one that has a single value.

    A mistyped condition that is passed over makes an answer that looks right and is not. What a route has is read from
    the OpenAPI document, so the two cannot disagree.
    """
    given = [name for name, _ in request.query_params.multi_items()]
    if not given:
        return
    # By its id: the path of a route inside a router lacks the prefix that the router was included with.
    operation_id = request.scope["route"].operation_id
    operation = next(one for one in operations(request.app.openapi()) if one["operationId"] == operation_id)
    principal = caller_of(request.scope).principal
    if "x-scope" in operation and (principal is None or operation["x-scope"] not in principal.scopes):
        return  # Whoever may not call at all is told that, and not which parameters there are.
    known = {one["name"]: one["schema"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    errors = []
    for name in dict.fromkeys(given):
        if name not in known:
            errors.append((name, _unknown(name, list(known))))
        elif known[name].get("type") != "array" and given.count(name) > 1:
            errors.append((name, "this parameter can be given once only"))
    if errors:
        raise RequestValidationError(
            [{"type": "value_error", "loc": ("query", name[:64]), "msg": message} for name, message in errors]
        )


def _unknown(name: str, known: list[str]) -> str:
    if not known:
        return "this page has no parameters"
    near = difflib.get_close_matches(name[:64].lower(), known, n=1, cutoff=0.4)
    return "there is no such parameter; " + (f"the nearest is {near[0]}" if near else f"there are {', '.join(known)}")
