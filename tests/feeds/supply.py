"""Feeds whose content a test says, without a network."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feeds import catalogue
from feeds.feed import Feed
from feeds.fetch import Fetched
from feeds.intake import FeedReport
from feeds.parts import Part
from feeds.shelf import Candidate, Shelf
from feeds.update import Update, update
from matchers.trailset import TrailSet
from trailhound.settings import Settings
from trailhound.trail import Trail, TrailKind

NOW = 1_800_000_000  # Seconds since the epoch, in January 2027.
HOUR, DAY = 3600, 86_400


def feed(name: str, **said: Any) -> Feed:
    """Make a feed of lines, with what is said of it as the catalogue would have it."""
    return catalogue.feed(name, {"url": f"https://lists.example/{name}", "confidence": 60, **said}, "a test")


def put(shelf: Shelf, name: str, content: bytes, fetched: int) -> Candidate:
    """Lay content on the shelf as if it had just been fetched."""
    draft = shelf.draft(name)
    file = draft.next_file
    with draft.writing(file) as stream:
        stream.write(content)
    draft.add(Part(file, name, len(content), hashlib.sha256(content).hexdigest(), fetched=fetched))
    return Candidate(shelf, name, draft.seal())


@dataclass(slots=True)
class Site:
    """A Trailhound with feeds; `serve` says what they give at the next update, `now` is its time."""

    folder: Path
    feeds: dict[str, Feed]
    now: int = NOW
    settings: Settings = field(init=False)
    shelf: Shelf = field(init=False)

    def __post_init__(self) -> None:
        self.settle()

    def settle(self, **said: Any) -> None:
        """Take other settings."""
        self.settings = Settings.model_validate(
            {"state_dir": self.folder, "trails": {"starter": False, "expired_days": 36_500}, **said}
        )
        self.shelf = Shelf(self.settings.shelf_path)

    def serve(self, **given: str | bytes | Exception) -> Update:
        """Update the feeds that give something; an exception is a failure with its text."""
        return self.serve_all(given)

    def serve_all(self, contents: Mapping[str, str | bytes | Exception], accept: Sequence[str] = ()) -> Update:
        return update(
            list(contents),
            self.settings,
            self.shelf,
            self.feeds,
            results=self._results(contents),
            accept=accept,
            now=self.now,
        )

    def serve_one(self, content: str | bytes | Exception, *, accept: bool = False) -> FeedReport:
        """Update the first feed; `accept` as a person who has looked."""
        name = next(iter(self.feeds))
        (report,) = self.serve_all({name: content}, [name] if accept else []).feeds
        return report

    def later(self, seconds: int) -> None:
        self.now += seconds

    @property
    def trails(self) -> TrailSet:
        return TrailSet.open(self.settings.trail_set_path)

    def values(self) -> set[str]:
        """Give all that the set in force has and that is met now."""
        return {trail.value for trail in self.trails if trail.expires is None or trail.expires >= self.now}

    def trail(self, value: str, kind: TrailKind = TrailKind.DOMAIN) -> Trail | None:
        return self.trails.get(kind, value)

    def _results(
        self, contents: Mapping[str, str | bytes | Exception]
    ) -> Callable[[Sequence[Feed]], Iterable[Fetched]]:
        def results(chosen: Sequence[Feed]) -> Iterator[Fetched]:
            for one in chosen:
                content = contents[one.name]
                if isinstance(content, Exception):
                    self.shelf.failed(one.name, str(content), self.now)
                    yield Fetched(one, "failed", str(content))
                    continue
                raw = content.encode() if isinstance(content, str) else content
                candidate = put(self.shelf, one.name, raw, self.now)
                copy = self.shelf.copy(one.name)
                if copy is not None and copy.id == candidate.copy.id:
                    self.shelf.clear(one.name)
                    self.shelf.unchanged(one.name, self.now)
                    yield Fetched(one, "unchanged")
                else:
                    yield Fetched(one, "new", "", candidate)

        return results


def site(folder: Path, *feeds: Feed) -> Site:
    return Site(folder, {one.name: one for one in feeds})


def names(count: int, start: int = 0, suffix: str = "bad.example") -> str:
    """Give a list of names, a line each."""
    return "".join(f"n{number}.{suffix}\n" for number in range(start, start + count))
