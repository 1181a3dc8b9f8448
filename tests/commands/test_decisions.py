"""`trailhound decisions`."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stores.desk import open_desk
from stores.desk.contract import AuditQuery
from tests.commands.conftest import Ran, Trailhound


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def add(trailhound: Trailhound, state: Path, *arguments: object) -> Ran:
    return trailhound("decisions", "add", *arguments, "--reason", "brute force", "--state", state)


def listed(trailhound: Trailhound, state: Path) -> list[dict[str, Any]]:
    ran = trailhound("decisions", "list", "--json", "--state", state)
    assert ran.status == 0
    return [json.loads(line) for line in ran.out.splitlines()]


def test_a_decision_is_made_shown_and_lifted(trailhound: Trailhound, state: Path) -> None:
    assert "there are no decisions" in trailhound("decisions", "list", "--state", state).out
    ran = add(trailhound, state, "45.155.205.233", "--until", "4h")
    assert ran.status == 0
    assert ": block 45.155.205.233, until 2" in ran.out
    assert add(trailhound, state, "10.0.0.0/8", "--allow").status == 0
    block, allow = listed(trailhound, state)
    assert (block["verdict"], block["scope"], block["value"]) == ("block", "address", "45.155.205.233")
    assert (allow["verdict"], allow["scope"], allow["until"]) == ("allow", "range", None)
    assert block["by"].startswith("command line (")
    shown = trailhound("decisions", "list", "--state", state).out
    assert block["id"] in shown
    assert trailhound("decisions", "lift", block["id"], "--state", state).status == 0
    assert trailhound("decisions", "lift", "10.0.0.0/8", "--state", state).status == 0
    assert listed(trailhound, state) == []
    again = trailhound("decisions", "lift", block["id"], "--state", state)
    assert (again.status, "there is no such decision" in again.err) == (2, True)
    with closing(open_desk(state)) as desk:
        actions = [one.action for one in desk.audit(AuditQuery()).entries]
    assert actions == ["decision.lift", "decision.lift", "decision.add", "decision.add"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["10.0.0.1"], "value: 10.0.0.1 is not to be blocked"),
        (["0.0.0.0/0"], "value: a network that is not everything"),
        (["nonsense"], "value: an address, a network or a name"),
        (["45.155.205.233", "--until", "2000-01-01"], "until: a time that is still to come"),
        (["45.155.205.233", "--reason", " "], "--reason"),
    ],
)
def test_what_must_not_be_is_refused(trailhound: Trailhound, state: Path, arguments: list[str], said: str) -> None:
    more = [] if "--reason" in arguments else ["--reason", "x"]
    ran = trailhound("decisions", "add", *arguments, *more, "--state", state)
    assert ran.status == 2
    assert said in ran.err
    assert listed(trailhound, state) == []


def test_nothing_hostile_reaches_the_terminal_raw(trailhound: Trailhound, state: Path) -> None:
    trailhound("decisions", "add", "45.155.205.233", "--reason", "\x1b[31mred", "--state", state)
    assert "\x1b[31m" not in trailhound("decisions", "list", "--state", state).out
