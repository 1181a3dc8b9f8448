"""The desk that the settings name, and the trails that people put there, as a small set over the one in force."""

from contextlib import closing

import structlog

from matchers.layers import small_set
from matchers.trailset import TrailSet
from stores import desk as desks
from stores.desk import Desk
from stores.desk.contract import CustomTrail, Noun
from stores.desk.rows import DAY
from trailhound.errors import StoreError
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings
from trailhound.trail import Trail

SOURCE = "own trails"
_log = structlog.get_logger("trails")


def open_desk(settings: Settings) -> Desk:
    """Open the desk that goes with the store: beside its file, or in Elasticsearch for all sensors and consoles."""
    if settings.store.kind == "elasticsearch":
        # Half a second and 11 MB for its client, which those with a file of events do not need.
        from trailhound.commands.clustered import open_clustered_desk  # noqa: PLC0415

        return open_clustered_desk(settings)
    return desks.open_desk(settings.state_dir)


def own_trails(settings: Settings, now: int, previous: TrailSet | None = None) -> TrailSet | None:
    """Give the set of the trails that people added, as `own_set`; where there is no desk yet, there are none."""
    if settings.store.kind == "embedded" and not (settings.state_dir / desks.FILE).exists():
        return None
    with closing(open_desk(settings)) as desk:
        return own_set(desk, settings, now, previous)


def own_set(desk: Desk, settings: Settings, now: int, previous: TrailSet | None = None) -> TrailSet | None:
    """Make the set of what is in force at a time (microseconds); without an answer of the desk the previous one stays.

    Trails that expired are kept for as long as those of lists, since a record is judged by its own time.
    """
    try:
        trails = desk.trails(now=now, expired_since=now - settings.trails.expired_days * DAY)
    except StoreError as error:
        _log.error("the trails that people added stay as they were", reason=str(error))
        return previous
    return small_set(map(_trail, trails))


class Watched:
    """Tells when the trails of a desk have changed; while the desk does not answer, they have not."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._mark = ""
        self._trouble = ""

    def mark(self) -> str:
        try:
            self._mark, self._trouble = self._desk.mark(Noun.TRAIL), ""
        except StoreError as error:
            if self._trouble != str(error):
                self._trouble = str(error)
                _log.warning("it is not known whether people added trails", reason=self._trouble)
        return self._mark


def _trail(one: CustomTrail) -> Trail:
    return Trail(
        kind=one.kind,
        value=one.value,
        info=one.info,
        class_=one.class_,
        sources=(SOURCE,),
        reference=one.reference,
        confidence=one.confidence,
        first_seen=one.made // MICROSECONDS,
        expires=None if one.expires is None else one.expires // MICROSECONDS,
        custom=True,
    )
