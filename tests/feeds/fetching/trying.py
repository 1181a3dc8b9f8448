"""Fetch as an update does, with a verdict at once."""

from feeds.feed import Feed
from feeds.fetch import Fetched, fetch
from feeds.manners import Manners
from feeds.shelf import Shelf

GOOD = b"evil.example\nworse.example\n"


def fetched(feed: Feed, shelf: Shelf, manners: Manners) -> Fetched:
    """Fetch one feed and accept what is new."""
    with shelf.alone():
        (result,) = fetch([feed], shelf, manners)
        if result.candidate is not None:
            result.candidate.accept(1_000, result.reason)
    return result


def content(shelf: Shelf, name: str = "evil") -> list[bytes] | None:
    """Give the bytes of the copy in force."""
    copy = shelf.copy(name)
    return None if copy is None else [path.read_bytes() for path in copy.paths]
