import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from api.sending import follow as under_test
from api.sending.follow import Follower
from api.sending.outbox import Outbox
from stores.contract import Query, Store
from stores.embedded import open_embedded
from tests.sending.receivers import until
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from trailhound.errors import StoreUnavailable
from trailhound.event import Event
from trailhound.record import MICROSECONDS
from trailhound.sending import Send, Webhook
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailClass, TrailGroup, TrailKind

NOW = START + 10 * HOUR
URL = "https://soc.example/hook"


def hooks(**more: Any) -> Send:
    return Send(webhooks={"hook": Webhook(url=URL, **more)})


def event(identity: str, ingested: int = NOW, **changes: Any) -> Event:
    return make_event(identity=identity, start=ingested - MICROSECONDS, ingested=ingested, **changes)


def follower(store: Store, outbox: Outbox, settings: Send | None = None, now: int = NOW) -> Follower:
    settings = settings or hooks()
    outbox.name_targets(settings.targets)
    return Follower(settings, store, outbox, clock=lambda: now)


def waiting(outbox: Outbox) -> list[str]:
    return [letter.event for letter in outbox.due("hook", 2**62, 10_000)]


def ids(*events: Event) -> list[str]:
    return [one.id for one in events]


def drain(following: Follower) -> None:
    while following.step():
        pass


def test_what_was_there_before_is_not_sent_and_what_comes_is(store: Store, outbox: Outbox) -> None:
    store.append([event("old", NOW - HOUR), event("older", NOW - 2 * HOUR)])
    following = follower(store, outbox)
    drain(following)
    new, late = event("new", NOW + 5), event("late", NOW + 6, end=NOW)
    store.append([new])
    drain(following)
    store.append([late])
    drain(following)
    assert waiting(outbox) == ids(new, late)


def test_the_beginning_of_an_empty_store_is_where_it_begins(store: Store, outbox: Outbox) -> None:
    drain(follower(store, outbox))
    first = event("first", NOW + 1)
    store.append([first])
    # Another process goes on, before the first one saw anything.
    drain(follower(store, outbox, now=NOW + HOUR))
    assert waiting(outbox) == ids(first)


def test_the_next_process_goes_on_where_the_last_one_was(store: Store, outbox: Outbox) -> None:
    drain(follower(store, outbox))
    one, two, three = (event(name, NOW + number) for number, name in enumerate(("1", "2", "3"), 1))
    store.append([one])
    drain(follower(store, outbox))
    store.append([two, three])
    outbox.delivered("hook", outbox.due("hook", NOW, 1), NOW)
    drain(follower(store, outbox, now=NOW + 100 * HOUR))
    assert waiting(outbox) == ids(two, three)


def test_more_than_a_page_is_followed_without_a_gap(
    store: Store, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "_PAGE", 7)
    following = follower(store, outbox)
    drain(following)
    events = [event(str(number), NOW + number + 1) for number in range(50)]
    for start in range(0, 50, 9):
        store.append(events[start : start + 9])
        drain(following)
    assert waiting(outbox) == ids(*events)


def test_what_arrives_while_we_begin_is_not_missed(outbox: Outbox, store: Store) -> None:
    """An event that came between the look at the clock and that at the store is new."""
    old, new = event("old", NOW - 1), event("new", NOW)
    store.append([old, new])
    drain(follower(store, outbox))
    assert waiting(outbox) == ids(new)


