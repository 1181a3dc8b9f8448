"""The first list of a start is that of the last one, less whoever must not stand on it by now."""

from collections.abc import Callable
from pathlib import Path

import pytest

from api.lists import kept, saved
from api.lists.kept import BlockLists
from api.lists.rule import Rule, classic
from stores.contract import Store
from stores.desk import Desk
from stores.desk.contract import Author, Cleared
from tests.api.conftest import NOW
from tests.api.trails import DictLookup
from tests.stores.factory import HOUR, make_attack
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings

LISTED = ["80.94.92.10", "45.155.205.233"]
Start = Callable[[Settings], BlockLists]


@pytest.fixture
def start(store: Store, desk: Desk, trails: DictLookup) -> Start:
    return lambda settings: BlockLists(store, settings, desk, trails)


@pytest.fixture(autouse=True)
def _stopped(monkeypatch: pytest.MonkeyPatch, filled: Store, start: Start, settings: Settings) -> None:
    """Have a server that made a list and was stopped; nothing is made anew by itself after that."""
    monkeypatch.setattr(kept, "SMALL", 1)
    monkeypatch.setattr(kept, "_FRESH", 3600.0)
    before = start(settings)
    before._first = rule(settings)
    before.get(rule(settings), NOW)
    before.close()
    # A list that is made anew shows this one too.
    filled.append([make_attack(source_ip="91.240.118.172", start=NOW - HOUR)])


def rule(settings: Settings) -> Rule:
    return classic("4", settings)


def listed(start: Start, settings: Settings, now: int = NOW) -> list[str]:
    """Give the list as the first one who asks after a start gets it."""
    after = start(settings)
    try:
        after._first = rule(settings)
        after._take_saved(rule(settings), now)
        return [one.value for one in after.get(rule(settings), now).entries]
    finally:
        after.close()


def test_the_list_of_the_last_start_is_given_at_once(start: Start, settings: Settings) -> None:
    assert listed(start, settings) == LISTED
    assert (settings.state_dir / saved.FILE).stat().st_mode & 0o777 == 0o640


def test_whoever_was_cleared_or_is_spared_since_stands_on_it_no_more(
    start: Start, settings: Settings, desk: Desk
) -> None:
    author = Author("anna", "192.0.2.1", NOW)
    desk.clear(Cleared("80.94.92.10", "a customer", "anna", NOW), author)
    assert listed(start, settings) == ["45.155.205.233"]
    home = settings.model_copy(update={"networks": settings.networks.model_copy(update={"home": ("45.155.205.0/24",)})})
    assert listed(start, home) == []


def test_what_has_run_out_is_left_out(start: Start, settings: Settings) -> None:
    found = saved.read(settings.state_dir, rule(settings), NOW, NOW)
    assert [one.value for one in found] == LISTED
    hours = classic("4", settings.model_copy(update={"api": settings.api.model_copy(update={"list_hours": 2})}))
    saved.write(settings.state_dir, hours, NOW, NOW, found)
    later = NOW + HOUR - 1
    assert [one.value for one in saved.read(settings.state_dir, hours, later, NOW)] == ["80.94.92.10"]


@pytest.mark.parametrize("content", [b"", b"no list", b"\x95\x01\xa1x\x00\x00\x90"])
def test_a_file_that_says_something_else_is_not_used(start: Start, settings: Settings, content: bytes) -> None:
    Path(settings.state_dir, saved.FILE).write_bytes(content)
    assert listed(start, settings) == [*LISTED[:1], "91.240.118.172", *LISTED[1:]]


def test_a_list_is_used_by_its_own_rule_and_store_alone_and_not_when_it_is_old(settings: Settings) -> None:
    assert not saved.read(settings.state_dir, classic("6", settings), NOW, NOW)
    assert not saved.read(settings.state_dir, rule(settings), NOW, 0)
    assert not saved.read(settings.state_dir, rule(settings), NOW + 3601 * MICROSECONDS, NOW)
    assert not saved.read(settings.state_dir, rule(settings), NOW - HOUR, NOW)
