"""Feeds that `run` updates by itself."""

import threading
import time
from collections.abc import Callable, Collection

import pytest

from tests.commands.feeding import Site
from tests.e2e.installation import eventually
from tests.feeds.fetching.server import Handler
from trailhound.commands import feeds_schedule
from trailhound.commands.feeds_schedule import keep_updating, update_apart
from trailhound.errors import FetchError
from trailhound.settings import Settings


def test_an_update_apart_puts_a_set_in_force(site: Site) -> None:
    site.feed("one", "evil.example\n")
    assert update_apart(site.settings, ["one"], threading.Event()) == ""
    assert site.values() == {"evil.example"}


def test_what_was_switched_off_meanwhile_is_not_fetched(site: Site) -> None:
    site.feed("one", "evil.example\n", enabled=False)
    assert update_apart(site.settings, ["one", "gone"], threading.Event()) == ""
    assert site.place.requests == []


def test_what_keeps_all_feeds_from_being_updated_is_said(site: Site) -> None:
    site.feed("one", "evil.example\n", intervall="1h")
    assert "intervall is no key" in update_apart(site.settings, ["one"], threading.Event())


def test_a_stop_breaks_an_update_off_and_leaves_what_was(site: Site) -> None:
    site.feed("one", "evil.example\n")
    assert update_apart(site.settings, ["one"], threading.Event()) == ""
    held = threading.Event()

    def hangs(_: Handler) -> None:
        held.wait(60)

    site.place.answers["/one.txt"] = hangs
    stop = threading.Event()
    ended = threading.Thread(target=update_apart, args=(site.settings, ["one"], stop))
    ended.start()
    eventually(lambda: len(site.place.asked("/one.txt")) == 2)
    begin = time.monotonic()
    stop.set()
    ended.join(30)
    held.set()
    assert not ended.is_alive()
    assert time.monotonic() - begin < 30
    assert site.values() == {"evil.example"}
    site.give("one", "evil.example\nnew.example\n")
    assert update_apart(site.settings, ["one"], threading.Event()) == ""
    assert site.values() == {"evil.example", "new.example"}


class Runs:
    """Stands in for the process: notes what it was asked for, and stops after so many."""

    def __init__(self, stop: threading.Event, *outcomes: str | Exception) -> None:
        self.stop = stop
        self.outcomes = list(outcomes)
        self.asked: list[list[str]] = []

    def __call__(self, settings: Settings, names: Collection[str], stop: threading.Event) -> str:
        self.asked.append(list(names))
        outcome = self.outcomes.pop(0)
        if not self.outcomes:
            self.stop.set()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Stop(threading.Event):
    """Does not wait, and notes for how long it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0)
        return self.is_set()


def test_nothing_is_updated_unless_the_settings_say_so(site: Site) -> None:
    site.feed("one", "evil.example\n")
    stop = Stop()
    keep_updating(site.settings, stop, Runs(stop, ""))
    assert stop.pauses == []


def test_what_is_due_is_updated_and_trouble_makes_the_pause_grow(site: Site) -> None:
    site.feed("one", "evil.example\n")
    site.settle(update=True)
    stop = Stop()
    runs = Runs(stop, "", FetchError("feeds are being updated already"), "no memory", "no memory", "")
    keep_updating(site.settings, stop, runs)
    assert runs.asked == [["one"]] * 5
    look = feeds_schedule.LOOK_SECONDS
    assert stop.pauses[:5] == [0, look, 60, 120, 240]


def test_a_file_of_feeds_that_is_wrong_does_not_end_the_schedule(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.feed("one", "", intervall="1h")
    site.settle(update=True)
    mended: list[Callable[[], None]] = [lambda: None, lambda: site.feed("one", "evil.example\n")]

    class Mending(Stop):
        def wait(self, timeout: float | None = None) -> bool:
            if mended:
                mended.pop(0)()
            return super().wait(timeout)

    stop = Mending()
    runs = Runs(stop, "")
    keep_updating(site.settings, stop, runs)
    assert runs.asked == [["one"]]
