"""Triage: what people make of threats."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import Field

from api import acting, triaging
from api.access.guarding import PrincipalDep, needs
from api.access.principal import Principal, Scope
from api.access.sight import sees_all_of
from api.answers_desk import TriageAnswer
from api.deps import DeskDep, StoreDep
from api.problems import Problem, field_error
from api.writing import CHANGED, AuthorDep, Body, MatchDep, tagged
from stores import contract
from stores.contract import Query
from stores.desk import Desk
from stores.desk.contract import MAX_NAME, MAX_NOTE, MAX_TAG, MAX_TAGS, AuditQuery, Noun, Triage, TriageState

router = APIRouter(tags=["acting"])
_STEPS = 100  # Of the history; all of it stands in the audit log.
ThreatId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="The id of the threat.")]
Tag = Annotated[str, Field(min_length=1, max_length=MAX_TAG)]


class TriageChange(Body):
    """What is to be another; what is left out stays."""

    state: TriageState | None = None
    note: str | None = Field(default=None, max_length=MAX_NOTE, examples=["asked the owner of the host"])
    tags: tuple[Tag, ...] | None = Field(default=None, max_length=MAX_TAGS, examples=[["phishing-2026-02"]])
    assignee: str | None = Field(default=None, max_length=MAX_NAME, examples=["alice"])


@router.get(
    "/threats/{threat_id}/triage",
    operation_id="getTriage",
    summary="What people made of a threat",
    response_model=TriageAnswer,
    responses={404: {"description": "There is no such threat.", "model": Problem}},
    dependencies=[needs(Scope.READ)],
)
def get_triage(store: StoreDep, desk: DeskDep, principal: PrincipalDep, threat_id: ThreatId) -> Response:
    """Give state, note, tags and assignee with their version as `ETag`, and the last 100 steps that led there.

    Of threats from outside the networks that somebody is restricted to, the state alone.
    """
    threat = _found(store, threat_id)
    return _answer(desk.triage(threat_id), store, desk, principal, threat.source)


@router.patch(
    "/threats/{threat_id}/triage",
    operation_id="setTriage",
    summary="Say what to make of a threat",
    response_model=TriageAnswer,
    responses=CHANGED,
    dependencies=[needs(Scope.TRIAGE)],
)
def set_triage(
    store: StoreDep,
    desk: DeskDep,
    principal: PrincipalDep,
    author: AuthorDep,
    match: MatchDep,
    threat_id: ThreatId,
    body: TriageChange,
) -> Response:
    """Change state, note, tags or assignee. To resolve again what was reopened is a change too."""
    threat = _found(store, threat_id)
    if not sees_all_of(principal, threat.source):
        raise HTTPException(403, "A threat from outside your networks is judged by whoever may see all of them.")
    given = {name: getattr(body, name) for name in body.model_fields_set if getattr(body, name) is not None}
    if not given:
        raise field_error("state", "at least one of state, note, tags and assignee was expected")
    found = desk.triage(threat_id)
    match.expect(found.version)
    if "tags" in given:
        given["tags"] = tuple(dict.fromkeys(given["tags"]))
    # What happened again since counts from now on: else a note would close what nobody looked at.
    if triaging.assessment(found, store).reopened:
        given.setdefault("state", TriageState.NEW)
    return _answer(desk.put_triage(replace(found, **given), author), store, desk, principal, threat.source)


def _found(store: contract.Store, threat: str) -> contract.Threat:
    """Raise 404 for a threat that is not there, or that whoever asks may not see."""
    page = store.threats(Query(threats=(threat,)), limit=1)
    if not page.threats:
        raise HTTPException(404, "There is no threat of this id.")
    return page.threats[0]


def _answer(triage: Triage, store: contract.Store, desk: Desk, principal: Principal, source: str | None) -> Response:
    audit = AuditQuery(object=f"{Noun.TRIAGE.value}/{triage.threat}")
    steps = desk.audit(audit, limit=_STEPS).entries if sees_all_of(principal, source) else ()
    answer = TriageAnswer(
        threat=triage.threat,
        triage=triaging.legible(triaging.assessment(triage, store), principal, source),
        history=tuple(map(acting.step, steps)),
    )
    return tagged(answer, triage.version)
