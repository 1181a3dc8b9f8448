"""A site with a feed server of its own: settings, a file of feeds, and what the server answers."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from feeds.catalogue import CATALOGUE
from matchers.trailset import TrailSet
from tests.feeds.fetching.server import Place, body
from trailhound.settings import Settings, load


@dataclass
class Site:
    """All feeds of the catalogue are off, so that only those of the test are there."""

    root: Path
    place: Place
    said: dict[str, Any] = field(default_factory=dict)
    feeds: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.config.parent.mkdir(parents=True)
        with CATALOGUE.open("rb") as file:
            self.feeds = {name: {"enabled": False} for name in tomllib.load(file)}
        self.settle()
        self.write()

    @property
    def config(self) -> Path:
        return self.root / "etc" / "trailhound.toml"

    @property
    def feeds_file(self) -> Path:
        return self.root / "etc" / "feeds.toml"

    @property
    def settings(self) -> Settings:
        return load(self.config)

    def settle(self, **feeds: Any) -> None:
        """Write settings; `feeds` are those of the section."""
        said = {
            "state_dir": str(self.root / "state"),
            "trails": {"starter": False},
            "feeds": {"reachable": ["127.0.0.0/8", "::1/128"], **feeds},
        }
        self.config.write_text(tomli_w.dumps(said), "utf-8")

    def feed(self, name: str, content: str | bytes = "", **keys: Any) -> None:
        """Describe a feed and what its server gives."""
        self.feeds[name] = {"url": self.place.url(f"/{name}.txt"), "class": "malware", "enabled": True, **keys}
        self.write()
        self.give(name, content)

    def give(self, name: str, content: str | bytes) -> None:
        raw = content.encode() if isinstance(content, str) else content
        self.place.answers[f"/{name}.txt"] = body(raw)

    def write(self) -> None:
        self.feeds_file.write_text(tomli_w.dumps(self.feeds), "utf-8")

    def values(self) -> set[str]:
        """Give what the set in force holds."""
        return {trail.value for trail in TrailSet.open(self.settings.trail_set_path)}
