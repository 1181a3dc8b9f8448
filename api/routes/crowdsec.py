"""The part of CrowdSec's local API that bouncers use."""

from collections.abc import Sequence
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator, Field

from api.access.caller import Caller
from api.access.guarding import CallerDep, needs
from api.access.principal import Scope
from api.answers_lists import BouncerDecision, BouncerStream
from api.conditions import Network
from api.deps import NowDep, SettingsDep, refuse_unknown
from api.lists import bouncers
from api.lists.bouncers import Bouncers, Filters, Row
from api.lists.entry import Entry
from api.lists.rule import Rule, named
from api.routes.lists import seen_by
from trailhound.settings import Settings

router = APIRouter(prefix="/v1", tags=["lists"], dependencies=[needs(Scope.LISTS), Depends(refuse_unknown)])


def _lower(text: str) -> str:
    return text.lower()


def _some(description: str) -> object:
    return Query(max_length=500, description=f"{description} Several are parted by commas.")


Words = Annotated[str, AfterValidator(_lower)]
Number = Annotated[int, Field(ge=0, le=2**53)]


async def _filters(
    scopes: Annotated[Words, _some("`ip`, `range`.")] = "",
    origins: Annotated[Words, _some("Where decisions come from; all of ours come from `trailhound`.")] = "",
    scenarios_containing: Annotated[Words, _some("Words in the scenario.")] = "",
    scenarios_not_containing: Annotated[Words, _some("Words that are not in the scenario.")] = "",
) -> Filters:
    return Filters(
        scopes=_parts(scopes),
        origins=_parts(origins),
        containing=_parts(scenarios_containing),
        not_containing=_parts(scenarios_not_containing),
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


async def _bouncers(request: Request) -> Bouncers:
    found: Bouncers = request.app.state.bouncers
    return found


FiltersDep = Annotated[Filters, Depends(_filters)]
BouncersDep = Annotated[Bouncers, Depends(_bouncers)]


def _rules(settings: Settings, caller: Caller) -> tuple[Rule, ...]:
    return tuple(seen_by(caller, named(name, settings.lists.all[name])) for name in settings.lists.bouncers)


@router.get(
    "/decisions",
    operation_id="getDecisionsForBouncers",
    summary="What a bouncer of CrowdSec asks of one address",
    response_class=Response,
    responses={200: {"model": tuple[BouncerDecision, ...] | None, "description": "`null` when there are none."}},
)
def get_decisions(
    settings: SettingsDep,
    caller: CallerDep,
    known: BouncersDep,
    filters: FiltersDep,
    now: NowDep,
    ip: Annotated[Network | None, Query(description="An address.")] = None,
    range_: Annotated[Network | None, Query(alias="range", description="A network.")] = None,
    contains: Annotated[bool, Query(description="Give what holds `range`; else what lies in it.")] = True,  # noqa: FBT002
    scope: Annotated[Words, _some("As `scopes`.")] = "",
    value: Annotated[Network | None, Query(description="An address or network, exactly.")] = None,
    type_: Annotated[Words, Query(alias="type", max_length=64, description="All of ours are `ban`.")] = "",
    limit: Annotated[int, Query(ge=0, le=10_000_000, description="How many at most; 0: all.")] = 0,
) -> Response:
    """Give the decisions in force on an address, or all of them."""
    wanted = Filters(
        (*filters.scopes, *_parts(scope)), filters.origins, _parts(type_), filters.containing, filters.not_containing
    )
    found = known.decisions(_rules(settings, caller), wanted, now)
    if value is not None:
        found = [entry for entry in found if entry.value == value]
    for network, outward in ((ip, True), (range_, contains)):
        if network is not None:
            found = list(filter(bouncers.holding(network, contains=outward), found))
    rows = _rows(caller, found[: limit or None], now)
    # As CrowdSec itself: bouncers take an empty list for a decision.
    return _json(rows or None)


@router.get(
    "/decisions/stream",
    operation_id="streamDecisionsToBouncers",
    summary="What has changed for a bouncer of CrowdSec since it last asked",
    response_class=Response,
    responses={200: {"model": BouncerStream, "description": "What is new, and what is deleted."}},
)
def stream_decisions(
    request: Request,
    settings: SettingsDep,
    caller: CallerDep,
    known: BouncersDep,
    filters: FiltersDep,
    now: NowDep,
    startup: Annotated[bool, Query(description="Give everything, as to a bouncer that knows nothing.")] = False,  # noqa: FBT002
    dedup: Annotated[bool, Query(description="Taken for the sake of bouncers: a value is given once anyway.")] = True,  # noqa: FBT002
    community_pull: Annotated[bool, Query(description="Taken for the sake of bouncers.")] = True,  # noqa: FBT002
    additional_pull: Annotated[bool, Query(description="Taken for the sake of bouncers.")] = True,  # noqa: FBT002
) -> Response:
    """Give a bouncer what it does not know yet, and what it shall forget."""
    del dedup, community_pull, additional_pull
    rules = _rules(settings, caller)
    name = caller.principal.name if caller.principal is not None else ""
    who = (name, caller.address or "", request.headers.get("user-agent", "")[:255])
    # A bouncer that only looks whether its key is good has not heard what it was not given.
    keep = not request.scope.get("is_head", False)
    new, deleted = known.stream(who, rules, filters, now, startup=startup, keep=keep)
    return _json({"new": _rows(caller, new, now), "deleted": _rows(caller, deleted, now)})


def _rows(caller: CallerDep, entries: Sequence[Entry], now: int) -> list[Row]:
    sees_reasons = caller.principal is not None and caller.principal.sees_custom
    return [bouncers.row(entry if sees_reasons else entry.without_reason, now) for entry in entries]


def _json(content: object) -> Response:
    return Response(orjson.dumps(content), media_type="application/json", headers={"Cache-Control": "no-store"})
