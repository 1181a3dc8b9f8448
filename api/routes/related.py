"""What is related to a threat."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from api import related, translate, triaging
from api.access.guarding import PrincipalDep, needs
from api.access.principal import Scope
from api.answers import Period
from api.answers_related import ReasonAnswer, RelatedAnswer, RelatedThreat
from api.deps import CountriesDep, DeskDep, StoreDep
from api.located import located
from api.problems import Problem
from api.routes.triage import ThreatId
from stores import contract
from trailhound.event import timestamp

router = APIRouter(tags=["threats"], dependencies=[needs(Scope.READ)])


@router.get(
    "/threats/{threat_id}/related",
    operation_id="listRelatedThreats",
    summary="Threats that have something to do with one",
    responses={404: {"description": "There is no such threat.", "model": Problem}},
)
def list_related_threats(
    store: StoreDep,
    desk: DeskDep,
    principal: PrincipalDep,
    countries: CountriesDep,
    threat_id: ThreatId,
    hours: Annotated[
        int, Query(ge=1, le=8760, description="How long before the first and after the last event of the threat.")
    ] = 24,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
) -> RelatedAnswer:
    """Give threats with the same trail or source, or of the same registered domain or network, about that time."""
    page = store.threats(contract.Query(threats=(threat_id,)), limit=1)
    if not page.threats:
        raise HTTPException(404, "There is no threat of this id.")
    since, until = related.about(page.threats[0], hours)
    found = related.related(store, page.threats[0], since=since, until=until, limit=limit)
    threats = triaging.assessed(tuple(translate.threat(one.threat) for one in found), desk, store, principal)
    return RelatedAnswer(
        period=Period(since=timestamp(since), until=timestamp(until)),
        related=tuple(
            RelatedThreat(
                threat=threat,
                reasons=tuple(ReasonAnswer(relation=reason.relation, value=reason.value) for reason in one.reasons),
            )
            for one, threat in zip(found, located(threats, countries), strict=True)
        ),
    )
