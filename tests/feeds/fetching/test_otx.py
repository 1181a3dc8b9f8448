import pytest

from feeds.catalogue import load
from feeds.feed import Feed
from feeds.manners import Manners
from feeds.shelf import Shelf
from tests.feeds.fetching.conftest import MakeFeed
from tests.feeds.fetching.interfaces import otx, pulse, reply, trails
from tests.feeds.fetching.server import Place
from tests.feeds.fetching.trying import fetched

KEY = "a-key-of-otx"
PATH = "/api/v1/pulses/subscribed"


@pytest.fixture
def feed(make_feed: MakeFeed, monkeypatch: pytest.MonkeyPatch) -> Feed:
    monkeypatch.setenv("OTX_API_KEY", KEY)
    catalogued = load()["otx"]
    return make_feed(
        PATH, format="otx", headers=dict(catalogued.headers), secret=catalogued.secret, options={"page": 2}
    )


def test_all_pages_of_a_subscriber_become_one_list(server: Place, feed: Feed, shelf: Shelf, manners: Manners) -> None:
    server.answers[PATH] = otx([pulse(number) for number in range(5)], KEY)
    assert fetched(feed, shelf, manners).outcome == "new"
    found = trails(feed, shelf)
    assert sorted(found) == [f"evil{number}.example" for number in range(5)]
    assert found["evil3.example"].info == "pulse 3"
    assert [request.path.partition("page=")[2] for request in server.requests] == ["1", "2", "3"]


def test_a_wrong_key_is_said_and_not_shown(
    server: Place, feed: Feed, shelf: Shelf, manners: Manners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTX_API_KEY", "some-other-key")
    server.answers[PATH] = otx([pulse(1)], KEY)
    result = fetched(feed, shelf, manners)
    assert (result.outcome, "is its secret right?" in result.reason) == ("failed", True)
    assert "some-other-key" not in result.reason + "".join(
        path.read_text("utf-8", "replace") for path in shelf.path.rglob("*") if path.is_file()
    )


def test_what_is_no_page_of_otx_is_an_error(server: Place, feed: Feed, shelf: Shelf, manners: Manners) -> None:
    server.answers[PATH] = lambda handler: reply(handler, {"pulses": []})
    assert "no page of OTX" in fetched(feed, shelf, manners).reason
