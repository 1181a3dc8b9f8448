import dataclasses
import json
import os
from pathlib import Path

import pytest

from feeds.feed import Feed
from feeds.fetch import Fetched
from feeds.manners import Manners
from feeds.shelf import Shelf
from feeds.transfer import export_folder, import_folder, look
from tests.feeds.fetching.conftest import MakeFeed
from tests.feeds.fetching.server import Place, body, conditional
from tests.feeds.fetching.trying import GOOD, content, fetched

UUID = "5a5f0001-1111-4222-8333-444455556666"


@pytest.fixture
def inside(tmp_path: Path) -> Shelf:
    """Give a shelf behind the air gap."""
    return Shelf(tmp_path / "inside" / "feeds")


def brought(folder: Path, inside: Shelf, manners: Manners, *feeds: Feed) -> dict[str, Fetched]:
    known = {feed.name: feed for feed in feeds}
    with inside.alone():
        results = list(import_folder(look(known, folder), known, inside, manners))
        for result in results:
            if result.candidate is not None:
                result.candidate.accept(4_000_000_000, result.reason)
    return {result.feed.name: result for result in results}


@pytest.fixture
def exported(server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners, tmp_path: Path) -> Path:
    server.answers["/list.txt"] = conditional(GOOD, etag='"1"')
    fetched(make_feed(), shelf, manners)
    with shelf.alone():
        assert export_folder(shelf, ["evil", "never-fetched"], tmp_path / "stick") == ["evil"]
    return tmp_path / "stick"


def test_what_is_exported_can_be_imported(
    exported: Path, server: Place, make_feed: MakeFeed, shelf: Shelf, inside: Shelf, manners: Manners
) -> None:
    assert brought(exported, inside, manners, make_feed())["evil"].outcome == "new"
    assert content(inside) == [GOOD]
    copy, facts = shelf.copy("evil"), inside.facts("evil")
    assert copy is not None
    assert facts.checked == copy.fetched, "it is as old as it was, and not as new as today"
    assert facts.changed == 4_000_000_000
    assert fetched(make_feed(), inside, manners).outcome == "unchanged", "what the server said came along"
    assert brought(exported, inside, manners, make_feed())["evil"].outcome == "unchanged"


def test_an_export_replaces_what_the_folder_had(
    exported: Path, server: Place, make_feed: MakeFeed, shelf: Shelf, inside: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = body(GOOD * 2)
    fetched(make_feed(), shelf, manners)
    with shelf.alone():
        export_folder(shelf, ["evil"], exported)
    brought(exported, inside, manners, make_feed())
    assert content(inside) == [GOOD * 2]


def test_what_was_changed_on_the_way_is_not_taken(
    exported: Path, make_feed: MakeFeed, inside: Shelf, manners: Manners
) -> None:
    (exported / "evil" / "00").write_bytes(b"com" + GOOD[3:])
    result = brought(exported, inside, manners, make_feed())["evil"]
    assert result.outcome == "failed"
    assert "its SHA-256 is another one" in result.reason
    assert content(inside) is None
    assert inside.facts("evil").error == result.reason


def test_an_old_export_does_not_replace_a_newer_copy(
    exported: Path, make_feed: MakeFeed, inside: Shelf, manners: Manners
) -> None:
    brought(exported, inside, manners, make_feed())
    manifest = exported / "evil" / "parts.json"
    told = json.loads(manifest.read_bytes())
    (exported / "evil" / "00").write_bytes(b"older.example\n")
    told["parts"][0] |= {"fetched": 1, "size": 14, "sha256": ""}
    manifest.write_text(json.dumps(told))
    result = brought(exported, inside, manners, make_feed())["evil"]
    assert (result.outcome, result.reason) == ("unchanged", "what is imported is older than the copy in force")
    assert content(inside) == [GOOD]


def test_downloads_are_known_by_feed_or_by_url(
    tmp_path: Path, make_feed: MakeFeed, inside: Shelf, manners: Manners
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "evil.csv").write_bytes(GOOD)
    (stick / "bots.rules").write_bytes(b"bots.example\n")
    (stick / "holiday.jpg").write_bytes(b"\xff\xd8")
    (stick / ".DS_Store").write_bytes(b"\0")
    os.utime(stick / "evil.csv", (1_700_000_000, 1_700_000_000))
    feeds = [make_feed(), make_feed("/open/bots.rules", name="bots"), make_feed("/x/absent.txt", name="absent")]
    found = look({feed.name: feed for feed in feeds}, stick)
    assert (found.names, found.strange) == (["bots", "evil"], ("holiday.jpg",))
    results = brought(stick, inside, manners, *feeds)
    assert {name: result.outcome for name, result in results.items()} == {"bots": "new", "evil": "new"}
    assert content(inside, "bots") == [b"bots.example\n"]
    assert inside.facts("evil").checked == 1_700_000_000


def test_a_feed_of_several_urls_needs_all_its_files(
    tmp_path: Path, make_feed: MakeFeed, inside: Shelf, manners: Manners
) -> None:
    stick = tmp_path / "stick"
    (stick / "evil").mkdir(parents=True)
    feed = make_feed("/b.txt", "/a.txt")
    (stick / "evil" / "a.txt").write_bytes(b"a.example\n")
    (stick / "evil" / "x.txt").write_bytes(b"x.example\n")
    assert "evil has 2 files; b.txt is missing" in brought(stick, inside, manners, feed)["evil"].reason
    (stick / "evil" / "x.txt").rename(stick / "evil" / "b.txt")
    assert brought(stick, inside, manners, feed)["evil"].outcome == "new"
    assert content(inside) == [b"x.example\n", b"a.example\n"], "in the order of the URLs"


def test_a_folder_of_misp_can_be_downloaded(
    tmp_path: Path, server: Place, make_feed: MakeFeed, inside: Shelf, manners: Manners
) -> None:
    stick = tmp_path / "stick"
    (stick / "evil").mkdir(parents=True)
    manifest = json.dumps({UUID: {"timestamp": "1"}}).encode()
    (stick / "evil" / "manifest.json").write_bytes(manifest)
    (stick / "evil" / f"{UUID}.json").write_bytes(b'{"Event": {}}')
    feed = make_feed("/feed/", format="misp")
    assert brought(stick, inside, manners, feed)["evil"].outcome == "new"
    server.answers["/feed/manifest.json"] = body(manifest)
    assert fetched(feed, inside, manners).outcome == "unchanged"
    assert [request.path for request in server.requests] == ["/feed/manifest.json"], "the event is there already"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [(b"", "what came is empty"), (b"<html>", "a web page came"), (b"x" * 2000, "is larger than 1,000 bytes")],
)
def test_imports_are_judged_as_what_is_fetched(
    bad: bytes, reason: str, tmp_path: Path, make_feed: MakeFeed, inside: Shelf, manners: Manners
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "evil.txt").write_bytes(bad)
    manners = dataclasses.replace(manners, max_bytes=1000)
    assert reason in brought(stick, inside, manners, make_feed())["evil"].reason
    assert content(inside) is None


def test_links_on_the_stick_are_not_followed(
    tmp_path: Path, make_feed: MakeFeed, inside: Shelf, manners: Manners
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "evil.txt").symlink_to("/etc/passwd")
    (stick / "evil").symlink_to("/etc")
    found = look({"evil": make_feed()}, stick)
    assert (found.names, found.strange) == ([], ("evil", "evil.txt"))


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no-stick: No such file or directory"):
        look({}, tmp_path / "no-stick")
