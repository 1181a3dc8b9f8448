"""Block lists, for firewalls."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from api.access.caller import Caller, caller_of
from api.access.guarding import CallerDep, admit, by_network, own_key
from api.access.principal import Scope
from api.deps import NowDep, SettingsDep, refuse_unknown
from api.lists.forms import FORMS, TXT, Form
from api.lists.kept import BlockLists
from api.lists.listing import Listing
from api.lists.rule import Family, Rule, classic, named
from api.problems import Problem
from trailhound.listing import LIST_NAME
from trailhound.settings import Settings

FormWord = Literal["txt", "json", "ipset", "nft", "pf", "mikrotik", "rpz", "dnsmasq", "hosts", "edl"]
_HEADERS = {"X-List-Count": {"description": "How many entries the list has.", "schema": {"type": "integer"}}}
_ADDRESSES = {"text/plain": {"schema": {"type": "string"}, "example": "45.155.205.233\n80.94.92.10\n"}}
_OBJECTS = {"application/json": {"schema": {"type": "object"}}}
_SAME: dict[str, object] = {"description": "The list is the one whose `ETag` the request named."}
_HIDDEN = {"description": "There is no such list, or none for this client.", "model": Problem}
_RESPONSES: dict[int | str, dict[str, object]] = {
    200: {"content": _ADDRESSES, "headers": _HEADERS},
    304: _SAME,
    404: _HIDDEN,
}


async def _lists(request: Request) -> BlockLists:
    lists: BlockLists = request.app.state.lists
    return lists


async def _admitted(request: Request) -> None:
    """Tell whoever may not read a list that there is no such page, be there such a list or not."""
    settings: Settings = request.app.state.settings
    found = settings.lists.all.get(request.path_params["name"])
    networks = settings.api.list_networks if found is None or found.networks is None else found.networks
    admit(request, networks, Scope.LISTS)


ListsDep = Annotated[BlockLists, Depends(_lists)]
Name = Annotated[str, Path(pattern=LIST_NAME, openapi_examples={"attackers": {"value": "attackers"}})]
# The order matters: a foreign client is told that there is no page before its parameters are looked at.
router = APIRouter(tags=["lists"], dependencies=[by_network(), Depends(refuse_unknown)])
by_name = APIRouter(tags=["lists"], dependencies=[own_key(optional=True), Depends(_admitted), Depends(refuse_unknown)])


@router.get(
    "/fail2ban",
    operation_id="getFail2banList",
    summary="Addresses to block, one a line",
    response_class=Response,
    responses=_RESPONSES,
)
def get_fail2ban_list(
    request: Request,
    settings: SettingsDep,
    lists: ListsDep,
    caller: CallerDep,
    now: NowDep,
    family: Annotated[
        Family, Query(description="IPv4 only, as scripts for fail2ban expect it; 6 for IPv6 only, any for both.")
    ] = "4",
) -> Response:
    """Give the public addresses that attacked, strongest first; an empty list is an empty answer."""
    return _answer(request, lists.get(seen_by(caller, classic(family, settings)), now), TXT)


@by_name.get(
    "/blacklist/{name}",
    operation_id="getBlacklist",
    summary="A list by its name, one entry a line",
    response_class=Response,
    responses=_RESPONSES,
)
def get_blacklist(request: Request, name: Name, settings: SettingsDep, lists: ListsDep, now: NowDep) -> Response:
    """Give a list of the settings; the same as `/lists/NAME.txt`."""
    return _answer(request, lists.get(_rule(request, name, settings), now), TXT)


@by_name.get(
    "/lists/{name}.{form}",
    operation_id="getList",
    summary="A list by its name, in the form that a firewall or resolver takes",
    response_class=Response,
    responses=_RESPONSES | {200: {"content": {**_ADDRESSES, **_OBJECTS}, "headers": _HEADERS}},
)
def get_list(
    request: Request,
    name: Name,
    form: Annotated[FormWord, Path(description="Not every form can say both addresses and names.")],
    settings: SettingsDep,
    lists: ListsDep,
    now: NowDep,
) -> Response:
    """Give a list of the settings, strongest first; one that is empty has the head of its form only."""
    rule, wanted = _rule(request, name, settings), FORMS[form]
    if not wanted.says(rule):
        fit = ", ".join(one.word for one in FORMS.values() if one.says(rule))
        holds = settings.lists.all[name].holds
        raise HTTPException(404, f"{name} holds {holds}, which {form} cannot say; there are {fit}.")
    return _answer(request, lists.get(rule, now), wanted)


def _rule(request: Request, name: str, settings: Settings) -> Rule:
    found = settings.lists.all.get(name)
    if found is None:
        raise HTTPException(404, f"There is no list of this name; there are {', '.join(settings.lists.all)}.")
    return seen_by(caller_of(request.scope), named(name, found))


def seen_by(caller: Caller, rule: Rule) -> Rule:
    """Make of a list what this caller may know of it.

    Whoever is restricted to some networks is told what events of these speak against, and not what people decided,
    which may be because of any other. To whom an address opens the list it is given whole, for a firewall to block.
    """
    principal = caller.principal
    if principal is None or principal.kind == "network" or (principal.sees_custom and not principal.is_restricted):
        return rule
    return replace(
        rule,
        networks=principal.networks,
        custom=principal.sees_custom,
        decisions=rule.decisions and not principal.is_restricted,
    )


def _answer(request: Request, listing: Listing, form: Form) -> Response:
    principal = caller_of(request.scope).principal
    # A reason is the name of a trail, which may be one of the site's own, or what a person wrote of any network.
    reasons = not form.tells or (principal is not None and principal.sees_custom and not principal.is_restricted)
    body = listing.body(form, reasons=reasons)
    headers = {"ETag": body.tag, "Cache-Control": "private, no-cache", "X-List-Count": str(len(listing.entries))}
    if _names(request.headers.get("if-none-match", ""), body.tag):
        return Response(status_code=304, headers=headers)
    return Response(body.content, headers=headers, media_type=form.media_type)


def _names(condition: str, tag: str) -> bool:
    """Compare weakly, as RFC 9110 asks for `If-None-Match`."""
    opaque = tag.removeprefix("W/")
    return any(one.strip().removeprefix("W/") in (opaque, "*") for one in condition.split(","))
