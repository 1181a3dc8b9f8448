"""How a change comes in: who makes it, which version they saw, and the same request that comes twice."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict

from api.access.guarding import CallerDep, PrincipalDep
from api.answer import Answer
from api.deps import DeskDep, NowDep
from api.problems import Problem
from stores.desk import Desk
from stores.desk.contract import Author, SavedAnswer
from trailhound.errors import StoreConflict

_SENT_AGAIN = "Idempotency-Key"
_TAGS_AT_MOST = 20

CHANGED: dict[int | str, dict[str, object]] = {
    404: {"description": "There is no such thing.", "model": Problem},
    412: {"description": "Somebody else has changed it: `If-Match` names another version.", "model": Problem},
    428: {"description": "`If-Match` is missing.", "model": Problem},
}
MADE: dict[int | str, dict[str, object]] = {
    409: {
        "description": "The same request is being worked on, or there are as many as there may be.",
        "model": Problem,
    },
}


class Body(BaseModel):
    """What all bodies of requests share."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


async def _author(principal: PrincipalDep, caller: CallerDep, now: NowDep) -> Author:
    who = f"key {principal.name}" if principal.kind == "key" else principal.name
    return Author(who, caller.address or "", now)


AuthorDep = Annotated[Author, Depends(_author)]


class Match:
    """The versions that a request is good for (`If-Match`); without any, for all there are."""

    def __init__(self, versions: frozenset[str] | None) -> None:
        self._versions = versions

    def expect(self, version: int | str) -> None:
        """Raise `StoreConflict` when this is not one of them."""
        if self._versions is not None and str(version) not in self._versions:
            raise StoreConflict(f"version {version} is not the one that was seen")


async def _match(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            max_length=1000,
            description="The `ETag` of what was seen, or `*` for whatever is there.",
            openapi_examples={"version": {"value": '"3"'}, "whatever is there": {"value": "*"}},
        ),
    ] = None,
) -> Match:
    if if_match is None:
        raise HTTPException(428, 'If-Match is missing: the ETag of what you saw was expected, such as "3", or *.')
    if if_match.strip() == "*":
        return Match(None)
    # A version is the same in every encoding, so the mark of a weak tag says nothing.
    tags = [tag.strip().removeprefix("W/") for tag in if_match.split(",")[:_TAGS_AT_MOST]]
    return Match(frozenset(tag[1:-1] for tag in tags if len(tag) > 1 and tag[0] == tag[-1] == '"'))


MatchDep = Annotated[Match, Depends(_match)]


def tagged(answer: Answer, version: int | str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with the version of what is answered."""
    return Response(
        answer.model_dump_json(by_alias=True),
        status_code=status,
        media_type="application/json",
        headers={"ETag": f'"{version}"', "Cache-Control": "no-store", **(headers or {})},
    )


@dataclass(frozen=True, slots=True)
class Made:
    """What a request made: its answer, version and place."""

    answer: Answer
    version: int | str
    place: str

    def response(self) -> Response:
        return tagged(self.answer, self.version, 201, {"Location": self.place})


class Once:
    """Makes things once, however often the request that asks for it comes under one key."""

    def __init__(self, desk: Desk, name: str, key: str | None, now: int) -> None:
        self._desk = desk
        self._name = name
        self._key = key
        self._now = now

    def make(self, body: BaseModel, make: Callable[[str], Made]) -> Response:
        """Give the answer of `make`, which gets the id of what it is to make, or the one that was given before."""
        if self._key is None:
            return make(secrets.token_hex(8)).response()
        key = _digest(self._name, self._key)
        saved = self._desk.begin(key, _digest(body.model_dump_json()), self._now)
        if saved.fingerprint != _digest(body.model_dump_json()):
            wrong = "this key came with another request; each request was expected to have one of its own"
            raise RequestValidationError([{"type": "value_error", "loc": ("header", _SENT_AGAIN), "msg": wrong}])
        if saved.is_taken:
            raise HTTPException(409, "The same request is being worked on; send it again.", {"Retry-After": "1"})
        return _again(saved) if saved.status else self._first(key, saved, make)

    def _first(self, key: str, saved: SavedAnswer, make: Callable[[str], Made]) -> Response:
        try:
            response = make(saved.id).response()
        except BaseException:
            self._desk.abandon(key)
            raise
        headers = {name: response.headers[name] for name in ("etag", "location")}
        text = bytes(response.body).decode()
        self._desk.finish(key, replace(saved, status=response.status_code, body=text, headers=headers))
        return response


def _again(saved: SavedAnswer) -> Response:
    headers = {**saved.headers, "Cache-Control": "no-store", "Idempotency-Replayed": "true"}
    return Response(saved.body, status_code=saved.status, media_type="application/json", headers=headers)


def _digest(*parts: str) -> str:
    return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


async def _once(
    request: Request,
    desk: DeskDep,
    author: AuthorDep,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias=_SENT_AGAIN,
            min_length=1,
            max_length=255,
            description="A word of your own for this request: sent again within 24 hours, it is done once.",
        ),
    ] = None,
) -> Once:
    return Once(desk, f"{author.who}\x1f{request.scope['route'].operation_id}", idempotency_key, author.at)


OnceDep = Annotated[Once, Depends(_once)]
