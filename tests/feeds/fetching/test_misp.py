"""A live MISP: the real PyMISP against a server that behaves as one."""

import builtins
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import trustme

from feeds.feed import Feed
from feeds.manners import Manners
from feeds.shelf import Shelf
from tests.feeds.fetching.conftest import MakeFeed
from tests.feeds.fetching.interfaces import Misp, attribute, trails
from tests.feeds.fetching.server import Handler, serving
from tests.feeds.fetching.trying import fetched

KEY = "k" * 40


@pytest.fixture
def misp() -> Misp:
    return Misp(KEY, [attribute(number, "domain" if number % 2 else "ip-dst") for number in range(7)])


@pytest.fixture
def feed(misp: Misp, authority: trustme.CA, make_feed: MakeFeed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    monkeypatch.setenv("MISP_KEY", KEY)

    class Instance(Handler):
        def do_GET(self) -> None:  # noqa: N802 - the name is the library's
            misp.get(self)

        def do_POST(self) -> None:  # noqa: N802
            misp.post(self)

    with serving(Instance, authority) as place:
        headers = {"Authorization": "{secret}"}
        yield make_feed(place.url("/"), format="misp-api", secret="MISP_KEY", headers=headers, options={"page": 3})


def _asking(feed: Feed, **options: Any) -> Feed:
    return replace(feed, options={**feed.options, **options})


def test_all_pages_of_a_search_become_one_list(feed: Feed, misp: Misp, shelf: Shelf, manners: Manners) -> None:
    assert fetched(feed, shelf, manners).reason == ""
    found = trails(feed, shelf)
    assert len(found) == 7
    assert found["evil5.example"].info == "campaign 2"
    assert found["198.51.100.4"].first_seen == 1_767_225_600
    assert [question["page"] for question in misp.questions] == [1, 2, 3]
    assert fetched(feed, shelf, manners).outcome == "unchanged"


def test_the_instance_is_asked_by_type_tag_purpose_and_date(
    feed: Feed, misp: Misp, shelf: Shelf, manners: Manners
) -> None:
    misp.attributes = [
        attribute(1, tags=["tlp:green"]),
        attribute(2, tags=["tlp:green", "internal"]),
        attribute(3, tags=["tlp:red"]),
        attribute(4, "ip-dst", tags=["tlp:green"]),
        attribute(5, tags=["tlp:green"], to_ids=False),
        attribute(6, tags=["tlp:green"], Event={"uuid": "old", "info": "old", "date": "2019-01-01"}),
    ]
    wanted = _asking(feed, types=["domain"], tags=["tlp:green"], without_tags=["internal"], since="2025-01-01", days=7)
    fetched(wanted, shelf, manners)
    assert list(trails(wanted, shelf)) == ["evil1.example"]
    question = misp.questions[0]
    assert (question["to_ids"], question["published"], question["from"]) == (1, 1, "2025-01-01")
    assert time.time() - 8 * 86_400 < int(question["timestamp"]) < time.time() - 6 * 86_400


def test_an_empty_answer_is_a_list_without_trails(feed: Feed, misp: Misp, shelf: Shelf, manners: Manners) -> None:
    misp.attributes = []
    assert fetched(feed, shelf, manners).outcome == "new"


@pytest.mark.parametrize("key", [KEY, "x" * 40])
def test_a_user_who_may_not_search_is_told_so(
    feed: Feed, misp: Misp, shelf: Shelf, manners: Manners, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISP_KEY", key)
    misp.refuses = True
    result = fetched(feed, shelf, manners)
    assert (result.outcome, "403" in result.reason) == ("failed", True)
    assert "x" * 40 not in result.reason


def test_an_instance_that_is_slow_is_left(
    feed: Feed, misp: Misp, shelf: Shelf, manners: Manners, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = misp.post

    def slowly(handler: Handler) -> None:
        time.sleep(1)
        answer(handler)

    monkeypatch.setattr(misp, "post", slowly)
    result = fetched(feed, shelf, replace(manners, read_seconds=0.3))
    assert (result.outcome, "MISP cannot be asked" in result.reason) == ("failed", True)


def test_a_redirect_does_not_take_the_key_along(
    feed: Feed, misp: Misp, shelf: Shelf, manners: Manners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(misp, "get", lambda handler: handler.reply(302, {"Location": feed.urls[0] + "login"}, b""))
    result = fetched(feed, shelf, manners)
    assert (result.outcome, "redirects" in result.reason) == ("failed", True)


def test_an_answer_that_is_too_large_is_not_read(feed: Feed, shelf: Shelf, manners: Manners) -> None:
    result = fetched(feed, shelf, replace(manners, max_bytes=300))
    assert (result.outcome, "larger than" in result.reason) == ("failed", True)


def test_a_foreign_certificate_is_refused(feed: Feed, shelf: Shelf, manners: Manners) -> None:
    result = fetched(feed, shelf, replace(manners, ca_file=None))
    assert (result.outcome, "certificate" in result.reason.lower()) == ("failed", True)


def test_an_instance_at_home_has_to_be_named_as_reachable(feed: Feed, shelf: Shelf, manners: Manners) -> None:
    assert "feeds.reachable" in fetched(feed, shelf, replace(manners, reachable=())).reason


def test_without_pymisp_it_is_said_how_to_install_it(
    feed: Feed, shelf: Shelf, manners: Manners, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def missing(name: str, *more: Any) -> Any:
        if name == "pymisp":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert "pip install 'trailhound[misp]'" in fetched(feed, shelf, manners).reason


def test_a_key_is_only_sent_over_https(make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    feed = make_feed("http://localhost:1/", format="misp-api")
    assert "an https address and a secret" in fetched(feed, shelf, manners).reason
