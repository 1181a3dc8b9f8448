"""Hosts that were found clean: what they did before puts them on no block list any more."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Response
from pydantic import Field

from api import acting
from api.access.guarding import needs
from api.access.principal import Scope
from api.answers_desk import ClearedAnswer, ClearedHostsAnswer
from api.deps import CursorParam, DeskDep
from api.problems import Problem
from api.writing import CHANGED, MADE, AuthorDep, Body, Made, MatchDep, OnceDep, tagged
from stores.desk.contract import MAX_REASON, Cleared

router = APIRouter(prefix="/cleared", tags=["acting"])
_READ = [needs(Scope.READ, whole=True)]
_CHANGE = [needs(Scope.LISTS, whole=True)]
_ORDER = "cleared"
Address = Annotated[str, Path(max_length=64, description="The address of the host.")]


class NewCleared(Body):
    """Which host was found clean, and why."""

    address: str = Field(min_length=1, max_length=64, examples=["45.155.205.233"])
    reason: str = Field(min_length=1, max_length=MAX_REASON, examples=["the owner reinstalled it"])


@router.get("", operation_id="listCleared", summary="Hosts that were cleared", dependencies=_READ)
def list_cleared(
    desk: DeskDep,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100,
    cursor: CursorParam = None,
) -> ClearedHostsAnswer:
    """Give the hosts that were cleared, by address."""
    shown, further = acting.page(desk.all_cleared(), lambda one: (one.address,), limit, cursor, _ORDER)
    return ClearedHostsAnswer(cleared=tuple(map(acting.cleared, shown)), next=further)


@router.get(
    "/{address}",
    operation_id="getCleared",
    summary="One host that was cleared",
    response_model=ClearedAnswer,
    responses={404: {"description": "This host was not cleared.", "model": Problem}},
    dependencies=_READ,
)
def get_cleared(desk: DeskDep, address: Address) -> Response:
    """Give when and why a host was cleared, with its version as `ETag`."""
    found = _found(desk.cleared(acting.host(address)))
    return tagged(acting.cleared(found), found.version)


@router.post(
    "",
    operation_id="clearHost",
    summary="Clear a host",
    status_code=201,
    response_model=ClearedAnswer,
    responses=MADE,
    dependencies=_CHANGE,
)
def clear_host(desk: DeskDep, author: AuthorDep, once: OnceDep, body: NewCleared) -> Response:
    """Take a host off all block lists until it does something new. A decision to block it stays."""
    address = acting.host(body.address)

    def make(_: str) -> Made:
        before = desk.cleared(address)
        version = before.version if before is not None else 0
        made = desk.clear(Cleared(address, body.reason, author.who, author.at, version), author)
        return Made(acting.cleared(made), made.version, f"/api/v1/cleared/{address}")

    return once.make(body, make)


@router.delete(
    "/{address}",
    operation_id="forgetCleared",
    summary="Forget that a host was cleared",
    response_model=ClearedAnswer,
    responses=CHANGED,
    dependencies=_CHANGE,
)
def forget_cleared(desk: DeskDep, author: AuthorDep, match: MatchDep, address: Address) -> Response:
    """Let what a host did before it was cleared count again."""
    known = acting.host(address)
    found = _found(desk.cleared(known))
    match.expect(found.version)
    forgotten = _found(desk.unclear(known, found.version, author))
    return tagged(acting.cleared(forgotten), forgotten.version)


def _found(cleared: Cleared | None) -> Cleared:
    if cleared is None:
        raise HTTPException(404, "This host was not cleared.")
    return cleared
