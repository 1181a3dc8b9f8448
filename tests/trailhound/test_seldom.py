"""One problem that comes again and again is said once in a while."""

from collections.abc import Iterator

import pytest
import structlog

from trailhound import log
from trailhound.seldom import ALIKE, EVERY, REMEMBERED, Seldom
from trailhound.settings import Settings


class Listening:
    """A processor with a clock of its own, and what passes it."""

    def __init__(self) -> None:
        self.moment = 1000.0
        self.seldom = Seldom(clock=lambda: self.moment)

    def say(self, event: str, method: str = "warning", **more: object) -> structlog.typing.EventDict | None:
        try:
            return self.seldom(None, method, {"event": event, **more})
        except structlog.DropEvent:
            return None


@pytest.fixture
def listening() -> Listening:
    return Listening()


@pytest.fixture(autouse=True)
def defaults() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_problem_is_said_once_in_a_while_with_how_often_it_came(listening: Listening) -> None:
    assert listening.say("waiting", trouble="disk", pause=0.5) == {"event": "waiting", "trouble": "disk", "pause": 0.5}
    for pause in range(7):
        listening.moment += 1
        assert listening.say("waiting", trouble="disk", pause=pause) is None
    listening.moment += EVERY
    said = listening.say("waiting", trouble="disk", pause=9)
    assert said == {"event": "waiting", "trouble": "disk", "pause": 9, "repeated": 7}
    listening.moment += EVERY
    assert "repeated" not in (listening.say("waiting", trouble="disk") or {})


def test_problems_of_different_things_are_told_apart(listening: Listening) -> None:
    assert listening.say("log cannot be read", path="/a.log")
    assert listening.say("log cannot be read", path="/b.log")
    assert listening.say("log lost", path="/a.log")
    assert listening.say("log cannot be read", path="/a.log") is None


def test_the_same_problem_of_very_many_things_is_bounded_too(listening: Listening) -> None:
    said = [listening.say("log cannot be read", path=f"/{number}.log") for number in range(500)]
    assert sum(event is not None for event in said) == ALIKE
    listening.moment += EVERY
    assert (listening.say("log cannot be read", path="/new.log") or {})["others_like_it"] == 500 - ALIKE


def test_what_is_no_problem_is_always_said(listening: Listening) -> None:
    assert all(listening.say("log followed", "info", path="/a.log") for _ in range(100))


def test_its_memory_is_bounded(listening: Listening) -> None:
    for number in range(3 * REMEMBERED):
        listening.say(f"problem {number}", path="/a.log")
    assert len(listening.seldom._turns) <= REMEMBERED


def test_a_run_says_a_repeated_problem_once(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(Settings(log_format="json"))
    for _ in range(50):
        structlog.get_logger("ingest").warning("waiting", trouble="the store is away")
    assert capsys.readouterr().err.count("waiting") == 1
