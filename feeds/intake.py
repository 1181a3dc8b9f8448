"""What came of each feed, judged and kept: parsed once, put together with what is known of it from before."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec
import structlog

from feeds import granary, life, warninglists
from feeds.entry import Refused
from feeds.feed import Feed
from feeds.fetch import Fetched
from feeds.formats import all_formats
from feeds.granary import Granary, Kept
from feeds.guards import Guard
from feeds.harvest import Harvest
from feeds.parts import Copy
from feeds.reading import read_feed
from feeds.shelf import Candidate, Shelf
from matchers.gather import Gathering
from matchers.layout import VERSION
from trailhound import __version__
from trailhound.errors import SourceError

_READING = 1  # Counts up when the same copy is to be read anew by the same Trailhound.
_log = structlog.get_logger("feeds")

# `new`: taken up; `unchanged`: as before; `kept`: what is in force stays so; `missing`: nothing is.
Outcome: TypeAlias = Literal["new", "unchanged", "kept", "missing"]


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What became of one feed. `reason` says what went wrong; numbers are of what is in force now."""

    name: str
    outcome: Outcome
    reason: str = ""
    trails: int = 0
    added: int = 0
    removed: int = 0
    refused: int = 0

    @property
    def well(self) -> bool:
        return not self.reason


