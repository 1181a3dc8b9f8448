"""Hosts of the site, by their risk."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import AfterValidator

from api import hosts
from api.access.guarding import needs
from api.access.principal import Scope
from api.answers import Period
from api.answers_hosts import (
    HostAnswer,
    HostPartAnswer,
    HostRiskAnswer,
    HostsAnswer,
    HostStepAnswer,
    HostThreatAnswer,
)
from api.deps import CursorParam, DeskDep, Limit, NowDep, QueryDep, SettingsDep, StoreDep
from api.translate import iso, severity_word
from stores.host import HostRisk, TacticPart
from trailhound import canonical
from trailhound.event import timestamp

router = APIRouter(tags=["hosts"], dependencies=[needs(Scope.READ)])
_HEAVIEST = 50


def _address(text: str) -> str:
    found = canonical.address(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no address such as 192.0.2.1")
    return found


@router.get("/hosts", operation_id="listHosts", summary="Hosts of the site, the one at the highest risk first")
def list_hosts(
    store: StoreDep,
    desk: DeskDep,
    settings: SettingsDep,
    query: QueryDep,
    now: NowDep,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> HostsAnswer:
    """Add up the threats of each host of the home networks that meet all conditions, a page at a time."""
    page = hosts.hosts(store, desk, settings, query, now=now, limit=limit, cursor=cursor)
    return HostsAnswer(
        period=Period(since=timestamp(page.since), until=iso(query.until)),
        at=timestamp(page.at),
        hosts=tuple(HostAnswer(**_facts(one)) for one in page.hosts),
        total=page.total,
        approximate=page.is_partial,
        next=page.next,
    )


@router.get("/hosts/{address}", operation_id="getHost", summary="The risk of one host, and what it is made of")
def get_host(
    store: StoreDep,
    desk: DeskDep,
    settings: SettingsDep,
    query: QueryDep,
    now: NowDep,
    address: Annotated[str, AfterValidator(_address), Path(max_length=64, description="Its address.")],
) -> HostRiskAnswer:
    """Add up the threats of one host that meet all conditions, `source` aside; of one without any the risk is 0."""
    found = hosts.host(store, desk, settings, query, address, now=now)
    return HostRiskAnswer(
        **_facts(found),
        at=timestamp(now),
        half_life_hours=settings.hosts.half_life_hours,
        parts=tuple(map(_part, found.parts)),
        chain=tuple(
            HostStepAnswer(tactic=step.tactic, at=timestamp(step.time), threat=step.threat) for step in found.chain
        ),
        chain_points=found.chain_points,
    )


def _facts(found: HostRisk) -> dict[str, Any]:
    return {
        "address": found.address,
        "risk": found.risk,
        "severity": severity_word(found.severity) if found.severity is not None else None,
        "threats": found.threats,
        "count": found.count,
        "first": iso(found.first),
        "last": iso(found.last),
        "tactics": tuple(part.tactic for part in found.parts if part.tactic is not None),
        "steps": len(found.chain),
    }


def _part(part: TacticPart) -> HostPartAnswer:
    return HostPartAnswer(
        tactic=part.tactic,
        points=part.points,
        threats=len(part.threats),
        count=part.count,
        first=timestamp(part.first),
        last=timestamp(part.last),
        heaviest=tuple(
            HostThreatAnswer(
                id=one.met.threat.id,
                kind=one.met.threat.kind,
                trail=one.met.threat.trail,
                info=one.met.threat.info,
                severity=severity_word(one.met.threat.severity),
                points=round(one.added, 2),
                count=one.met.threat.count,
                first=timestamp(one.met.threat.first),
                last=timestamp(one.met.threat.last),
            )
            for one in part.threats[:_HEAVIEST]
        ),
    )
