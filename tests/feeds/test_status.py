import os
from pathlib import Path

import pytest

from feeds import status
from feeds.granary import Granary
from feeds.shelf import Facts, Shelf
from feeds.status import Status, Statuses, due, due_now
from tests.feeds.supply import DAY, HOUR, NOW, Site, feed, names, site
from trailhound.errors import SettingsError, SourceError


@pytest.fixture
def one(tmp_path: Path) -> Site:
    return site(tmp_path, feed("one", interval="1h"))


def of(place: Site) -> Status:
    (found,) = status.of(place.feeds, place.shelf, Granary(place.shelf.path))
    return found


def test_a_feed_that_was_never_tried_is_due_at_once_and_is_not_old(one: Site) -> None:
    found = of(one)
    assert (found.due, found.age(NOW), found.stale(NOW + 999 * DAY)) == (0, None, False)


def test_a_feed_that_came_is_due_an_interval_later_and_a_little(one: Site) -> None:
    one.serve(one=names(3))
    found = of(one)
    assert (found.trails, found.added, found.error, found.failures) == (3, 3, "", 0)
    assert NOW + HOUR <= found.due <= NOW + 1.1 * HOUR
    assert found.age(NOW + 60) == 60


def test_a_feed_that_is_older_than_three_intervals_is_stale(one: Site) -> None:
    one.serve(one=names(3))
    one.later(HOUR)
    one.serve(one=RuntimeError("the answer is 503"))
    found = of(one)
    assert (found.error, found.failures, found.trails) == ("the answer is 503", 1, 3)
    assert not found.stale(NOW + 3 * HOUR)
    assert found.stale(NOW + 3 * HOUR + 1)


def test_a_feed_that_never_came_is_stale_after_three_intervals_of_failures(one: Site) -> None:
    one.serve(one=RuntimeError("no such host"))
    found = of(one)
    assert found.age(NOW) is None
    assert (found.stale(NOW), found.stale(NOW + 4 * HOUR)) == (False, True)


def test_a_feed_that_is_off_is_never_stale(one: Site) -> None:
    one.serve(one=names(3))
    one.feeds["one"] = feed("one", interval="1h", enabled=False)
    assert not of(one).stale(NOW + 99 * DAY)


def test_the_pause_after_failures_grows_up_to_a_day() -> None:
    hourly, monthly = feed("one", interval="1h"), feed("two", interval="4w")
    pauses = [due(hourly, Facts(tried=NOW, failures=count)) - NOW for count in range(1, 13)]
    assert 300 <= pauses[0] <= 330
    assert 600 <= pauses[1] <= 660
    assert 9600 <= pauses[5] <= 10_560
    assert DAY <= pauses[11] <= 1.1 * DAY
    assert due(monthly, Facts(tried=NOW, failures=40)) - NOW >= 28 * DAY


def test_a_server_that_wants_to_be_left_alone_is() -> None:
    assert due(feed("one"), Facts(tried=NOW, failures=1, not_before=NOW + 9 * HOUR)) == NOW + 9 * HOUR


def test_feeds_that_are_soon_due_go_with_one_that_is(tmp_path: Path) -> None:
    place = site(tmp_path, feed("early", interval="2h"), feed("late", interval="1d"), feed("off", enabled=False))
    place.serve(early=names(1))
    moment = next(one.due for one in status.of(place.feeds, place.shelf, Granary(place.shelf.path)) if one.tried)
    place.now = moment - DAY
    place.serve(late=names(1, 9))
    found = status.of(place.feeds, place.shelf, Granary(place.shelf.path))
    last = max(one.due for one in found)
    assert due_now(found, moment - 1) == []
    assert due_now(found, moment) == ["early"]
    assert due_now(found, last - 299) == ["early", "late"]


def test_a_failing_feed_is_not_tried_early(tmp_path: Path) -> None:
    place = site(tmp_path, feed("bad", interval="1d"), feed("good"))
    place.serve(bad=RuntimeError("away"))
    found = status.of(place.feeds, place.shelf, Granary(place.shelf.path))
    assert due_now(found, NOW + 10) == ["good"]


def test_the_file_of_the_user_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "feeds.toml"
    file.write_text('[ours]\nurl = "https://lists.example/a"\n')
    statuses = Statuses(tmp_path / "feeds", file)
    assert "ours" in {one.feed.name for one in statuses.now()}
    file.write_text('[theirs]\nurl = "https://lists.example/b"\n')
    os.utime(file, (1, 1))
    assert {"ours", "theirs"} & {one.feed.name for one in statuses.now()} == {"theirs"}
    file.unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        statuses.now()


def test_damaged_switches_are_named(one: Site) -> None:
    one.shelf.path.mkdir()
    (one.shelf.path / "switches.json").write_text("{")
    with pytest.raises(SourceError, match=r"switches\.json: which feeds are on cannot be read"):
        of(one)


def test_a_shelf_that_is_not_there_tells_of_nothing(tmp_path: Path) -> None:
    found = status.of({"one": feed("one")}, Shelf(tmp_path / "no"), Granary(tmp_path / "no"))
    assert [(one.trails, one.bytes, one.tried) for one in found] == [(0, 0, 0)]
