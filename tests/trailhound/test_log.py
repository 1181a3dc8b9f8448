"""What Trailhound says of itself."""

import io
import json
import sys
from collections.abc import Iterator

import pytest
import structlog

from trailhound import log
from trailhound.settings import Settings

HOSTILE = "dns\x1b[2J\x9b\n.log"


@pytest.fixture(autouse=True)
def defaults() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(Settings(log_format="json"))
    structlog.get_logger().info("log followed", path=HOSTILE, lines=3)
    said = json.loads(capsys.readouterr().err)
    assert (said["event"], said["level"], said["path"], said["lines"]) == ("log followed", "info", HOSTILE, 3)


def test_text_has_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(Settings(log_format="text"))
    structlog.get_logger().info("log followed", path=HOSTILE, lines=3)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.strip().isprintable()
    assert "dns\\x1b[2J" in said


def test_a_traceback_stays_readable(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(Settings(log_format="text"))
    try:
        raise ValueError("trouble")  # noqa: TRY301 - what is tested is how it is told
    except ValueError:
        structlog.get_logger().exception("it failed")
    assert "\nValueError: trouble" in capsys.readouterr().err


def test_less_than_the_level_is_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(Settings(log_level="warning"))
    structlog.get_logger().info("nobody asked")
    structlog.get_logger().warning("look here")
    said = capsys.readouterr().err
    assert "nobody asked" not in said
    assert "look here" in said


def test_who_logs_goes_on_when_nobody_can_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    log.configure(Settings())
    structlog.get_logger().error("is anybody there?")
