"""The command line as a whole."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from tests.commands.conftest import Trailhound
from trailhound import __version__
from trailhound.cli import app


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from _commands(below, (*path, name))
    else:
        yield path, command


COMMANDS = dict(_commands(typer.main.get_command(app)))


def test_all_commands_are_there() -> None:
    assert {" ".join(path) for path in COMMANDS} >= {
        "run",
        "serve",
        "demo",
        "scan",
        "doctor",
        "trails compile",
        "trails info",
        "trails check",
        "config show",
        "config check",
        "config docs",
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_of_itself(trailhound: Trailhound, path: tuple[str, ...]) -> None:
    ran = trailhound(*path, "--help")
    assert ran.status == 0
    _, _, examples = ran.out.partition("Example")
    assert f"trailhound {' '.join(path)}" in examples


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_says_what_it_is_for(path: tuple[str, ...]) -> None:
    for parameter in COMMANDS[path].params:
        assert getattr(parameter, "help", None), parameter.name


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_an_unknown_option_is_status_2(trailhound: Trailhound, path: tuple[str, ...]) -> None:
    assert trailhound(*path, "--no-such-option").status == 2


def test_the_version_is_shown(trailhound: Trailhound) -> None:
    assert trailhound("--version").out == f"trailhound {__version__}\n"


def test_a_reader_that_leaves_is_no_trouble_worth_a_traceback() -> None:
    # The page of settings is longer than a pipe that nobody reads takes for ever.
    command = f"{sys.executable} -m trailhound config docs | true"
    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in ran.stderr
