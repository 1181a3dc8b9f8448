"""Follow the store in the order of arrival, and queue for each target what it wants."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from api.sending.filters import Filter
from api.sending.letters import Limits, New, Progress, Shown
from api.sending.outbox import Outbox
from stores.contract import EventOrder, Query, Store
from trailhound.errors import StoreError
from trailhound.record import MICROSECONDS
from trailhound.sending import Send

logger = logging.getLogger(__name__)
LOOK_SECONDS = 1.0  # Between two looks at what has arrived.
_PAGE = 500
_LONGEST_PAUSE = 60.0
_SWEEP_SECONDS = 600.0
_HOUR = 3600 * MICROSECONDS
_MINUTE = 60 * MICROSECONDS
# How far before the latest event we look for one that was there before we began.
_BACK = (0, _HOUR, 24 * _HOUR, 30 * 24 * _HOUR)

Clock = Callable[[], int]
Show = Callable[[Mapping[str, Any]], Sequence[Shown]]


def wall_clock() -> int:
    return time.time_ns() // 1000


class Follower:
    """Reads the store; for one thread.

    `begun` is from when on events are of interest when the store was never followed before. `show` makes the objects of
    an event for the TAXII server.
    """

    def __init__(
        self,
        settings: Send,
        store: Store,
        outbox: Outbox,
        *,
        begun: int | None = None,
        show: Show | None = None,
        clock: Clock = wall_clock,
    ) -> None:
        targets = settings.targets
        self._store = store
        self._outbox = outbox
        self._show = show
        self._max_shown = settings.taxii.max_objects
        self._clock = clock
        self._begun = clock() if begun is None else begun
        self._filters = {name: Filter(target) for name, target in targets.items()}
        self._limits = {
            name: Limits(target.max_waiting, int(target.quiet_minutes * _MINUTE)) for name, target in targets.items()
        }
        self._max_age = int(settings.max_age_hours * _HOUR)
        self._progress: Progress | None = None

    def run(self, stop: threading.Event, queued: Callable[[], None] = lambda: None) -> None:
        """Follow until stopped, calling `queued` when there is something new. Trouble of the store is waited out."""
        pause, troubles, swept = 0.0, 0, time.monotonic()
        while not stop.wait(pause):
            try:
                read = self.step()
                if time.monotonic() - swept > _SWEEP_SECONDS:
                    swept = time.monotonic()
                    self._outbox.sweep({name: one.quiet for name, one in self._limits.items()}, self._clock())
            except StoreError as error:
                pause = min(LOOK_SECONDS * 2**troubles, _LONGEST_PAUSE)
                troubles = min(troubles + 1, 10)
                logger.warning("What goes out waits for the store: %s", error)
                continue
            troubles, pause = 0, 0.0 if read == _PAGE else LOOK_SECONDS
            if read:
                queued()

    def step(self) -> int:
        """Look at a page of what has arrived; give how many events there were."""
        if self._progress is None:
            self._progress = self._begin()
        before = self._progress
        page = self._store.events(Query(), order=EventOrder.INGESTED, limit=_PAGE, cursor=before.cursor)
        if not page.events:
            return 0
        new: list[New] = []
        shown: list[Shown] = []
        for document in page.events:
            if not self._is_to_go(document, before.begun):
                continue
            about = document.get("event", {})
            threat = str(document.get("trailhound", {}).get("threat_id", ""))
            new += [
                New(name, str(about.get("id", "")), threat, document)
                for name, wanted in self._filters.items()
                if wanted.wants(document)
            ]
            shown += self._shown(document)
        last = page.events[-1].get("event", {})
        reached = max(before.ingested, _ingested(page.events[-1]))
        progress = Progress(page.next, str(last.get("id", "")), reached, before.begun)
        self._outbox.take(progress, new, self._limits, self._clock(), shown, self._max_shown)
        self._progress = progress
        return len(page.events)

    def _shown(self, document: Mapping[str, Any]) -> Sequence[Shown]:
        try:
            return self._show(document) if self._show is not None else ()
        except (ValueError, TypeError, AttributeError, LookupError):
            logger.exception("An event cannot be shown by the TAXII server")
            return ()

    def _begin(self) -> Progress:
        """Go on where we were; at first, with what arrives from now on.

        A store that no longer has the last event was made anew, or has let go of it: its cursor may mean another place
        by now. It is read from its beginning, and what was there before then is passed over.
        """
        known = self._outbox.progress()
        if known is None:
            start = self._at_the_end()
            # What arrives while nothing has arrived yet is new even after a restart.
            self._outbox.take(start, (), self._limits, self._clock())
            return start
        if known.event and self._store.event(known.event) is None:
            logger.warning("The store no longer has what was sent last; it is read from its beginning")
            return Progress(None, "", known.ingested, max(known.begun, known.ingested))
        return known

    def _at_the_end(self) -> Progress:
        """Find a place near the end of the order of arrival: little is to be passed over from there."""
        last = self._store.summary(Query()).last
        for back in _BACK if last is not None else ():
            found = self._place_after(max(0, (last or 0) - back))
            if found is not None:
                return found
        return Progress(None, "", self._begun, self._begun)

    def _place_after(self, since: int) -> Progress | None:
        """Find the last event that arrived before we began, among those that started after then."""
        found, limit = None, _PAGE
        while limit:
            cursor = found.cursor if found is not None else None
            page = self._store.events(Query(since=since), order=EventOrder.INGESTED, limit=limit, cursor=cursor)
            known = 0
            while known < len(page.events) and _ingested(page.events[known]) < self._begun:
                known += 1
            if not page.events:
                break
            if known == len(page.events):
                event = str(page.events[-1].get("event", {}).get("id", ""))
                found = Progress(page.next, event, self._begun, self._begun)
                limit = _PAGE if limit == _PAGE else 0
            else:
                limit = known
        return found

    def _is_to_go(self, document: Mapping[str, Any], begun: int) -> bool:
        """Leave out what was there before us, and what an archive brought."""
        ingested = _ingested(document)
        if ingested < begun:
            return False
        return ingested - _time(document.get("event", {}).get("start") or document.get("@timestamp")) <= self._max_age


def _ingested(document: Mapping[str, Any]) -> int:
    about = document.get("event", {})
    return _time(about.get("ingested") or about.get("start"))


def _time(text: object) -> int:
    """Read a time of an event (µs); 0 for what is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return 0
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * MICROSECONDS + moment.microsecond
