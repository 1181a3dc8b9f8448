"""Feeds: where trails come from, and how old they are."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from api.access.guarding import needs
from api.access.principal import Scope
from api.answers import FeedsAnswer, FeedState
from api.deps import FeedsDep, NowDep, SettingsDep
from api.translate import iso_seconds
from feeds.status import Status
from trailhound.errors import TrailhoundError
from trailhound.record import MICROSECONDS

router = APIRouter(tags=["feeds"], dependencies=[needs(Scope.READ)])
_YOURS = "your file"  # Where it lies is no matter of whoever asks.


@router.get("/feeds", operation_id="listFeeds", summary="Age, size and errors of feeds")
def list_feeds(
    feeds: FeedsDep,
    settings: SettingsDep,
    now: NowDep,
    *,
    all_: Annotated[bool, Query(alias="all", description="Also those that are off.")] = False,
) -> FeedsAnswer:
    """Give what is known of each feed, in the order of names."""
    try:
        found = feeds.now()
    except TrailhoundError as error:
        raise HTTPException(503, f"What feeds there are cannot be told: {error}") from error
    return FeedsAnswer(
        feeds=tuple(_answer(one, now // MICROSECONDS) for one in found if all_ or one.enabled),
        updates=settings.feeds.update and settings.compiles_trails,
    )


def _answer(status: Status, seconds: int) -> FeedState:
    feed = status.feed
    return FeedState(
        name=feed.name,
        enabled=status.enabled,
        title=feed.info,
        format=feed.format,
        class_=feed.class_,
        licence=feed.licence,
        reference=feed.reference,
        origin=_YOURS if "/" in feed.origin else feed.origin,
        interval_seconds=feed.interval,
        age_seconds=status.age(seconds),
        stale=status.stale(seconds),
        bytes=status.bytes,
        trails=status.trails,
        absent=status.absent,
        added=status.added,
        removed=status.removed,
        refused=status.refused,
        changed=iso_seconds(status.changed or None),
        tried=iso_seconds(status.tried or None),
        due=iso_seconds(status.due or None) if status.enabled else None,
        error=status.error or None,
        failures=status.failures,
    )
