"""Lists that are kept until something about them is another."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import structlog

from api.lists import saved
from api.lists.decided import Decided, Decisions
from api.lists.entry import Candidate
from api.lists.forms import TXT
from api.lists.gather import gather
from api.lists.listing import Listing, assemble, stands
from api.lists.rule import Rule
from api.lists.spared import Spared, Sparing
from api.lookup import TrailLookup
from stores.contract import Query, Store, Summary
from stores.desk import Desk
from trailhound.errors import TrailhoundError
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings

_log = structlog.get_logger("lists")
_MINUTE = 60 * MICROSECONDS
# With fewer events, whatever arrived stands on a list at once. With more, lists are made ahead, one after the other, as
# long as somebody asks for them.
SMALL = 10_000
_EVERY = 10.0  # Seconds between two looks for something new, or more when it takes long to make a list of it.
_SHARE = 20.0  # Making lists takes at most one part in so many of the time.
_PATIENCE = 60.0  # Seconds after which a list that is older is not given away any more.
_CLOSING = 1.0  # Seconds that a stop waits for a list that is being made.
_WANTED = 900.0  # Seconds that a list is made ahead after somebody asked for it.
_MOST_KEPT = 256
_SAVED = 300.0  # Seconds between two times that the first list is kept for the next start.
_FRESH = 2.0  # Seconds after a start in which the list of the last one is not made anew, so that it is given at once.
State: TypeAlias = tuple[object, ...]
_Without: TypeAlias = tuple[State, Spared, Decided]


@dataclass(slots=True)
class _Shelf:
    """One list: its candidates and the state of the store they are of, and the listing and who was left out of it.

    Times are seconds of the monotonic clock.
    """

    candidates: Sequence[Candidate]
    state: State
    listing: Listing
    mark: State
    is_big: bool
    took: float
    checked: float
    asked: float


class BlockLists:
    """Make block lists, and keep each until the store, the desk, who is spared or the minute is another.

    Many firewalls ask at the same time; one of them waits for the work, and the others for that one.
    """

    def __init__(self, store: Store, settings: Settings, desk: Desk, trails: TrailLookup) -> None:
        self._store = store
        self._trails = trails
        self._sparing = Sparing(settings)
        self._decisions = Decisions(desk)
        self._shelves: dict[Rule, _Shelf] = {}
        self._spared: dict[tuple[str, ...], tuple[State, Spared]] = {}
        self._folder = settings.state_dir
        self._first: Rule | None = None
        self._saved = 0.0
        self._saved_state: State = ()
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self._keeper: threading.Thread | None = None
        self._closed = threading.Event()

    def close(self) -> None:
        """Make nothing ahead any more; what is being made may still be."""
        self._closed.set()
        if self._keeper is not None:
            self._keeper.join(_CLOSING)
        if self._first is not None and self._first in self._shelves:
            self._save(self._shelves[self._first])

    def get(self, rule: Rule, now: int) -> Listing:
        """Give a list as it is at a moment (microseconds)."""
        with self._lock:
            without = mark, spared, decided = self._without(rule, now)
            shelf = self._shelf(rule, now, without)
            if shelf.mark != mark:
                entries = assemble(rule, shelf.candidates, spared, decided)
                shelf.listing, shelf.mark = shelf.listing.renewed(entries, now // MICROSECONDS), mark
            return shelf.listing

    def candidates(self, rule: Rule, now: int) -> Sequence[Candidate]:
        """Give what events speak against, though it may not stand on the list."""
        with self._lock:
            return self._shelf(rule, now, self._without(rule, now)).candidates

    def warm(self, rule: Rule, now: int) -> None:
        """Take the list that was kept before the last stop, or make it while nobody waits for it.

        Who is spared, was cleared or was decided on since is looked at as always. It is made anew soon.
        """
        self._first = rule
        try:
            self._take_saved(rule, now)
        except TrailhoundError as error:
            _log.warning("the block list of the last start is not used", list=rule.name, reason=str(error))
        threading.Thread(target=self._warm, args=(rule, now), name="lists-first", daemon=True).start()

    def _warm(self, rule: Rule, now: int) -> None:
        try:
            if self._store.summary(Query()).events >= SMALL:
                self.get(rule, now)
        except TrailhoundError as error:
            _log.warning("a block list could not be made ahead", list=rule.name, reason=str(error))

    def _take_saved(self, rule: Rule, now: int) -> None:
        summary = self._store.summary(Query())
        if summary.last is None or summary.events < SMALL:
            return
        candidates = saved.read(self._folder, rule, now, summary.last)
        if not candidates:
            return
        with self._lock:
            mark, spared, decided = self._without(rule, now)
            listing = Listing(rule, assemble(rule, candidates, spared, decided), now // MICROSECONDS)
            listing.body(TXT)
            begin = time.monotonic()
            checked = begin - _EVERY + _FRESH
            self._shelves[rule] = _Shelf(
                candidates, (), listing, mark, is_big=True, took=0, checked=checked, asked=begin
            )

    def _save(self, shelf: _Shelf) -> None:
        """Keep the first list for the next start, unless that was done."""
        if not shelf.is_big or not shelf.state or shelf.state == self._saved_state:
            return
        minute, summary = shelf.state
        if isinstance(minute, int) and isinstance(summary, Summary) and summary.last is not None:
            saved.write(self._folder, shelf.listing.rule, minute, summary.last, shelf.candidates)
            self._saved, self._saved_state = time.monotonic(), shelf.state

    def _without(self, rule: Rule, now: int) -> _Without:
        decided = self._decisions.at(now)
        who, make = self._sparing.at(now)
        mark = (who, decided.mark)
        known = self._spared.get(rule.exclude)
        if known is None or known[0] != mark:
            known = self._spared[rule.exclude] = (mark, make((*decided.allowed, *rule.exclude)))
        return mark, known[1], decided

    def _shelf(self, rule: Rule, now: int, without: _Without) -> _Shelf:
        shelf, moment = self._shelves.get(rule), time.monotonic()
        if shelf is None or not shelf.is_big or moment - shelf.checked > max(_PATIENCE, 2 * _SHARE * shelf.took):
            self._look(rule, now, without)
            shelf = self._shelves[rule]
        shelf.asked = moment
        if shelf.is_big and (self._keeper is None or not self._keeper.is_alive()):
            ahead = now - int(moment * MICROSECONDS)
            self._keeper = threading.Thread(target=self._keep, args=(ahead,), name="lists", daemon=True)
            self._keeper.start()
        return shelf

    def _look(self, rule: Rule, now: int, without: _Without) -> None:
        """Make the candidates of a list anew if the store holds something else, or the minute is another."""
        with self._working:
            begin = time.monotonic()
            minute = now // _MINUTE * _MINUTE
            summary = replace(self._store.summary(Query()), by={})
            state: State = (minute, summary)
            shelf = self._shelves.get(rule)
            if shelf is not None and shelf.state == state:
                shelf.checked = begin
                return
            mark, spared, decided = without
            candidates = gather(self._store, self._trails, rule, minute, lambda one: stands(one, rule, spared, decided))
            entries, made = assemble(rule, candidates, spared, decided), now // MICROSECONDS
            listing = Listing(rule, entries, made) if shelf is None else shelf.listing.renewed(entries, made)
            end = time.monotonic()
            asked = shelf.asked if shelf is not None else begin
            while shelf is None and len(self._shelves) >= _MOST_KEPT:
                stalest = min(self._shelves, key=lambda kept: self._shelves[kept].asked)
                del self._shelves[stalest]
            is_big = summary.events >= SMALL
            self._shelves[rule] = _Shelf(candidates, state, listing, mark, is_big, end - begin, begin, asked)
            if rule == self._first and (not self._saved or end - self._saved > _SAVED):
                self._save(self._shelves[rule])

    def _keep(self, ahead: int) -> None:
        """Look for something new as long as somebody asks. `ahead` is the wall clock less the monotonic one."""
        while wanted := [rule for rule, shelf in self._big() if time.monotonic() - shelf.asked < _WANTED]:
            for rule in wanted:
                shelf = self._shelves.get(rule)
                if shelf is None or time.monotonic() - shelf.checked < max(_EVERY, _SHARE * shelf.took):
                    continue
                try:
                    now = ahead + int(time.monotonic() * MICROSECONDS)
                    with self._lock:
                        without = self._without(rule, now)
                    self._look(rule, now, without)
                except TrailhoundError as error:
                    _log.warning("a block list stays as it was", list=rule.name, reason=str(error))
            if self._closed.wait(_EVERY / 10):
                return

    def _big(self) -> Iterator[tuple[Rule, _Shelf]]:
        return ((rule, shelf) for rule, shelf in list(self._shelves.items()) if shelf.is_big)
