"""An update: fetch what is asked for, look whether it got worse, keep what each feed gave, compile the set anew.

Whatever goes wrong with one feed leaves what it gave before in force, and is told in the report and in the index.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import structlog

from feeds import build
from feeds.feed import Feed
from feeds.fetch import Fetched, Progress
from feeds.fetch import fetch as fetch_from_sources
from feeds.intake import FeedReport, Intake
from feeds.manners import Manners
from feeds.merge import Merged
from feeds.shelf import Shelf
from feeds.source import Source
from matchers.compile import Compiled
from trailhound.errors import SettingsError
from trailhound.settings import Settings

Results: TypeAlias = Callable[[Sequence[Feed]], Iterable[Fetched]]
_log = structlog.get_logger("feeds")


@dataclass(frozen=True, slots=True)
class Update:
    """What an update did. `compiled` is None when the set in force is made of the same already."""

    feeds: tuple[FeedReport, ...]
    compiled: Compiled | None = None
    merged: Merged | None = None
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        return all(feed.well for feed in self.feeds)


def update(
    names: Collection[str] | None,
    settings: Settings,
    shelf: Shelf,
    feeds: Mapping[str, Feed],
    *,
    fetch: bool = True,
    manners: Manners | None = None,
    sources: Mapping[str, Source] | None = None,
    results: Results | None = None,
    accept: Collection[str] = (),
    now: int | None = None,
    progress: Progress | None = None,
) -> Update:
    """Update some feeds, or with `names` of None all that are enabled, and compile the set when something changed.

    `feeds` are all there are, on or off: what is off counts no longer. Without `fetch` nothing goes out to the network:
    copies that lie on the shelf are read. `results` takes the place of fetching, as an import does. Feeds in `accept`
    are taken up even if they shrank or changed shape: a person has looked. `now` is for what is remembered of trails.

    Raises `FetchError` when another update is running, `SettingsError` for a name that no feed has, `SourceError` or
    `TrailSetError` when nothing can be written.
    """
    began = time.monotonic()
    chosen = _chosen(names, feeds)
    if results is None and fetch:
        results = partial(_from_sources, shelf=shelf, manners=manners or Manners(), progress=progress, sources=sources)
    with shelf.alone():
        intake = Intake(shelf, feeds, build.policy_of(settings).min_ratio, accept, now or int(time.time()))
        taken = map(intake.take, results(chosen)) if results is not None else map(intake.take_copy, chosen)
        reports = sorted(taken, key=lambda report: report.name)
        intake.finish()
    built = build.compile_own(settings, anew=False) if settings.compiles_trails else None
    for report in reports:
        if not report.well:
            _log.warning("feed not taken up", feed=report.name, reason=report.reason, outcome=report.outcome)
    if built is None:
        return Update(tuple(reports), seconds=time.monotonic() - began)
    _log.info("trails compiled", trails=built.compiled.trails)
    return Update(tuple(reports), built.compiled, built.merged, time.monotonic() - began)


def _chosen(names: Collection[str] | None, feeds: Mapping[str, Feed]) -> list[Feed]:
    if names is None:
        return [feed for feed in feeds.values() if feed.enabled]
    unknown = sorted(set(names) - feeds.keys())
    if unknown:
        raise SettingsError(f"{unknown[0]} is no feed; see `trailhound feeds list --all`")
    return [feed for feed in feeds.values() if feed.name in names]


def _from_sources(
    feeds: Sequence[Feed],
    *,
    shelf: Shelf,
    manners: Manners,
    progress: Progress | None,
    sources: Mapping[str, Source] | None,
) -> Iterator[Fetched]:
    return fetch_from_sources(feeds, shelf, manners, progress, sources=sources)
