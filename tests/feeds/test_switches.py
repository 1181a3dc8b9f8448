import threading
from pathlib import Path

import pytest

from feeds import switches
from tests.feeds.supply import feed
from trailhound.errors import SourceError

FEEDS = {"on": feed("on"), "off": feed("off", enabled=False)}


def states(folder: Path) -> dict[str, bool]:
    return {name: one.enabled for name, one in switches.applied(FEEDS, switches.load(folder)).items()}


def test_without_a_word_feeds_are_as_the_files_have_them(tmp_path: Path) -> None:
    assert states(tmp_path / "feeds") == {"on": True, "off": False}


def test_the_last_word_counts(tmp_path: Path) -> None:
    switches.switch(tmp_path, FEEDS, {"on": False, "off": True})
    assert states(tmp_path) == {"on": False, "off": True}
    switches.switch(tmp_path, FEEDS, {"off": False})
    assert states(tmp_path) == {"on": False, "off": False}


def test_what_the_files_say_already_is_not_kept(tmp_path: Path) -> None:
    switches.switch(tmp_path, FEEDS, {"on": False})
    switches.switch(tmp_path, FEEDS, {"on": True})
    assert switches.load(tmp_path) == {}


def test_a_feed_that_is_gone_does_no_harm(tmp_path: Path) -> None:
    switches.switch(tmp_path, FEEDS, {"off": True})
    assert switches.applied({"on": FEEDS["on"]}, switches.load(tmp_path)) == {"on": FEEDS["on"]}


def test_who_switches_at_the_same_time_loses_nothing(tmp_path: Path) -> None:
    feeds = {f"f{number}": feed(f"f{number}") for number in range(8)}
    threads = [threading.Thread(target=switches.switch, args=(tmp_path, feeds, {name: False})) for name in feeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert switches.load(tmp_path) == dict.fromkeys(feeds, False)


def test_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "switches.json").write_text('{"version": 2, "feeds": {}}')
    with pytest.raises(SourceError, match="version 2 was met, 1 expected"):
        switches.load(tmp_path)
