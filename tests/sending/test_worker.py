import operator
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from api.sending import worker as under_test
from api.sending.letters import Limits, New, Progress
from api.sending.outbox import Outbox
from api.sending.outcome import Later, Refused
from api.sending.targets.target import Document
from api.sending.worker import Worker
from tests.sending.documents import document
from tests.sending.receivers import until
from trailhound.errors import SettingsError
from trailhound.sending import Webhook

START = 1_760_000_000_000_000
SECOND = 1_000_000
DAY = 86_400 * SECOND


class Target:
    """Takes what it is told to take."""

    def __init__(self, batch: int = 1) -> None:
        self.batch = batch
        self.got: list[str] = []
        self.tries = 0
        self.closed = 0
        self.judge: Callable[[Sequence[str]], None] = lambda _: None

    def send(self, documents: Sequence[Document]) -> int:
        self.tries += 1
        names = [str(one["event"]["id"]) for one in documents]
        self.judge(names)
        self.got += names
        return 0

    def close(self) -> None:
        self.closed += 1


class Place:
    """A worker with a clock that only goes when it is told to."""

    def __init__(self, outbox: Outbox, target: Target, **settings: Any) -> None:
        self.outbox = outbox
        self.target = target
        self.now = START
        outbox.name_targets(["hook"])
        self.worker = self.another(**settings)

    def another(self, **settings: Any) -> Worker:
        chosen = Webhook(url="https://soc.example/", **settings)
        return Worker("hook", chosen, lambda: self.target, self.outbox, clock=lambda: self.now)

    def put(self, *names: str) -> None:
        letters = [New("hook", name, "t", {**document(), "event": {"id": name}}) for name in names]
        self.outbox.take(Progress("", "", 0, 0), letters, {"hook": Limits(1000, 0)}, self.now)

    def go(self, steps: int = 1) -> float:
        pause = 0.0
        for _ in range(steps):
            pause = self.worker.step()
            self.now += int(pause * SECOND)
        return pause


def raising(error: Exception, *names: str) -> Callable[[Sequence[str]], None]:
    def judge(given: Sequence[str]) -> None:
        if not names or set(names) & set(given):
            raise error

    return judge


@pytest.fixture
def target() -> Target:
    return Target()


@pytest.fixture
def place(outbox: Outbox, target: Target) -> Place:
    return Place(outbox, target)


def test_what_waits_is_sent_one_after_the_other(place: Place, target: Target) -> None:
    place.put("a", "b", "c")
    assert place.go(3) == 0.0
    assert target.got == ["a", "b", "c"]
    assert place.go() == 1.0
    assert place.outbox.statuses()[0].delivered == 3


def test_a_target_that_is_away_is_tried_again_after_longer_and_longer_pauses(place: Place, target: Target) -> None:
    place.put("a")
    target.judge = raising(Later("it is away"))
    pauses = [place.go() for _ in range(14)]
    for number, pause in enumerate(pauses):
        expected = min(2.0**number, under_test.LONGEST_PAUSE)
        assert 0.5 * expected <= pause <= 1.5 * expected
    status = place.outbox.statuses()[0]
    assert (status.failures, status.problem, status.waiting) == (14, "it is away", 1)
    assert status.resume == place.now
    target.judge = lambda _: None
    place.go()
    assert target.got == ["a"]
    status = place.outbox.statuses()[0]
    assert (status.failures, status.problem, status.resume) == (0, "", 0)
    assert target.closed == 14


def test_a_target_is_left_alone_for_as_long_as_it_asks(place: Place, target: Target) -> None:
    place.put("a")
    target.judge = raising(Later("slow down", after=300))
    assert place.go() == 300


def test_what_cannot_be_delivered_for_days_goes_to_the_dead_letters(place: Place, target: Target) -> None:
    place.put("a")
    target.judge = raising(Later("it is away"))
    while place.now < START + 7 * DAY:
        place.go()
    place.put("b")
    place.go(2)
    (dead,) = place.outbox.dead("hook", 10)
    assert dead.event == "a"
    assert dead.reason == "not delivered within 7 days: it is away"
    assert place.outbox.statuses()[0].waiting == 1


def test_a_message_that_is_refused_does_not_hold_up_others(place: Place, target: Target) -> None:
    place.put("a", "bad", "c")
    target.judge = raising(Refused("answers 413"), "bad")
    place.go(4)
    assert target.got == ["a", "c"]
    place.now += DAY
    place.go()
    assert place.outbox.dead("hook", 10) == [], "it is tried again"
    for _ in range(10):
        place.now += DAY // 2
        place.go()
    (dead,) = place.outbox.dead("hook", 10)
    assert (dead.event, dead.reason) == ("bad", "answers 413")
    assert target.tries == 2 + under_test.MOST_TRIES


def test_a_target_that_refuses_everything_is_left_alone_too(place: Place, target: Target) -> None:
    """Settings that are wrong must not make us call as fast as we can."""
    place.put(*(str(number) for number in range(100)))
    target.judge = raising(Refused("answers 400"))
    pauses = [place.go() for _ in range(12)]
    assert pauses[:9] == [0.0] * 9
    assert pauses[9] >= 0.5
    assert pauses[11] >= 2.0
    assert place.outbox.dead("hook", 100) == []


def test_the_one_of_a_batch_that_is_refused_is_found(outbox: Outbox) -> None:
    target = Target(batch=10)
    place = Place(outbox, target)
    place.put("a", "bad", "c")
    target.judge = raising(Refused("answers 422"), "bad")
    place.go()
    assert target.got == ["a", "c"]
    assert [letter.event for letter in outbox.due("hook", place.now + DAY, 10)] == ["bad"]


def test_an_event_that_cannot_be_written_is_refused(place: Place, target: Target) -> None:
    place.put("a", "bad")
    target.judge = raising(KeyError("what nobody thought of"), "bad")
    place.go(3)
    assert target.got == ["a"]
    assert place.outbox.statuses()[0].problem == "it cannot be written: KeyError"


def test_a_secret_that_is_missing_is_a_problem_like_others(outbox: Outbox) -> None:
    place = Place(outbox, Target())

    def make() -> Target:
        raise SettingsError("the secret TOKEN is missing")

    place.worker = Worker("hook", Webhook(url="https://soc.example/"), make, outbox, clock=lambda: place.now)
    place.put("a")
    assert place.go() >= 0.5
    assert place.outbox.statuses()[0].problem == "the secret TOKEN is missing"


def test_no_more_messages_a_minute_than_there_may_be(outbox: Outbox) -> None:
    place = Place(outbox, Target(), per_minute=30)
    place.put("a", "b")
    assert place.go() == 2.0


def test_a_pause_outlasts_the_process(place: Place, target: Target) -> None:
    place.put("a")
    target.judge = raising(Later("it is away", after=600))
    place.worker.step()
    target.judge = lambda _: None
    stop, bell = threading.Event(), threading.Event()
    thread = threading.Thread(target=place.another().run, args=(stop, bell))
    thread.start()
    bell.set()
    thread.join(0.5)
    assert target.got == []
    stop.set()
    thread.join()


def test_a_bell_wakes_the_worker(place: Place, target: Target) -> None:
    stop, bell = threading.Event(), threading.Event()
    thread = threading.Thread(target=place.worker.run, args=(stop, bell))
    thread.start()
    for name in ("a", "b", "c"):
        place.put(name)
        bell.set()
        until(partial(operator.contains, target.got, name), f"delivery of {name}")
    stop.set()
    bell.set()
    thread.join()
    assert target.closed == 1
