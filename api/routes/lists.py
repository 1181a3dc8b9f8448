"""Block lists, for firewalls."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import PlainTextResponse

from api.blocklist import BlockLists, Family, Networks
from api.deps import NowDep, SettingsDep, refuse_unknown
from api.problems import Problem
from trailhound import canonical


def _listed_client(request: Request, settings: SettingsDep) -> None:
    """Let only clients of `api.list_networks` know that there are lists.

    The address is that of the connection. What `X-Forwarded-For` says is not asked: anybody can write it.
    """
    client = canonical.address(request.client.host) if request.client else None
    if client is None or not Networks(settings.api.list_networks).holds(client):
        raise HTTPException(404)


# The order matters: a foreign client is told that there is no page before its parameters are looked at.
router = APIRouter(tags=["lists"], dependencies=[Depends(_listed_client), Depends(refuse_unknown)])


@router.get(
    "/fail2ban",
    operation_id="getFail2banList",
    summary="Addresses to block, one a line",
    response_class=PlainTextResponse,
    responses={
        200: {"content": {"text/plain": {"example": "45.155.205.233\n80.94.92.10\n"}}},
        304: {"description": "The list is the one whose `ETag` the request named."},
        404: {"description": "The client is not in `api.list_networks`.", "model": Problem},
    },
)
def get_fail2ban_list(
    request: Request,
    now: NowDep,
    family: Annotated[
        Family, Query(description="IPv4 only, as scripts for fail2ban expect it; 6 for IPv6 only, any for both.")
    ] = "4",
) -> Response:
    """Give the public addresses that attacked, strongest first; an empty list is an empty answer."""
    lists: BlockLists = request.app.state.lists
    found = lists.get(family, now)
    headers = {"ETag": found.tag, "Cache-Control": "private, no-cache"}
    if _names(request.headers.get("if-none-match", ""), found.tag):
        return Response(status_code=304, headers=headers)
    return PlainTextResponse(found.body, headers=headers)


def _names(condition: str, tag: str) -> bool:
    """Compare weakly, as RFC 9110 asks for `If-None-Match`."""
    opaque = tag.removeprefix("W/")
    return any(one.strip().removeprefix("W/") in (opaque, "*") for one in condition.split(","))
