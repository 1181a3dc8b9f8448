import ipaddress
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from feeds.catalogue import feed
from feeds.feed import Feed
from feeds.manners import Manners
from feeds.shelf import Shelf
from tests.feeds.fetching.server import Handler, Place, serving

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
MakeFeed = Callable[..., Feed]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[Place]:
    with serving(Handler, authority) as place:
        yield place


@pytest.fixture
def plain_server() -> Iterator[Place]:
    with serving(Handler, None) as place:
        yield place


@pytest.fixture
def manners(authority: trustme.CA, tmp_path: Path) -> Manners:
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    return Manners(
        ca_file=file, reachable=LOOPBACK, retry_seconds=0.01, read_seconds=2.0, connect_seconds=2.0, total_seconds=20.0
    )


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "state" / "feeds")


@pytest.fixture
def make_feed(server: Place) -> MakeFeed:
    """Make a feed of paths on the server."""

    def make(*paths: str, name: str = "evil", **keys: Any) -> Feed:
        urls = [path if "://" in path else server.url(path) for path in paths or ("/list.txt",)]
        return feed(name, {"url": urls, **keys}, "a test")

    return make
