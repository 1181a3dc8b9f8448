"""Read a text or bytes as a feed of any format."""

from pathlib import Path
from typing import Any

from feeds.catalogue import feed
from feeds.entry import Entry
from feeds.reading import read_feed
from tests.feeds.expected import as_rows


def entries(folder: Path, format_: str, content: str | bytes, name: str = "copy", **keys: Any) -> list[Entry]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return of_paths([path], format_, **keys)


def of_paths(paths: list[Path], format_: str, **keys: Any) -> list[Entry]:
    table = {"url": "https://feed.example/list", "format": format_, "class": "malware", "info": "threat", **keys}
    return list(read_feed(feed("some-feed", table, "test"), paths))


def rows(folder: Path, format_: str, content: str | bytes, **keys: Any) -> list[tuple[str, ...]]:
    return as_rows(entries(folder, format_, content, **keys))


def known(folder: Path, format_: str, content: str | bytes, **keys: Any) -> list[tuple[str, ...]]:
    """Give kind and value of each trail; of a refusal the word `refused` and the value."""
    return [row[:2] for row in rows(folder, format_, content, **keys)]
