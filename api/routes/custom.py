"""Trails that people add: they count within seconds, without a new trail set."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Response
from pydantic import Field

from api import acting
from api.access.guarding import needs
from api.access.principal import Scope
from api.acting import UNTIL
from api.answers_desk import CustomTrailAnswer, CustomTrailsAnswer
from api.conditions import Moment
from api.deps import CursorParam, DeskDep, Limit, NowDep
from api.moments import moment
from api.problems import Problem, field_error
from api.writing import CHANGED, MADE, AuthorDep, Body, Made, MatchDep, OnceDep, tagged
from stores.desk.contract import ABSENT, MAX_REASON, CustomTrail
from trailhound.canonical import MAX_TEXT
from trailhound.trail import TrailClass, TrailKind

router = APIRouter(prefix="/custom-trails", tags=["acting"])
_READ = [needs(Scope.READ, whole=True, own=True)]
_CHANGE = [needs(Scope.LISTS, whole=True, own=True)]
_ORDER = "trails"
Id = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="The id of the trail.")]
Info = Annotated[str, Field(min_length=1, max_length=255, description="Name of the threat.")]
Reason = Annotated[
    str, Field(min_length=1, max_length=MAX_REASON, description="Why; whoever comes next wants to know.")
]
Until = Annotated[str | None, Field(max_length=40, description=UNTIL)]
Confidence = Annotated[int, Field(strict=True, ge=0, le=100)]
Reference = Annotated[str, Field(max_length=1000, description="Where to read more.")]


class NewTrail(Body):
    """The trail to add."""

    trail: str = Field(min_length=1, max_length=MAX_TEXT, description="Its value.", examples=["evil.example"])
    kind: TrailKind | None = Field(default=None, description="What the value is; without it, what it looks like.")
    info: Info = Field(examples=["phishing at our suppliers"])
    class_: TrailClass = Field(default=TrailClass.SUSPICIOUS, alias="class")
    confidence: Confidence = 80
    reference: Reference = ""
    reason: Reason
    until: Until = None


class TrailChange(Body):
    """What is to be another; what is left out stays."""

    info: Info | None = None
    class_: TrailClass | None = Field(default=None, alias="class")
    confidence: Confidence | None = None
    reference: Reference | None = None
    reason: Reason | None = None
    until: Until = None


@router.get("", operation_id="listCustomTrails", summary="Trails that people added", dependencies=_READ)
def list_custom_trails(
    desk: DeskDep,
    now: NowDep,
    expired_since: Annotated[
        Moment | None, Query(description="Also those that ran out since: ISO 8601, or how long ago.")
    ] = None,
    limit: Limit = 100,
    cursor: CursorParam = None,
) -> CustomTrailsAnswer:
    """Give the trails in force that people added, the oldest first."""
    since = None if expired_since is None else moment(expired_since, now)
    found = desk.trails(now=now, expired_since=since)
    shown, further = acting.page(found, lambda one: (one.made, one.id), limit, cursor, _ORDER)
    return CustomTrailsAnswer(trails=tuple(acting.custom_trail(one, now) for one in shown), next=further)


@router.get(
    "/{trail_id}",
    operation_id="getCustomTrail",
    summary="One trail that somebody added",
    response_model=CustomTrailAnswer,
    responses={404: {"description": "There is no such trail.", "model": Problem}},
    dependencies=_READ,
)
def get_custom_trail(desk: DeskDep, now: NowDep, trail_id: Id) -> Response:
    """Give one trail with its version as `ETag`, for 90 days after it ended."""
    found = _found(desk.trail(trail_id))
    return tagged(acting.custom_trail(found, now), found.version)


@router.post(
    "",
    operation_id="addCustomTrail",
    summary="Add a trail",
    status_code=201,
    response_model=CustomTrailAnswer,
    responses=MADE,
    dependencies=_CHANGE,
)
def add_custom_trail(desk: DeskDep, author: AuthorDep, once: OnceDep, body: NewTrail) -> Response:
    """Add a trail, which running processes take up within seconds. Whitelist and exceptions are stronger."""
    kind, value = acting.custom_value(body.kind, body.trail)
    expires = acting.ending(body.until, author.at)

    def make(id_: str) -> Made:
        wanted = CustomTrail(
            id_,
            kind,
            value,
            body.info,
            body.class_,
            body.confidence,
            body.reference,
            body.reason,
            author.who,
            author.at,
            expires,
            version=ABSENT,
        )
        made = desk.add_trail(wanted, author)
        return Made(acting.custom_trail(made, author.at), made.version, f"/api/v1/custom-trails/{made.id}")

    return once.make(body, make)


@router.patch(
    "/{trail_id}",
    operation_id="changeCustomTrail",
    summary="Change what is said of a trail, or its end",
    response_model=CustomTrailAnswer,
    responses=CHANGED,
    dependencies=_CHANGE,
)
def change_custom_trail(desk: DeskDep, author: AuthorDep, match: MatchDep, trail_id: Id, body: TrailChange) -> Response:
    """Change a trail in force. Its value stays: for another value add another trail."""
    found = _found(desk.trail(trail_id))
    match.expect(found.version)
    if not found.in_force(author.at):
        raise field_error("until", "a trail in force was expected: this one has ended, add another")
    given = {name: getattr(body, name) for name in body.model_fields_set - {"until"}}
    changes = {name: value for name, value in given.items() if value is not None}
    if "until" in body.model_fields_set:
        changes["expires"] = acting.ending(body.until, author.at)
    changed = desk.change_trail(replace(found, **changes), author)
    return tagged(acting.custom_trail(changed, author.at), changed.version)


@router.delete(
    "/{trail_id}",
    operation_id="removeCustomTrail",
    summary="Remove a trail",
    response_model=CustomTrailAnswer,
    responses=CHANGED,
    dependencies=_CHANGE,
)
def remove_custom_trail(desk: DeskDep, author: AuthorDep, match: MatchDep, trail_id: Id) -> Response:
    """Remove a trail, which running processes forget within seconds; its events stay."""
    found = _found(desk.trail(trail_id))
    match.expect(found.version)
    removed = _found(desk.remove_trail(trail_id, found.version, author))
    return tagged(acting.custom_trail(removed, author.at), removed.version)


def _found(trail: CustomTrail | None) -> CustomTrail:
    if trail is None:
        raise HTTPException(404, "There is no trail of this id.")
    return trail
