import dataclasses
import gzip
import hashlib
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from feeds.fetch import fetch
from feeds.line import AGENT
from feeds.manners import Manners
from feeds.shelf import Shelf
from tests.feeds.fetching.conftest import MakeFeed
from tests.feeds.fetching.server import Answer, Handler, Place, body, conditional, first, status, to
from tests.feeds.fetching.trying import GOOD, content, fetched
from trailhound.errors import FetchError


def test_a_list_comes_and_is_in_force_once_it_is_accepted(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = body(GOOD, ETag='"1"', Last_Modified="Tue, 24 Nov 2026 10:00:00 GMT")
    (result,) = fetch([make_feed()], shelf, manners)
    assert (result.outcome, result.reason) == ("new", "")
    assert content(shelf) is None, "nobody has judged it"
    assert result.candidate is not None
    assert [path.read_bytes() for path in result.candidate.copy.paths] == [GOOD]
    copy = result.candidate.accept(now := int(time.time()))
    assert content(shelf) == [GOOD]
    (part,) = copy.parts
    assert (part.size, part.sha256, part.etag) == (len(GOOD), hashlib.sha256(GOOD).hexdigest(), '"1"')
    facts = shelf.facts("evil")
    assert (facts.tried, facts.changed, facts.error, facts.failures) == (now, now, "", 0)
    assert server.requests[0].headers["user-agent"] == AGENT


@pytest.mark.parametrize("words", [{"etag": 'W/"abc"'}, {"modified": "Tue, 24 Nov 2026 10:00:00 GMT"}])
def test_what_has_not_changed_is_not_sent_again(
    words: Mapping[str, str], server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = conditional(GOOD, **words)
    fetched(make_feed(), shelf, manners)
    before = shelf.facts("evil")
    assert fetched(make_feed(), shelf, manners).outcome == "unchanged"
    assert content(shelf) == [GOOD]
    after = shelf.facts("evil")
    assert after.checked > before.changed
    assert after.changed == before.changed
    assert len(server.requests) == 2


def test_the_same_bytes_are_unchanged_though_the_server_does_not_know(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = body(GOOD)
    fetched(make_feed(), shelf, manners)
    folder = _folder(shelf)
    assert fetched(make_feed(), shelf, manners).outcome == "unchanged"
    assert _folder(shelf) == folder


def test_a_new_tag_for_the_same_bytes_is_remembered(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = body(GOOD, ETag='"old"')
    fetched(make_feed(), shelf, manners)
    server.answers["/list.txt"] = conditional(GOOD, etag='"new"')
    assert fetched(make_feed(), shelf, manners).outcome == "unchanged"
    assert fetched(make_feed(), shelf, manners).outcome == "unchanged"
    assert [request.headers.get("if-none-match") for request in server.requests] == [None, '"old"', '"new"']


def test_a_copy_that_has_been_tampered_with_is_fetched_in_full(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = conditional(GOOD, etag='"1"')
    fetched(make_feed(), shelf, manners)
    copy = shelf.copy("evil")
    assert copy is not None
    copy.paths[0].write_bytes(b"")
    assert fetched(make_feed(), shelf, manners).outcome == "new"
    assert content(shelf) == [GOOD]


def test_another_url_is_not_asked_with_what_the_old_one_said(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = server.answers["/moved.txt"] = conditional(GOOD, etag='"1"')
    fetched(make_feed(), shelf, manners)
    fetched(make_feed("/moved.txt"), shelf, manners)
    assert "if-none-match" not in server.asked("/moved.txt")[0].headers


def test_compressed_lists_stay_compressed(server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    packed = gzip.compress(GOOD)
    server.answers["/list.txt"] = body(packed, Content_Encoding="gzip")
    server.answers["/list.csv.gz"] = body(packed)
    fetched(make_feed("/list.txt", "/list.csv.gz"), shelf, manners)
    assert content(shelf) == [packed, packed]
    assert [request.headers["accept-encoding"] for request in server.requests] == ["gzip", "identity"]


def test_of_several_lists_the_old_one_stands_in_for_one_that_fails(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    feed = make_feed("/a.txt", "/b.txt")
    server.answers |= {"/a.txt": body(b"a.example\n"), "/b.txt": body(b"b.example\n")}
    fetched(feed, shelf, manners)
    server.answers |= {"/a.txt": body(b"c.example\n"), "/b.txt": status(404)}
    result = fetched(feed, shelf, manners)
    assert (result.outcome, result.reason) == ("new", f"{server.url('/b.txt')}: answers 404 Not Found")
    assert content(shelf) == [b"c.example\n", b"b.example\n"]
    assert "/b.txt: answers 404" in shelf.facts("evil").error
    server.answers["/a.txt"] = status(404)
    assert fetched(feed, shelf, manners).outcome == "failed"
    assert content(shelf) == [b"c.example\n", b"b.example\n"]


def test_a_list_that_was_never_there_fails_the_feed(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/a.txt"] = body(GOOD)
    assert fetched(make_feed("/a.txt", "/b.txt"), shelf, manners).outcome == "failed"
    assert content(shelf) is None


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(
    code: int, server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = first(status(code), status(code), body(GOOD))
    assert fetched(make_feed(), shelf, manners).outcome == "new"
    assert len(server.requests) == 3


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 451])
def test_what_will_not_pass_is_not(
    code: int, server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = first(status(code), body(GOOD))
    assert fetched(make_feed(), shelf, manners).outcome == "failed"
    assert len(server.requests) == 1


def test_a_short_wish_to_be_left_alone_is_waited_for(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    asked: list[float] = []

    def answer(handler: Handler) -> None:
        asked.append(time.monotonic())
        (status(503, Retry_After="1") if len(asked) == 1 else body(GOOD))(handler)

    server.answers["/list.txt"] = answer
    assert fetched(make_feed(), shelf, manners).outcome == "new"
    assert asked[1] - asked[0] >= 1


@pytest.mark.parametrize("wish", ["7200", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_long_wish_to_be_left_alone_is_kept_until_the_next_updates(
    wish: str, server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = status(429, Retry_After=wish)
    assert "left alone" in fetched(make_feed(), shelf, manners).reason
    server.answers["/list.txt"] = body(GOOD)
    assert "left alone" in fetched(make_feed(), shelf, manners).reason
    assert len(server.requests) == 1
    left = shelf.facts("evil").not_before - time.time()
    assert 7100 < left <= 86_401, "a day at most"


def test_a_server_that_wants_to_be_left_alone_is_not_asked_for_the_next_list(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    feed = make_feed("/a.txt", "/b.txt")
    server.answers |= {"/a.txt": body(GOOD), "/b.txt": body(GOOD)}
    fetched(feed, shelf, manners)
    server.requests.clear()
    server.answers["/a.txt"] = status(429, Retry_After="7200")
    fetched(feed, shelf, manners)
    assert [request.path for request in server.requests] == ["/a.txt"]


def test_no_feed_stops_another(server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    server.answers["/list.txt"] = body(GOOD)
    feeds = [make_feed("/none.txt", name="none"), make_feed("https://away.invalid/", name="away"), make_feed()]
    results = {result.feed.name: result for result in fetch(feeds, shelf, manners)}
    assert [results[name].outcome for name in ("none", "away", "evil")] == ["failed", "failed", "new"]


def test_a_mistake_of_ours_does_not_either(server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError("Bearer hunter22")

    server.answers["/list.txt"] = body(GOOD)
    feeds = [make_feed(name="odd", format="stix"), make_feed()]
    results = {result.feed.name: result for result in fetch(feeds, shelf, manners, sources={"stix": broken})}
    assert results["evil"].outcome == "new"
    assert "ZeroDivisionError in test_fetch.py" in results["odd"].reason
    assert "hunter22" not in results["odd"].reason


def slow(seconds: float) -> Answer:
    def answer(handler: Handler) -> None:
        time.sleep(seconds)
        body(handler.path.encode())(handler)

    return answer


def test_only_a_few_are_asked_at_once_and_fewer_of_one_host(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers |= {f"/{number}": slow(0.05) for number in range(12)}
    bases = (server.base, f"https://127.0.0.1:{server.port}")
    one = [make_feed(f"/{number}", name=f"a{number}") for number in range(6)]
    other = [make_feed(f"{bases[1]}/{number}", name=f"b{number}") for number in range(6)]
    assert all(result.outcome == "new" for result in fetch(one, shelf, manners))
    assert server.busiest <= manners.per_host
    server.busiest = 0
    results = list(fetch([*one, *other], shelf, dataclasses.replace(manners, parallel=3)))
    assert len(results) == 12
    assert server.busiest <= 3


def test_a_crowded_host_does_not_keep_the_others_waiting(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    crowd = threading.Event()
    server.answers |= {"/slow": lambda handler: (crowd.wait(10), body(GOOD)(handler))[1], "/list.txt": body(GOOD)}
    slow_ones = [make_feed("/slow", name=f"slow{number}") for number in range(5)]
    quick = make_feed(f"https://127.0.0.1:{server.port}/list.txt", name="quick")
    results = fetch([*slow_ones, quick], shelf, manners)
    assert next(results).feed.name == "quick"
    crowd.set()
    assert len(list(results)) == 5


def test_who_stops_listening_stops_what_is_under_way(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    def long(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not server.over.wait(0.02):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    server.answers |= {"/list.txt": body(GOOD), "/long": long}
    results = fetch([make_feed(), make_feed("/long", name="long")], shelf, manners)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() < 20
    assert shelf.candidate("long") is None


def test_progress_is_told_in_bytes(server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    seen: list[tuple[str, int, int | None]] = []
    server.answers["/list.txt"] = body(GOOD * 100_000)
    list(fetch([make_feed()], shelf, manners, lambda name, done, total: seen.append((name, done, total))))
    assert seen[-1] == ("evil", len(GOOD) * 100_000, len(GOOD) * 100_000)
    assert [done for _, done, _ in seen] == sorted({done for _, done, _ in seen})


def test_redirects_are_followed(server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    server.answers |= {"/list.txt": to("moved"), "/moved": to(server.url("/there?x=1"), 307), "/there": body(GOOD)}
    assert fetched(make_feed(), shelf, manners).outcome == "new"
    assert content(shelf) == [GOOD]


@pytest.mark.parametrize(
    "form", ["{sum}", "{sum}  list.txt\n", "SHA256 (list.txt) = {sum}", "{no}  other\n{sum} *list.txt"]
)
def test_a_list_with_the_right_checksum_is_taken(
    form: str, server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    text = form.format(sum=hashlib.sha256(GOOD).hexdigest(), no="0" * 64)
    server.answers |= {"/list.txt": body(GOOD), "/sum": body(text.encode())}
    result = fetched(make_feed(checksum=server.url("/sum")), shelf, manners)
    assert (result.outcome, result.reason) == ("new", "")


def test_only_one_updates_at_a_time(shelf: Shelf) -> None:
    with (
        shelf.alone(),
        pytest.raises(FetchError, match=r"feeds are being updated already \(by process \d+\)"),
        Shelf(shelf.path).alone(),
    ):
        pass
    with shelf.alone():
        pass


def test_a_full_disk_is_told_and_changes_nothing(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = body(GOOD)
    fetched(make_feed(), shelf, manners)
    server.answers["/list.txt"] = body(GOOD * 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", _full)
        (result,) = fetch([make_feed()], shelf, manners)
    assert result.outcome == "failed"
    assert "No space left on device" in result.reason
    assert content(shelf) == [GOOD]


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")


def _folder(shelf: Shelf) -> Path:
    copy = shelf.copy("evil")
    assert copy is not None
    return copy.folder
