"""The outbox: how targets do, what they did not take, and sending it once more."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request

from api.access.guarding import needs
from api.access.principal import Scope
from api.answers_outbox import DeadLetterAnswer, DeadLettersAnswer, OutboxAnswer, RetriedAnswer, TargetAnswer
from api.deps import DeskDep, Limit, NowDep, SettingsDep
from api.problems import Problem
from api.sending.letters import TargetStatus
from api.sending.outbox import Outbox
from api.writing import AuthorDep
from stores.desk.contract import AuditEntry
from trailhound.event import timestamp

router = APIRouter(tags=["outbox"])
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such target.", "model": Problem}}


async def _outbox(request: Request) -> Outbox:
    outbox: Outbox = request.app.state.outbox
    return outbox


async def _target(
    settings: SettingsDep,
    target: Annotated[str, Path(max_length=63, description="Name of the target.", examples=["soc-slack"])],
) -> str:
    if target not in settings.send.targets:
        raise HTTPException(404, "There is no such target.")
    return target


OutboxDep = Annotated[Outbox, Depends(_outbox)]
TargetDep = Annotated[str, Depends(_target)]


@router.get(
    "/outbox",
    operation_id="getOutbox",
    summary="How targets do that events are sent to",
    dependencies=[needs(Scope.READ, whole=True, own=True)],
)
def get_outbox(settings: SettingsDep, outbox: OutboxDep, now: NowDep) -> OutboxAnswer:
    """Give what waits for each target, what it got, and what is wrong with it."""
    known = {one.name: one for one in outbox.statuses()} if settings.send.targets else {}
    return OutboxAnswer(targets=tuple(_answer(known[name], now) for name in settings.send.targets if name in known))


@router.get(
    "/outbox/{target}/dead",
    operation_id="listDeadLetters",
    summary="Events that a target did not get",
    dependencies=[needs(Scope.READ, whole=True, own=True)],
    responses=_UNKNOWN,
)
def list_dead_letters(target: TargetDep, outbox: OutboxDep, limit: Limit = 100) -> DeadLettersAnswer:
    """Give the latest dead letters of a target, and why it did not get them."""
    return DeadLettersAnswer(
        letters=tuple(
            DeadLetterAnswer(event=one.event, queued=timestamp(one.made), died=timestamp(one.died), reason=one.reason)
            for one in outbox.dead(target, limit)
        )
    )


@router.post(
    "/outbox/{target}/retry",
    operation_id="retryDeadLetters",
    summary="Send dead letters once more",
    dependencies=[needs(Scope.ADMIN)],
    responses=_UNKNOWN,
)
def retry_dead_letters(target: TargetDep, outbox: OutboxDep, desk: DeskDep, author: AuthorDep) -> RetriedAnswer:
    """Have all dead letters of a target wait for it again. Done twice, the second finds none."""
    retried = outbox.retry(target, author.at)
    desk.record(
        AuditEntry(
            author.who, author.address, author.at, "outbox.retry", f"target/{target}", None, {"retried": retried}
        )
    )
    return RetriedAnswer(retried=retried)


def _answer(one: TargetStatus, now: int) -> TargetAnswer:
    return TargetAnswer(
        name=one.name,
        waiting=one.waiting,
        oldest=_moment(one.oldest),
        dead=one.dead,
        delivered=one.delivered,
        skipped=one.skipped,
        quiet=one.quiet,
        dropped=one.dropped,
        buried=one.buried,
        failures=one.failures,
        last_delivery=_moment(one.last_delivery),
        problem=one.problem,
        problem_at=_moment(one.problem_at),
        resume=_moment(one.resume if one.resume > now else None),
    )


def _moment(time: int | None) -> str | None:
    return None if time is None else timestamp(time)
