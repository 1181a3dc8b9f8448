"""Totals and timelines."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator

from api.access.guarding import needs
from api.access.principal import Scope
from api.answers import PastTotals, SummaryAnswer, TimelineAnswer, TimelineBucket
from api.deps import NowDep, QueryDep, StoreDep
from api.moments import DURATION_FORM, duration
from api.problems import parameter_error
from api.timeline import MAX_BUCKETS, timeline
from api.translate import breakdown, period, totals
from stores import contract
from trailhound.event import timestamp
from trailhound.record import MICROSECONDS

router = APIRouter(tags=["summary"], dependencies=[needs(Scope.READ)])
Countable = Literal["severity", "group", "kind", "class", "direction", "protocol", "sensor", "dataset"]


def _interval(text: str) -> str:
    if text != "auto":
        duration(text)
    return text


@router.get("/summary", operation_id="getSummary", summary="Totals, and counts by what events have in common")
def get_summary(
    store: StoreDep,
    query: QueryDep,
    now: NowDep,
    compare: Annotated[  # noqa: FBT002 - a parameter of a URL, which has a name
        bool, Query(description="Also give the totals of the period before; needs `since`.")
    ] = False,
) -> SummaryAnswer:
    """Count the events that meet all conditions."""
    found = store.summary(query)
    return SummaryAnswer(
        period=period(query),
        totals=totals(found),
        by=breakdown(found),
        before=_before(store, query, now) if compare else None,
    )


def _before(store: contract.Store, query: contract.Query, now: int) -> PastTotals:
    if query.since is None:
        raise parameter_error("compare", "only a period that has a beginning can be compared: since is missing")
    length = (query.until or max(now, query.since)) - query.since
    past = replace(query, since=max(0, query.since - length), until=query.since)
    return PastTotals(period=period(past), totals=totals(store.summary(past)))


@router.get("/timeline", operation_id="getTimeline", summary="Counts over time")
def get_timeline(
    store: StoreDep,
    query: QueryDep,
    now: NowDep,
    by: Annotated[Countable, Query(description="What to count by.")] = "group",
    interval: Annotated[
        str,
        AfterValidator(_interval),
        Query(max_length=16, description=f"Length of a step: auto, or {DURATION_FORM}; at most {MAX_BUCKETS:,} steps."),
    ] = "auto",
) -> TimelineAnswer:
    """Count in equal steps, aligned to the epoch; with `since` and without `until` they end now."""
    step = None if interval == "auto" else duration(interval)
    try:
        found = timeline(store, query, contract.Dimension(by), now=now, step=step)
    except ValueError as error:
        raise parameter_error("interval", str(error)) from error
    return TimelineAnswer(
        by=by,
        interval_seconds=found.step // MICROSECONDS,
        buckets=tuple(TimelineBucket(start=timestamp(b.start), counts=dict(b.counts)) for b in found.buckets),
    )
