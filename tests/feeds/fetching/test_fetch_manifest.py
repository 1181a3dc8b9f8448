"""Feeds that are folders: a manifest of MISP, and the events that it names."""

import gzip
import json
from collections.abc import Mapping

import pytest

from feeds.manners import Manners
from feeds.shelf import Shelf
from tests.feeds.fetching.conftest import MakeFeed
from tests.feeds.fetching.server import Place, body, status
from tests.feeds.fetching.trying import fetched

UUIDS = [f"5a5f{number:04x}-1111-4222-8333-444455556666" for number in range(4)]


def offer(server: Place, stamps: Mapping[str, str]) -> None:
    server.answers["/feed/manifest.json"] = body(json.dumps({u: {"timestamp": t} for u, t in stamps.items()}).encode())
    for uuid, stamp in stamps.items():
        server.answers[f"/feed/{uuid}.json"] = body(json.dumps({"Event": {"uuid": uuid, "timestamp": stamp}}).encode())


def files(shelf: Shelf) -> list[str]:
    copy = shelf.copy("evil")
    assert copy is not None
    return [part.file for part in copy.parts]


@pytest.mark.parametrize("path", ["/feed/", "/feed/manifest.json"])
def test_a_folder_comes_with_its_events(
    path: str, server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    offer(server, dict.fromkeys(UUIDS, "1"))
    result = fetched(make_feed(path, format="misp"), shelf, manners)
    assert (result.outcome, result.reason) == ("new", "")
    assert files(shelf) == ["manifest.json", *(f"{uuid}.json" for uuid in UUIDS)]


def test_only_events_with_a_new_timestamp_are_asked_for(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    feed = make_feed("/feed/", format="misp")
    offer(server, dict.fromkeys(UUIDS[:3], "1"))
    fetched(feed, shelf, manners)
    server.requests.clear()
    offer(server, {UUIDS[0]: "1", UUIDS[1]: "2", UUIDS[3]: "1"})
    assert fetched(feed, shelf, manners).outcome == "new"
    assert [request.path for request in server.requests] == [
        "/feed/manifest.json",
        f"/feed/{UUIDS[1]}.json",
        f"/feed/{UUIDS[3]}.json",
    ]
    assert files(shelf) == ["manifest.json", *(f"{uuid}.json" for uuid in (UUIDS[0], UUIDS[1], UUIDS[3]))]
    assert fetched(feed, shelf, manners).outcome == "unchanged"


def test_an_event_that_is_missing_is_told_and_tried_again(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    feed = make_feed("/feed/", format="misp")
    offer(server, dict.fromkeys(UUIDS, "1"))
    missing = server.answers.pop(f"/feed/{UUIDS[2]}.json")
    result = fetched(feed, shelf, manners)
    assert result.outcome == "new"
    assert f"{UUIDS[2]}.json: answers 404" in result.reason
    server.answers[f"/feed/{UUIDS[2]}.json"] = missing
    assert fetched(feed, shelf, manners).outcome == "new"
    assert f"{UUIDS[2]}.json" in files(shelf)


def test_a_folder_most_of_which_is_missing_is_not_taken(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    offer(server, dict.fromkeys(UUIDS, "1"))
    for uuid in UUIDS[:3]:
        del server.answers[f"/feed/{uuid}.json"]
    assert "of 4 events 3 do not come" in fetched(make_feed("/feed/", format="misp"), shelf, manners).reason


def test_a_server_in_trouble_is_not_asked_for_each_event(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    offer(server, dict.fromkeys(UUIDS, "1"))
    server.answers |= {f"/feed/{uuid}.json": status(503) for uuid in UUIDS}
    assert fetched(make_feed("/feed/", format="misp"), shelf, manners).outcome == "failed"
    assert len(server.requests) == 1 + 1 + manners.retries


def test_what_came_before_a_server_fell_ill_is_kept(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    offer(server, dict.fromkeys(UUIDS, "1"))
    server.answers[f"/feed/{UUIDS[2]}.json"] = status(503)
    result = fetched(make_feed("/feed/", format="misp"), shelf, manners)
    assert result.outcome == "new"
    assert f"{UUIDS[3]}.json: was not asked for" in result.reason
    assert files(shelf) == ["manifest.json", f"{UUIDS[0]}.json", f"{UUIDS[1]}.json"]


@pytest.mark.parametrize("manifest", [b"[]", b"com\n", b'{"x": 1}'])
def test_an_odd_manifest_is_not_taken(
    manifest: bytes, server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/feed/manifest.json"] = body(manifest)
    result = fetched(make_feed("/feed/", format="misp"), shelf, manners)
    assert result.outcome == "failed"
    assert result.reason.startswith(f"{server.url('/feed/')}: ")


@pytest.mark.parametrize("name", ["../../../etc/passwd", "https://10.0.0.1/", "..%2f..%2fadmin"])
def test_a_manifest_does_not_lead_out_of_its_folder(
    name: str, server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    offer(server, {UUIDS[0]: "1", name: "1"})
    fetched(make_feed("/feed/", format="misp"), shelf, manners)
    assert [request.path for request in server.requests] == ["/feed/manifest.json", f"/feed/{UUIDS[0]}.json"]
    assert files(shelf) == ["manifest.json", f"{UUIDS[0]}.json"]


def test_a_manifest_may_come_compressed(server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    offer(server, dict.fromkeys(UUIDS, "1"))
    manifest = gzip.compress(json.dumps({uuid: {"timestamp": "1"} for uuid in UUIDS}).encode())
    server.answers["/feed/manifest.json"] = body(manifest, Content_Encoding="gzip")
    for _ in range(2):
        fetched(make_feed("/feed/", format="misp"), shelf, manners)
    assert len(server.requests) == 1 + len(UUIDS) + 1


def test_events_that_the_options_do_not_want_are_not_asked_for(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    offer(server, dict.fromkeys(UUIDS, "1"))
    manifest = {UUIDS[0]: {"timestamp": "1", "date": "2014-01-01"}, UUIDS[1]: {"timestamp": "1", "date": "2026-01-01"}}
    server.answers["/feed/manifest.json"] = body(json.dumps(manifest).encode())
    fetched(make_feed("/feed/", format="misp", options={"since": "2025-01-01"}), shelf, manners)
    assert files(shelf) == ["manifest.json", f"{UUIDS[1]}.json"]
