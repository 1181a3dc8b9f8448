"""What is known of every feed: how old it is, what it gave, what went wrong, when it is due again."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from feeds import catalogue, switches
from feeds.feed import Feed
from feeds.granary import Granary, Kept
from feeds.shelf import Facts, Shelf

STALE = 3  # Intervals after which a feed is too old.
_FIRST_RETRY = 300  # Seconds after a first failure; each further one in a row doubles it.
_LONGEST_RETRY = 86_400
_TOGETHER = 300  # Seconds by which a feed may be early, so that one update does for several.
_SPREAD = 0.1  # Share of an interval by which feeds come later, so that not all of them come at once.


@dataclass(frozen=True, slots=True)
class Status:
    """One feed at one moment. Times are seconds since the epoch, 0 for never.

    `checked` is when the source last had what we have, `changed` when that changed. `bytes` is what lies on the shelf,
    as it came. `trails` are listed, `absent` wait for their end; `added`, `removed` and `refused` are of the last
    change. `error` says why the last try left all as it was; it has failed `failures` times in a row, since `failing`.
    `due` is when it should be tried again. `switched` says that a command set `enabled`.
    """

    feed: Feed
    enabled: bool
    switched: bool
    tried: int
    checked: int
    changed: int
    bytes: int
    trails: int
    absent: int
    added: int
    removed: int
    refused: int
    error: str
    failing: int
    failures: int
    due: int

    def age(self, now: int) -> int | None:
        """Give how many seconds ago we knew that this is what the source has; None for never."""
        return max(0, now - self.checked) if self.checked else None

    def stale(self, now: int) -> bool:
        """Tell whether a feed that is on has not come for three intervals, though somebody tried."""
        since = self.checked or self.failing
        return self.enabled and bool(since) and now - since > STALE * self.feed.interval


class Statuses:
    """Gives the status of all feeds; the catalogue is read again only when the user's file has changed."""

    def __init__(self, folder: Path, user_file: Path | None) -> None:
        self._shelf = Shelf(folder)
        self._granary = Granary(folder)
        self._user_file = user_file
        self._feeds: Mapping[str, Feed] = {}
        self._mark: tuple[int, ...] | None = None

    def now(self) -> Sequence[Status]:
        """Give what is known at this moment, in the order of names.

        Raises `SettingsError` for the user's file, `SourceError` for what was switched.
        """
        mark = self._look()
        if mark != self._mark:
            self._feeds = catalogue.load(self._user_file)
            self._mark = mark
        return of(self._feeds, self._shelf, self._granary)

    def _look(self) -> tuple[int, ...]:
        if self._user_file is None:
            return ()
        try:
            found = self._user_file.stat()
        except OSError:
            return (-1,)  # Loading says what is wrong.
        return (found.st_ino, found.st_size, found.st_mtime_ns)


def of(feeds: Mapping[str, Feed], shelf: Shelf, granary: Granary) -> list[Status]:
    """Give the status of feeds as the files have them; what was switched by command is taken in here."""
    switched = switches.load(shelf.path)
    index = granary.index()
    return [
        _status(feed, feed.name in switched, shelf, index.get(feed.name, Kept()))
        for feed in switches.applied(feeds, switched).values()
    ]


def _status(feed: Feed, switched: bool, shelf: Shelf, kept: Kept) -> Status:  # noqa: FBT001 - a fact among facts
    facts = shelf.facts(feed.name)
    copy = shelf.copy(feed.name) if facts.copy else None
    return Status(
        feed=feed,
        enabled=feed.enabled,
        switched=switched,
        tried=facts.tried,
        checked=facts.checked,
        changed=facts.changed,
        bytes=copy.size if copy is not None else 0,
        trails=kept.trails,
        absent=kept.absent,
        added=kept.added,
        removed=kept.removed,
        refused=kept.refused,
        error=facts.error or kept.objection,
        failing=facts.failing or kept.since,
        failures=facts.failures or bool(kept.objection),
        due=due(feed, facts),
    )


def due(feed: Feed, facts: Facts) -> int:
    """Tell when to try next: an interval after the last try, sooner after a failure, 0 when it was never tried.

    After failures in a row the pause grows, up to a day for what is due more often; a server that wants to be left
    alone for longer is.
    """
    if not facts.tried:
        return 0
    pause = float(feed.interval)
    if facts.failures:
        growing = _FIRST_RETRY * 2 ** min(facts.failures - 1, 20)
        pause = min(growing, max(feed.interval, _LONGEST_RETRY))
    # The same for everybody who asks, and another one for each feed and try.
    share = zlib.crc32(f"{feed.name} {facts.tried}".encode()) / 2**32
    return max(facts.tried + int(pause * (1 + _SPREAD * share)), facts.not_before)


def due_now(statuses: Sequence[Status], now: int) -> list[str]:
    """Name the feeds whose time has come, with those whose time comes soon; none while none is due."""
    on = [one for one in statuses if one.enabled]
    if not any(one.due <= now for one in on):
        return []
    return [one.feed.name for one in on if one.due <= now + _early(one)]


def _early(one: Status) -> int:
    """Tell by how many seconds a feed may be early; one that fails is left alone until its time."""
    return 0 if one.failures else min(_TOGETHER, one.feed.interval // 10)