class Intake:
    """Takes feeds one after the other; `finish` puts all of it in force. Who has one holds the shelf alone.

    `min_ratio` is the least share of its trails that a feed must still have; feeds in `accept` may be as they are.
    `now` is in seconds since the epoch.
    """

    def __init__(
        self, shelf: Shelf, feeds: Mapping[str, Feed], min_ratio: float, accept: Collection[str], now: int
    ) -> None:
        self._shelf = shelf
        self._feeds = feeds
        self._guard = Guard(min_ratio)
        self._accept = accept
        self._now = now
        self._granary = Granary(shelf.path)
        self._index = self._granary.index()

    def take(self, fetched: Fetched) -> FeedReport:
        """Judge what came of a feed. Whatever is wrong with it, what was in force stays so."""
        if fetched.candidate is not None:
            return self._judge(fetched.feed, fetched.candidate, fetched.reason)
        if fetched.outcome == "failed":
            return self._report(fetched.feed, "kept", fetched.reason or self._read_again(fetched.feed))
        return self.take_copy(fetched.feed, fetched.reason)

    def take_copy(self, feed: Feed, trouble: str = "") -> FeedReport:
        """Take the copy on the shelf for what the feed has."""
        before = self._of(feed)
        reason = self._read_again(feed)
        kept = self._of(feed)
        if not reason and kept.copy:
            checked = self._shelf.facts(feed.name).checked
            seen = max(kept.seen, min(checked, self._now))
            self._let_go(feed, msgspec.structs.replace(kept, seen=seen, objection="", since=0))
        same = (kept.file, kept.copy) == (before.file, before.copy)
        return self._report(feed, "unchanged" if same else "new", reason or trouble)

    def finish(self) -> None:
        """Bring what was not taken up to date too, let go what ran out, and put the index in force."""
        for name in sorted(self._index.keys() | self._feeds.keys()):
            feed = self._feeds.get(name)
            if feed is None or not feed.enabled:
                self._switch_off(name, feed)
                continue
            self._read_again(feed)
            if name in self._index:
                self._let_go(feed, granary.counting(self._index[name], feed))
        self._granary.save(self._index)

    def _judge(self, feed: Feed, candidate: Candidate, trouble: str) -> FeedReport:
        taken, objection = self._looked_at(feed, candidate.copy, is_new=True)
        if taken is None:
            candidate.reject(objection, self._now)
            self._object(feed, objection)
            return self._report(feed, "kept", objection)
        copy = candidate.accept(self._now, trouble)
        taken(copy.id)
        return self._report(feed, "new", trouble)

    def _looked_at(self, feed: Feed, copy: Copy, *, is_new: bool) -> tuple[Callable[[str], None] | None, str]:
        """Read a copy; give what takes it up, or what speaks against that. One that is not new was judged once."""
        try:
            if all_formats()[feed.format].excludes:
                return self._looked_at_lists(feed, copy)
            parsed, refused = _parse(feed, copy)
        except SourceError as error:
            return None, str(error)
        except Exception as error:  # noqa: BLE001 - whatever a plug-in or a hostile list does, the other feeds go on
            _log.exception("feed cannot be read", feed=feed.name)
            return None, f"its format {feed.format} failed: {error!r}"
        old = self._harvest(feed)
        objection = None
        if is_new and feed.name not in self._accept:
            objection = self._guard.objection(feed, parsed, refused, old, self._others(feed))
        elif not len(parsed) and old is not None and len(old) and feed.name not in self._accept:
            objection = "nothing in the copy that is here is a trail any more"
        if objection is not None:
            return None, objection
        return (lambda id_: self._take_up(feed, id_, old, parsed, refused)), ""

    def _looked_at_lists(self, feed: Feed, copy: Copy) -> tuple[Callable[[str], None] | None, str]:
        entries = sum(map(len, warninglists.of_files(feed.name, copy.paths, _patterns(feed))))
        before = self._of(feed).trails
        if not entries or (entries < self._guard.min_ratio * before and feed.name not in self._accept):
            return None, f"it has {entries:,} entries that can be used, and had {before:,}"
        return (lambda id_: self._take_lists(feed, id_, entries)), ""

    def _take_up(self, feed: Feed, copy: str, old: Harvest | None, parsed: Gathering, refused: int) -> None:
        kept = self._of(feed)
        mark = _mark(feed, copy)
        harvest, change = life.merge(old, parsed, self._now, feed, seen=kept.seen, mark=mark, refused=refused)
        parsed.clear()
        changed = change.added or change.removed or change.absent or old is None
        self._index[feed.name] = Kept(
            file=self._granary.put(feed.name, harvest),
            mark=mark,
            copy=copy,
            seen=min(self._shelf.facts(feed.name).checked or self._now, self._now),
            changed=self._now if changed else kept.changed,
            trails=sum(harvest.kinds.values()),
            absent=change.absent,
            added=change.added if changed else kept.added,
            removed=change.removed if changed else kept.removed,
            refused=refused,
        )

    def _take_lists(self, feed: Feed, copy: str, entries: int) -> None:
        self._index[feed.name] = Kept(
            mark=_mark(feed, copy),
            copy=copy,
            warning_list=True,
            files=_patterns(feed),
            seen=self._now,
            changed=self._now,
            trails=entries,
        )

    def _read_again(self, feed: Feed) -> str:
        """Read the copy in force when what we have was made of another one, or in another way; say what is wrong."""
        copy = self._shelf.copy(feed.name)
        if copy is None or (self._of(feed).mark == _mark(feed, copy.id) and self._is_there(feed)):
            return ""
        taken, objection = self._looked_at(feed, copy, is_new=False)
        if taken is not None:
            taken(copy.id)
        else:
            self._object(feed, objection)
        return objection

    def _let_go(self, feed: Feed, kept: Kept) -> None:
        old = self._harvest(feed) if kept.absent else None
        aged = life.age(old, self._now, feed) if old is not None else None
        if old is not None and aged is not None:
            gone = len(old) - len(aged)
            kept = msgspec.structs.replace(
                kept,
                file=self._granary.put(feed.name, aged),
                absent=kept.absent - gone,
                added=0,
                removed=gone,
                changed=self._now,
            )
        self._index[feed.name] = kept

    def _switch_off(self, name: str, feed: Feed | None) -> None:
        """Let a feed that is off count no longer; one that nobody describes any more is forgotten."""
        if feed is None:
            del self._index[name]
            self._granary.forget(name)
        elif name in self._index:
            self._index[name] = granary.counting(self._index[name], feed)

    def _object(self, feed: Feed, objection: str) -> None:
        kept = self._of(feed)
        self._index[feed.name] = msgspec.structs.replace(kept, objection=objection, since=kept.since or self._now)

    def _of(self, feed: Feed) -> Kept:
        return self._index.get(feed.name, Kept())

    def _is_there(self, feed: Feed) -> bool:
        kept = self._of(feed)
        return kept.warning_list or (self._shelf.folder(feed.name) / kept.file).is_file()

    def _harvest(self, feed: Feed) -> Harvest | None:
        """Give what a feed gave before; what is damaged is lost, and is made anew of the copy."""
        try:
            return self._granary.get(feed.name, self._of(feed), once=True)
        except SourceError:
            return None

    def _others(self, feed: Feed) -> Iterator[tuple[Feed, Harvest]]:
        for other in self._feeds.values():
            harvest = self._harvest(other) if other.name != feed.name else None
            if harvest is not None:
                yield other, harvest

    def _report(self, feed: Feed, outcome: Outcome, reason: str = "") -> FeedReport:
        kept = self._of(feed)
        if not kept.mark:
            outcome = "missing"
        return FeedReport(feed.name, outcome, reason, kept.trails, kept.added, kept.removed, kept.refused)


def _parse(feed: Feed, copy: Copy) -> tuple[Gathering, int]:
    """Read what was fetched; give the trails, and how many values did not become any."""
    gathering, refused = Gathering(), 0
    for entry in read_feed(feed, copy.paths):
        if isinstance(entry, Refused):
            refused += 1
        else:
            gathering.add(entry)
    return gathering, refused


def _patterns(feed: Feed) -> tuple[str, ...]:
    return tuple(feed.options.get("files", ()))


def _mark(feed: Feed, copy: str) -> str:
    """Sum up what a harvest is made of: of which bytes, and how they are read."""
    said = (
        copy,
        _READING,
        VERSION,
        __version__,
        feed.format,
        dict(feed.options),
        feed.kind,
        feed.info,
        feed.class_,
        feed.confidence,
    )
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()
