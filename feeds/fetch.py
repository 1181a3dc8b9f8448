"""Fetch feeds: a few at once, few from one host, each into a candidate on the shelf, whatever happens to the others."""

import ssl
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Literal, Protocol, TypeAlias
from urllib.parse import urlsplit

import structlog

from feeds.feed import Feed
from feeds.line import Line, Passing, trust
from feeds.manifest import from_manifest, is_folder
from feeds.manners import Manners
from feeds.parts import identity
from feeds.secret import masked
from feeds.shelf import Candidate, Shelf
from feeds.source import Source, from_urls
from feeds.sources import SOURCES
from trailhound.errors import FetchError

_log = structlog.get_logger()
Outcome: TypeAlias = Literal["new", "unchanged", "failed"]
# Longer than any server may ask for, so that a clock that was wrong does not stop a feed for ever.
_MAX_LEFT_ALONE = 2 * 86_400


class Progress(Protocol):
    """Hears of each feed how many bytes of the document at hand have come, and of how many if that is known.

    It is called from several threads at once.
    """

    def __call__(self, name: str, done: int, total: int | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one feed.

    `new` has a candidate, which somebody has to accept or reject; `reason` then tells what went wrong all the same,
    such as one list of several, and goes with `accept`. `unchanged` and `failed` are noted on the shelf already.
    """

    feed: Feed
    outcome: Outcome
    reason: str = ""
    candidate: Candidate | None = None


def fetch(
    feeds: Iterable[Feed],
    shelf: Shelf,
    manners: Manners,
    progress: Progress | None = None,
    *,
    sources: Mapping[str, Source] | None = None,
) -> Iterator[Fetched]:
    """Fetch feeds and give what became of each, as soon as it is known.

    The caller holds `shelf.alone()`. `sources` are those of formats that need more than URLs, else
    ours. No feed stops another.
    Who closes the iterator early stops what is under way.
    """
    waiting = list(feeds)
    work = _Work(shelf, manners, trust(manners), progress or _silent, SOURCES if sources is None else sources)
    running: dict[Future[Fetched], str] = {}
    with ThreadPoolExecutor(manners.parallel, "fetch") as threads:
        try:
            while waiting or running:
                for feed in _next(waiting, list(running.values()), manners):
                    waiting.remove(feed)
                    running[threads.submit(work.on, feed)] = _host(feed)
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[future]
                    yield future.result()
        finally:
            work.stop.set()
            for future in running:
                future.cancel()


class _Work:
    """What all feeds that are fetched together share."""

    def __init__(
        self, shelf: Shelf, manners: Manners, tls: ssl.SSLContext, progress: Progress, sources: Mapping[str, Source]
    ) -> None:
        self._shelf = shelf
        self._manners = manners
        self._tls = tls
        self._progress = progress
        self._sources = sources
        self.stop = threading.Event()

    def on(self, feed: Feed) -> Fetched:
        """Fetch one feed, and note on the shelf what is not for the caller to decide."""
        now = int(time.time())
        try:
            left_alone = self._shelf.facts(feed.name).not_before
            if now < left_alone < now + _MAX_LEFT_ALONE:
                reason = f"the server wants to be left alone for {left_alone - now} more seconds"
                return Fetched(feed, "failed", reason)
            return self._fetched(feed, now)
        except FetchError as error:
            return self._failed(feed, str(error), now, error.after if isinstance(error, Passing) else 0)
        except OSError as error:
            return self._failed(feed, f"{error.filename or self._shelf.path}: {error.strerror or error}", now)
        except Exception as error:  # noqa: BLE001 - one feed, logged with it
            # A mistake of ours, or of a plug-in, must not keep all other feeds from us. Its words may hold a secret.
            _log.error("a feed cannot be fetched", feed=feed.name, error=type(error).__name__, place=_place(error))
            return self._failed(feed, f"an error of Trailhound itself: {type(error).__name__} in {_place(error)}", now)

    def _fetched(self, feed: Feed, now: int) -> Fetched:
        line = Line(
            feed, self._manners, self._tls, self.stop, lambda done, total: self._progress(feed.name, done, total)
        )
        draft = self._shelf.draft(feed.name)
        with closing(line):
            trouble = masked(self._source(feed)(feed, line, draft), line.private)
        if draft.old is not None and identity(draft.parts) == draft.old.id:
            self._shelf.clear(feed.name)
            self._shelf.unchanged(feed.name, now, trouble, draft.parts)
            return Fetched(feed, "unchanged", trouble)
        return Fetched(feed, "new", trouble, Candidate(self._shelf, feed.name, draft.seal()))

    def _source(self, feed: Feed) -> Source:
        return self._sources.get(feed.format, from_manifest if is_folder(feed) else from_urls)

    def _failed(self, feed: Feed, reason: str, now: int, after: float = 0) -> Fetched:
        """Keep what we have and say why; a shelf that cannot be written to is no reason to fall over."""
        with suppress(FetchError, OSError):
            self._shelf.clear(feed.name)
            self._shelf.failed(feed.name, reason, now, now + ceil(after) if after else 0)
        return Fetched(feed, "failed", reason)


def _next(waiting: Iterable[Feed], busy: list[str], manners: Manners) -> list[Feed]:
    """Give the feeds that may start: a host that has enough to do does not keep the others waiting."""
    chosen: list[Feed] = []
    for feed in waiting:
        if len(busy) == manners.parallel:
            break
        if busy.count(_host(feed)) < manners.per_host:
            busy.append(_host(feed))
            chosen.append(feed)
    return chosen


def _host(feed: Feed) -> str:
    return urlsplit(feed.urls[0]).netloc.lower()


def _place(error: BaseException) -> str:
    at = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(at.filename).name}:{at.lineno}"


def _silent(name: str, done: int, total: int | None) -> None:
    """Hear of progress and say nothing."""
