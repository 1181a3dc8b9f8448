"""The unit for systemd."""

import configparser
import shlex
import subprocess
import sys
from pathlib import Path

from tests.commands.conftest import Trailhound
from trailhound.settings import Run

UNIT = Path(__file__).parents[2] / "deploy" / "trailhound.service"


def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # keys of systemd are told apart by their case
    parser.read_string(UNIT.read_text("utf-8"))
    return parser["Service"]


def test_it_starts_a_command_that_there_is(trailhound: Trailhound) -> None:
    program, command, *options = shlex.split(service()["ExecStart"])
    assert Path(program).name == "trailhound"
    said = trailhound(command, "--help").out
    assert [option for option in options if option.startswith("-") and option not in said] == []


def test_it_gives_the_time_that_a_stop_may_take() -> None:
    assert int(service()["TimeoutStopSec"]) > Run().stop_seconds + 15


def test_it_goes_by_signs_of_life() -> None:
    unit = service()
    assert (unit["Type"], unit["Restart"]) == ("notify", "on-failure")
    assert int(unit["WatchdogSec"]) >= 60
    assert unit["ExecReload"] == "/bin/sh -c 'kill -HUP $MAINPID'"


def test_systemd_finds_no_fault_in_it(real_systemd: str, tmp_path: Path) -> None:
    there = tmp_path / "trailhound.service"
    program = service()["ExecStart"].split()[0]
    text = UNIT.read_text("utf-8").replace(program, sys.executable).replace("User=trailhound", "User=root")
    there.write_text(text, "utf-8")
    ran = subprocess.run([real_systemd, "verify", there], capture_output=True, text=True, check=False)
    assert [line for line in ran.stderr.splitlines() if there.name in line] == []
