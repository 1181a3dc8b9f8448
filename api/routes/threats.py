"""Threats: events grouped by source and trail."""

from typing import Annotated

from fastapi import APIRouter, Query

from api import translate, triaging
from api.access.guarding import PrincipalDep, needs
from api.access.principal import Scope
from api.answers import SparklineSteps, ThreatAnswer, ThreatsAnswer
from api.deps import CountriesDep, CursorParam, DeskDep, Limit, NowDep, QueryDep, StoreDep
from api.located import located
from api.timeline import sparklines
from stores import contract
from stores.contract import ThreatOrder
from stores.desk.contract import TriageState
from trailhound.event import timestamp
from trailhound.record import MICROSECONDS

router = APIRouter(tags=["threats"], dependencies=[needs(Scope.READ)])


@router.get("/threats", operation_id="listThreats", summary="Threats, the riskiest first")
def list_threats(
    store: StoreDep,
    query: QueryDep,
    desk: DeskDep,
    principal: PrincipalDep,
    countries: CountriesDep,
    now: NowDep,
    state: Annotated[
        tuple[TriageState, ...], Query(max_length=4, description="What people made of it; repeatable, any of them.")
    ] = (),
    order: Annotated[ThreatOrder, Query(description="What comes first is what has the most of it.")] = ThreatOrder.RISK,
    limit: Limit = 50,
    cursor: CursorParam = None,
    sparkline: Annotated[  # noqa: FBT002 - a parameter of a URL, which has a name
        bool, Query(description="Also count each threat in steps over the period, or over the last day.")
    ] = False,
) -> ThreatsAnswer:
    """Give the threats made of the events that meet all conditions, a page at a time."""
    narrowed = triaging.narrowed(query, state, desk, store)
    page = triaging.NOTHING if narrowed is None else store.threats(narrowed, order=order, limit=limit, cursor=cursor)
    threats = triaging.assessed(tuple(translate.threat(one) for one in page.threats), desk, store, principal)
    steps, threats = _sparklines(store, query, threats, now) if sparkline else (None, threats)
    return ThreatsAnswer(
        threats=located(threats, countries),
        sparkline=steps,
        total=page.total,
        approximate=page.is_total_approximate,
        next=page.next,
    )


def _sparklines(
    store: contract.Store, query: contract.Query, threats: tuple[ThreatAnswer, ...], now: int
) -> tuple[SparklineSteps, tuple[ThreatAnswer, ...]]:
    found = sparklines(store, query, [one.id for one in threats], now=now)
    steps = SparklineSteps(start=timestamp(found.start), interval_seconds=found.step // MICROSECONDS)
    return steps, tuple(one.model_copy(update={"sparkline": tuple(found.counts[one.id])}) for one in threats)
