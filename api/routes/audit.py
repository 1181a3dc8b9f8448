"""The audit log: every change, by whom, when, from where."""

from typing import Annotated

from fastapi import APIRouter, Query

from api import acting
from api.access.guarding import needs
from api.access.principal import Scope
from api.answers_desk import AuditLogAnswer
from api.conditions import Moment
from api.deps import CursorParam, DeskDep, Limit, NowDep
from api.moments import moment
from stores.desk.contract import AuditQuery

router = APIRouter(tags=["acting"], dependencies=[needs(Scope.ADMIN, whole=True)])


@router.get("/audit", operation_id="listAudit", summary="Every change, the latest first")
def list_audit(
    desk: DeskDep,
    now: NowDep,
    since: Annotated[Moment | None, Query(description="Changes at that time or later.")] = None,
    until: Annotated[Moment | None, Query(description="Changes before that time.")] = None,
    who: Annotated[
        str | None, Query(min_length=1, max_length=512, description="Whose changes: `alice`, `key playbook`.")
    ] = None,
    action: Annotated[
        str | None, Query(min_length=1, max_length=64, description="What was done, such as `decision.add`.")
    ] = None,
    object_: Annotated[
        str | None,
        Query(
            alias="object", min_length=1, max_length=512, description="Of what, such as `decision/5f0c1d2e3f405162`."
        ),
    ] = None,
    limit: Limit = 100,
    cursor: CursorParam = None,
) -> AuditLogAnswer:
    """Give the changes that meet all conditions. They are kept for two years."""
    first = None if since is None else moment(since, now)
    last = None if until is None else moment(until, now)
    page = desk.audit(AuditQuery(first, last, who, action, object_), limit=limit, cursor=cursor)
    return AuditLogAnswer(entries=tuple(map(acting.audit, page.entries)), next=page.next)
