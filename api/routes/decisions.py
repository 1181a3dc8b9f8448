"""Decisions: block or allow an address, a range or a domain until a time, because of a reason."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Response
from pydantic import Field

from api import acting
from api.access.guarding import needs
from api.access.principal import Scope
from api.acting import UNTIL
from api.answers_desk import DecisionAnswer, DecisionsAnswer
from api.conditions import Moment
from api.deps import CursorParam, DeskDep, Limit, NowDep, SettingsDep
from api.moments import moment
from api.problems import Problem, field_error
from api.writing import CHANGED, MADE, AuthorDep, Body, Made, MatchDep, OnceDep, tagged
from stores.desk.contract import ABSENT, MAX_REASON, Decision, Verdict
from trailhound.canonical import MAX_TEXT

router = APIRouter(prefix="/decisions", tags=["acting"])
_READ = [needs(Scope.READ, whole=True)]
_CHANGE = [needs(Scope.LISTS, whole=True)]
_ORDER = "decisions"
Id = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="The id of the decision.")]
Reason = Annotated[
    str, Field(min_length=1, max_length=MAX_REASON, description="Why; whoever comes next wants to know.")
]
Until = Annotated[str | None, Field(max_length=40, description=UNTIL)]


class NewDecision(Body):
    """What is to be blocked or allowed."""

    verdict: Verdict
    value: str = Field(
        min_length=1, max_length=MAX_TEXT, description="An address, a network or a name.", examples=["45.155.205.233"]
    )
    reason: Reason
    until: Until = Field(default=None, examples=["4h"])


class DecisionChange(Body):
    """What is to be another; what is left out stays."""

    reason: Reason | None = None
    until: Until = None


@router.get("", operation_id="listDecisions", summary="Decisions in force", dependencies=_READ)
def list_decisions(
    desk: DeskDep,
    now: NowDep,
    value: Annotated[
        str | None,
        Query(min_length=1, max_length=MAX_TEXT, description="Those that cover this address or name."),
    ] = None,
    verdict: Annotated[Verdict | None, Query(description="Those that block, or those that allow.")] = None,
    ended_since: Annotated[
        Moment | None, Query(description="Also those that ran out or were lifted since: ISO 8601, or how long ago.")
    ] = None,
    limit: Limit = 100,
    cursor: CursorParam = None,
) -> DecisionsAnswer:
    """Give the decisions in force, the oldest first."""
    since = None if ended_since is None else moment(ended_since, now)
    found = [one for one in desk.decisions(now=now, ended_since=since) if verdict in (None, one.verdict)]
    if value is not None:
        found = acting.covering(found, value)
    shown, further = acting.page(found, lambda one: (one.made, one.id), limit, cursor, _ORDER)
    return DecisionsAnswer(decisions=tuple(acting.decision(one, now) for one in shown), next=further)


@router.get(
    "/{decision_id}",
    operation_id="getDecision",
    summary="One decision",
    response_model=DecisionAnswer,
    responses={404: {"description": "There is no such decision.", "model": Problem}},
    dependencies=_READ,
)
def get_decision(desk: DeskDep, now: NowDep, decision_id: Id) -> Response:
    """Give one decision with its version as `ETag`, for 90 days after it ended."""
    found = _found(desk.decision(decision_id))
    return tagged(acting.decision(found, now), found.version)


@router.post(
    "",
    operation_id="addDecision",
    summary="Block or allow a value",
    status_code=201,
    response_model=DecisionAnswer,
    responses=MADE,
    dependencies=_CHANGE,
)
def add_decision(desk: DeskDep, settings: SettingsDep, author: AuthorDep, once: OnceDep, body: NewDecision) -> Response:
    """Block or allow an address, a range or a domain. Where both are in force, what is allowed is not blocked."""
    scope, value = acting.decided(body.verdict, body.value, settings.networks.home)
    ends = acting.ending(body.until, author.at)

    def make(id_: str) -> Made:
        wanted = Decision(id_, body.verdict, scope, value, body.reason, author.who, author.at, ends, version=ABSENT)
        made = desk.add_decision(wanted, author)
        return Made(acting.decision(made, author.at), made.version, f"/api/v1/decisions/{made.id}")

    return once.make(body, make)


@router.patch(
    "/{decision_id}",
    operation_id="changeDecision",
    summary="Change the end or the reason of a decision",
    response_model=DecisionAnswer,
    responses=CHANGED,
    dependencies=_CHANGE,
)
def change_decision(
    desk: DeskDep, author: AuthorDep, match: MatchDep, decision_id: Id, body: DecisionChange
) -> Response:
    """Give a decision that is in force another end or reason."""
    found = _found(desk.decision(decision_id))
    match.expect(found.version)
    if not found.in_force(author.at):
        raise field_error("until", "a decision in force was expected: this one has ended, make another")
    if "until" in body.model_fields_set:
        found = replace(found, ends=acting.ending(body.until, author.at))
    changed = desk.change_decision(replace(found, reason=body.reason or found.reason), author)
    return tagged(acting.decision(changed, author.at), changed.version)


@router.delete(
    "/{decision_id}",
    operation_id="liftDecision",
    summary="Lift a decision",
    response_model=DecisionAnswer,
    responses=CHANGED,
    dependencies=_CHANGE,
)
def lift_decision(desk: DeskDep, author: AuthorDep, match: MatchDep, decision_id: Id) -> Response:
    """End a decision; one that has ended already is given as it is."""
    found = _found(desk.decision(decision_id))
    match.expect(found.version)
    lifted = _found(desk.lift_decision(decision_id, found.version, author))
    return tagged(acting.decision(lifted, author.at), lifted.version)


def _found(decision: Decision | None) -> Decision:
    if decision is None:
        raise HTTPException(404, "There is no decision of this id.")
    return decision