@pytest.mark.parametrize("count", [1, 6, 7, 8, 30])
def test_a_place_is_found_among_what_arrives_while_we_begin(
    store: Store, outbox: Outbox, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """What came after the beginning is sent, without reading a large store anew from its first event."""
    monkeypatch.setattr(under_test, "_PAGE", 7)
    store.append([make_event(identity=f"ancient {number}", start=START) for number in range(40)])
    store.append([event(f"old {number}", NOW - 1 - number) for number in range(count)])
    new = [event(f"new {number}", NOW + number) for number in range(count)]
    store.append(new)
    settings = hooks()
    outbox.name_targets(settings.targets)
    following = Follower(settings, store, outbox, begun=NOW, clock=lambda: NOW + HOUR)
    read = 0
    while step := following.step():
        read += step
    assert waiting(outbox) == ids(*new)
    assert read < 40


def test_a_store_that_was_made_anew_is_read_from_its_beginning(tmp_path: Path, outbox: Outbox) -> None:
    with closing(open_embedded(tmp_path / "one.sqlite")) as first:
        drain(follower(first, outbox))
        first.append([event(str(number), NOW + number) for number in range(1, 20)])
        drain(follower(first, outbox))
        outbox.delivered("hook", outbox.due("hook", NOW, 100), NOW)
    with closing(open_embedded(tmp_path / "two.sqlite")) as second:
        known, new = event("imported again", NOW - HOUR), event("new", NOW + HOUR)
        second.append([known, new])
        drain(follower(second, outbox, now=NOW + HOUR))
    assert waiting(outbox) == ids(new)


def test_what_an_archive_brings_is_not_sent(store: Store, outbox: Outbox) -> None:
    following = follower(store, outbox)
    drain(following)
    day = 24 * HOUR
    in_time = make_event(identity="in time", start=NOW - day + 2, ingested=NOW + 1)
    old = make_event(identity="old", start=NOW - day - 2, ingested=NOW + 2)
    store.append([old, in_time])
    drain(following)
    assert waiting(outbox) == ids(in_time)


DNS = event("dns")
FEEDS = ("maltrail", "urlhaus")
SCAN = make_attack(start=NOW - 5, ingested=NOW, severity=Severity.LOW)
SIX = event(
    "six",
    source_ip="2001:db8::1",
    destination_ip=None,
    trail=make_trail(kind=TrailKind.URL, value="evil.example/a", class_=TrailClass.PHISHING, sources=("openphish",)),
    severity=Severity.HIGH,
    sensor="sensor-2",
)


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        ({}, [DNS, SCAN, SIX]),
        ({"min_severity": "high"}, [DNS, SIX]),
        ({"min_severity": "critical"}, [DNS]),
        ({"classes": (TrailClass.PHISHING, TrailClass.C2)}, [DNS, SIX]),
        ({"groups": (TrailGroup.IP,)}, [SCAN]),
        ({"directions": (Direction.INBOUND,)}, [SCAN]),
        ({"sensors": ("sensor-2",)}, [SIX]),
        ({"feeds": ("urlhaus", "openphish")}, [DNS, SIX]),
        ({"networks": ("192.168.1.20/32",)}, [SCAN]),
        ({"networks": ("2001:db8::/32", "10.0.0.0/8")}, [SIX]),
        ({"networks": ("192.168.1.0/24",), "directions": (Direction.OUTBOUND,)}, [DNS]),
        ({"classes": (TrailClass.SPAM,)}, []),
    ],
)
def test_a_target_gets_what_its_conditions_say(
    store: Store, outbox: Outbox, conditions: dict[str, Any], wanted: Sequence[Event]
) -> None:
    following = follower(store, outbox, hooks(**conditions))
    drain(following)
    store.append([DNS, SCAN, SIX])
    drain(following)
    assert waiting(outbox) == ids(*wanted)


def test_each_target_gets_its_own_and_one_that_is_off_gets_nothing(store: Store, outbox: Outbox) -> None:
    settings = Send(
        webhooks={
            "hook": Webhook(url=URL, min_severity="critical"),
            "all": Webhook(url=URL),
            "off": Webhook(url=URL, enabled=False),
        }
    )
    following = follower(store, outbox, settings)
    drain(following)
    store.append([DNS, SCAN])
    drain(following)
    assert {status.name: status.waiting for status in outbox.statuses()} == {"all": 2, "hook": 1}


class Away:
    """A store that is away for a while."""

    def __init__(self, store: Store, failures: int) -> None:
        self._store = store
        self.left = failures

    def __getattr__(self, name: str) -> Any:
        if name in ("events", "summary") and self.left:
            self.left -= 1
            raise StoreUnavailable("the store is away")
        return getattr(self._store, name)


def test_trouble_of_the_store_is_waited_out(store: Store, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "LOOK_SECONDS", 0.01)
    stop, rung = threading.Event(), threading.Event()
    following = follower(cast("Store", Away(store, 3)), outbox)
    thread = threading.Thread(target=following.run, args=(stop, rung.set))
    thread.start()
    until(outbox.progress, "a beginning")
    new = event("new", NOW + 1)
    store.append([new])
    until(rung.is_set, "a bell")
    stop.set()
    thread.join()
    assert waiting(outbox) == ids(new)
    assert store.count(Query()) == 1
