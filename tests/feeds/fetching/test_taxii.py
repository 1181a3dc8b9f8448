from feeds.feed import Feed
from feeds.manners import Manners
from feeds.shelf import Shelf
from tests.feeds.fetching.conftest import MakeFeed
from tests.feeds.fetching.interfaces import indicator, reply, taxii, trails
from tests.feeds.fetching.server import Place, first, status
from tests.feeds.fetching.trying import fetched

PATH = "/api/collections/one/objects/"


def _feed(make_feed: MakeFeed, **options: object) -> Feed:
    return make_feed("/api/collections/one", format="taxii", options=options)


def test_all_pages_of_a_collection_become_one_list(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers[PATH] = taxii([indicator(number) for number in range(5)])
    feed = _feed(make_feed, page=2)
    assert fetched(feed, shelf, manners).outcome == "new"
    assert sorted(trails(feed, shelf)) == [f"evil{number}.example" for number in range(5)]
    assert len(server.requests) == 3
    assert "limit=2" in server.requests[0].path


def test_what_the_collection_has_no_more_is_gone(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    feed = _feed(make_feed)
    server.answers[PATH] = taxii([indicator(number) for number in range(3)])
    fetched(feed, shelf, manners)
    server.answers[PATH] = taxii([indicator(0), indicator(1, revoked=True)])
    assert fetched(feed, shelf, manners).outcome == "new"
    assert list(trails(feed, shelf)) == ["evil0.example"]
    assert fetched(feed, shelf, manners).outcome == "unchanged"


def test_only_what_was_added_in_so_many_days_is_asked_for(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers[PATH] = taxii([indicator(0, added="2001-01-01"), indicator(1, added="2999-01-01")])
    feed = _feed(make_feed, days=30)
    fetched(feed, shelf, manners)
    assert list(trails(feed, shelf)) == ["evil1.example"]


def test_a_page_that_fails_keeps_the_copy_of_before(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    feed = _feed(make_feed)
    good = taxii([indicator(number) for number in range(3)])
    server.answers[PATH] = good
    fetched(feed, shelf, manners)
    server.answers[PATH] = first(taxii([indicator(number) for number in range(5, 9)]), status(500))
    result = fetched(feed, shelf, manners)
    assert (result.outcome, "500" in result.reason) == ("failed", True)
    assert len(trails(feed, shelf)) == 3


def test_pages_that_go_round_in_a_circle_are_left(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers[PATH] = lambda handler: reply(handler, {"objects": [indicator(1)], "more": True, "next": "again"})
    result = fetched(_feed(make_feed), shelf, manners)
    assert (result.outcome, "circle" in result.reason) == ("failed", True)


def test_more_without_a_place_where_is_an_error(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers[PATH] = lambda handler: reply(handler, {"objects": [indicator(1)], "more": True})
    assert "says that there is more, but not where" in fetched(_feed(make_feed), shelf, manners).reason


def test_what_is_no_page_of_taxii_is_an_error(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers[PATH] = lambda handler: reply(handler, ["a list"])
    assert "no page of TAXII" in fetched(_feed(make_feed), shelf, manners).reason
    server.answers[PATH] = lambda handler: handler.reply(200, {}, b"{ half")
    assert "cannot be read as JSON" in fetched(_feed(make_feed), shelf, manners).reason
