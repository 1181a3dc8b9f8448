"""The whole catalogue from a server of ours, first well, then with every fault there is: the set never gets worse."""

import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from feeds import catalogue
from feeds.feed import Feed
from feeds.judge import digest_of
from feeds.sources import SOURCES
from tests.commands.conftest import Trailhound
from tests.commands.feeding import Site
from tests.feeds.fetching.server import Answer, Handler, Place, body, cut, serving, status, to
from tests.feeds.samples import sample_of

# Their samples are made of what is to be refused; a whole list of that would be no list.
ODD = ("criticalpath-collected", "firehol-level1")
BOMB = gzip.compress(b"\0" * (64 << 20))


def of_urls() -> dict[str, Feed]:
    """Give the feeds of the catalogue that come from URLs alone."""
    return {name: feed for name, feed in catalogue.load().items() if feed.format not in SOURCES}


def served(place: Place, feed: Feed, folder: Path) -> dict[str, object]:
    """Serve the sample of a feed as its source does; give what a user's file says to have it from there."""
    documents = sample_of(feed, folder)
    folder_of = f"/{feed.name}"
    if len(documents) > 1 and len(feed.urls) == 1:
        for path in documents:
            place.answers[f"{folder_of}/{path.name}"] = body(path.read_bytes())
        ends = [f"{folder_of}/{'manifest.json' if feed.urls[0].endswith('manifest.json') else ''}"]
    else:
        ends = []
        for number, url in enumerate(feed.urls):
            end = urlsplit(url).path.rpartition("/")[2] or "list"
            ends.append(f"{folder_of}/{number}/{end}")
            place.answers[ends[-1]] = body(documents[min(number, len(documents) - 1)].read_bytes())
    said: dict[str, object] = {"url": [place.url(end) for end in ends], "enabled": True, "secret": "", "headers": {}}
    if feed.checksum:
        digest = digest_of(documents[0])
        place.answers[f"{folder_of}/sum"] = body(digest.encode())
        said["checksum"] = place.url(f"{folder_of}/sum")
    return said


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Site]:
    with serving(Handler, None) as place:
        site = Site(tmp_path / "site", place)
        for name, feed in of_urls().items():
            folder = tmp_path / "samples" / name
            folder.mkdir(parents=True)
            site.feeds[name] = served(place, feed, folder)
        site.write()
        yield site
    shutil.rmtree(tmp_path / "samples")


def test_every_feed_of_the_catalogue_is_taken_up(trailhound: Trailhound, whole: Site) -> None:
    said = json.loads(trailhound("feeds", "update", "-c", whole.config, "--json").out)
    assert {feed["name"] for feed in said["feeds"] if feed["reason"]} == set(ODD)
    assert {feed["outcome"] for feed in said["feeds"]} == {"new", "missing"}
    assert len(said["feeds"]) == len(of_urls())
    assert said["set"]["trails"] > 60
    said = json.loads(trailhound("feeds", "update", *ODD, "--accept", "-c", whole.config, "--json").out)
    assert [feed["reason"] for feed in said["feeds"]] == ["", ""]
    again = json.loads(trailhound("feeds", "update", "-c", whole.config, "--json").out)
    assert (again["set"], {feed["outcome"] for feed in again["feeds"]}) == (None, {"unchanged"})


CUT_OFF: tuple[Answer, str] = (cut(b"192.0.2.77\n"), "")  # Tried again with pauses, so for one feed only.
FAULTS: dict[str, tuple[Answer, str]] = {
    "gone": (status(404), "404"),
    "empty": (body(b""), "empty"),
    "a web page": (body(b"<!DOCTYPE html><html><body>Down for maintenance</body></html>"), ""),
    "a bomb": (body(BOMB), ""),
    "noise": (body(bytes(range(256)) * 50), ""),
    "everything": (body(b"0.0.0.0/0\ncom\n8.8.8.8\ngoogle.com\n127.0.0.1\n"), ""),
    "one long line": (body(b"a" * (1 << 20)), ""),
    "elsewhere": (to("http://192.168.0.1/list"), ""),
}


def test_whatever_comes_instead_the_set_does_not_get_worse(trailhound: Trailhound, whole: Site) -> None:
    trailhound("feeds", "update", "-c", whole.config)
    assert trailhound("feeds", "update", *ODD, "--accept", "-c", whole.config).status == 0
    before = whole.values()
    well = dict(whole.place.answers)
    faults = list(FAULTS.items())
    ill: dict[str, tuple[str, str]] = {}
    for number, name in enumerate(sorted(of_urls())):
        fault, (answer, words) = faults[number % len(faults)] if number else ("cut off", CUT_OFF)
        ill[name] = (fault, words)
        for path in well:
            if path.startswith(f"/{name}/") and not path.endswith("/sum"):
                whole.place.answers[path] = answer
    ran = trailhound("feeds", "update", "-c", whole.config, "--json")
    said = {feed["name"]: feed for feed in json.loads(ran.out)["feeds"]}
    assert ran.status == 1
    assert {(name, ill[name][0]) for name, feed in said.items() if feed["outcome"] != "kept"} == set()
    assert whole.values() == before
    listed = {one["name"]: one for one in json.loads(trailhound("feeds", "list", "--json", "-c", whole.config).out)}
    for name, (fault, words) in ill.items():
        assert listed[name]["error"], (name, fault)
        assert words in listed[name]["error"]
        assert listed[name]["failures"] == 1
    whole.place.answers.update(well)
    assert trailhound("feeds", "update", "-c", whole.config).status == 0
    assert whole.values() == before
