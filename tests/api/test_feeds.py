"""What the API tells of feeds: their list, health, metrics and the page."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from api.app import attach
from feeds.status import Statuses
from stores.contract import Store
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from tests.api.trails import DictLookup
from tests.feeds.supply import DAY, HOUR, Site, feed, names
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings

SECONDS = NOW // MICROSECONDS


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Have two feeds on the shelf of the API's state directory, one of which has failed since."""
    (tmp_path / "feeds.toml").write_text(
        '[good]\nurl = "https://lists.example/good"\nlicence = "CC0"\nclass = "c2"\nconfidence = 60\n'
        '[bad]\nurl = "https://lists.example/bad"\ninterval = "1h"\nconfidence = 60\n'
        '[quiet]\nurl = "https://lists.example/quiet"\nenabled = false\n'
    )
    given = {"good": feed("good", **{"class": "c2"}), "bad": feed("bad", interval="1h")}
    site = Site(tmp_path, given, now=SECONDS - 2 * DAY)
    site.serve(bad=names(3))
    site.now = SECONDS - HOUR
    site.serve(good=names(2, 7), bad=RuntimeError("the answer is 503"))
    return site


@pytest.fixture
def client(app: FastAPI, settings: Settings, store: Store, trails: DictLookup, site: Site, tmp_path: Path) -> AppClient:
    attach(app, settings, store, trails, clock=lambda: NOW)
    app.state.feeds = Statuses(settings.shelf_path, tmp_path / "feeds.toml")
    return AppClient(app)


def test_the_list_tells_of_each_feed_that_is_on(client: AppClient) -> None:
    answer = client.json("/api/v1/feeds")
    found = {one["name"]: one for one in answer["feeds"]}
    assert "quiet" not in found
    assert answer["updates"] is False
    good, bad = found["good"], found["bad"]
    assert (good["trails"], good["added"], good["age_seconds"], good["stale"]) == (2, 2, HOUR, False)
    assert (good["licence"], good["class"], good["error"], good["origin"]) == ("CC0", "c2", None, "your file")
    assert (bad["trails"], bad["age_seconds"], bad["stale"], bad["failures"]) == (3, 2 * DAY, True, 1)
    assert bad["error"] == "the answer is 503"
    assert bad["due"] > bad["tried"]
    assert good["bytes"] > 0


def test_all_tells_of_those_that_are_off_too(client: AppClient) -> None:
    found = {one["name"]: one for one in client.json("/api/v1/feeds", all_=True)["feeds"]}
    assert (found["quiet"]["enabled"], found["quiet"]["due"], found["quiet"]["age_seconds"]) == (False, None, None)


def test_a_feed_that_is_too_old_is_a_warning_of_health(client: AppClient) -> None:
    answer = client.json("/api/v1/health")
    assert answer["status"] == "ok"
    assert answer["warnings"] == ["feed bad is 48 h old, 3 intervals have passed: the answer is 503"]


def test_metrics_tell_age_errors_and_size(client: AppClient) -> None:
    lines = client.get("/metrics").text.splitlines()
    for line in (
        'trailhound_feed_age_seconds{feed="bad"} 172800.0',
        'trailhound_feed_stale{feed="bad"} 1.0',
        'trailhound_feed_stale{feed="good"} 0.0',
        'trailhound_feed_failures{feed="bad"} 1.0',
        'trailhound_feed_trails{feed="good"} 2.0',
    ):
        assert line in lines
    assert not [line for line in lines if '"quiet"' in line]


def test_the_page_shows_feeds_in_trouble_first(client: AppClient) -> None:
    page = client.get("/").text
    section = page[page.index("<h2>Feeds</h2>") :]
    assert section.index("<bdi>bad</bdi>") < section.index("<bdi>good</bdi>")
    assert "the answer is 503" in section
    assert "openphish" not in section, "a feed that nobody ever fetched is no news"


def test_a_wrong_file_of_feeds_is_a_warning_and_all_else_goes_on(client: AppClient, tmp_path: Path) -> None:
    (tmp_path / "feeds.toml").write_text("[good\n")
    assert "this is no TOML" in client.json("/healthz")["warnings"][0]
    assert "this is no TOML" in refused(client.get("/api/v1/feeds"), 503)["detail"]
    assert client.get("/").status_code == 200
    assert "trailhound_store_up" in client.get("/metrics").text


def test_without_any_feed_ever_fetched_there_is_nothing_to_see(
    app: FastAPI, settings: Settings, store: Store, trails: DictLookup
) -> None:
    attach(app, settings, store, trails, clock=lambda: NOW)
    client = AppClient(app)
    assert client.json("/healthz")["warnings"] == []
    assert "<h2>Feeds</h2>" not in client.get("/").text
