"""Heuristics switched while `trailhound run` is at work."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.e2e.installation import Installation, Process, eventually
from tests.ingest.living import append, name
from tests.matchers.heuristics.questions import Question, log

Start = Callable[..., Process]
ROOT = Path(__file__).parents[2]


def switch(installation: Installation, word: str) -> None:
    command = [sys.executable, "-m", "trailhound", "rules", word, "parked", "--state", str(installation.state)]
    subprocess.run(
        command, check=True, capture_output=True, env={"PYTHONPATH": str(ROOT), "HOME": str(installation.root)}
    )


def taken_up(process: Process, times: int) -> bool:
    """Tell whether both processes, the one that reads and the one that serves, have taken something up so often."""
    return process.said.count("trails taken up") >= 2 * times


def test_a_running_process_takes_up_what_is_switched(installation: Installation, start: Start) -> None:
    parked = [Question(f"site{at}.example", at, answers=("1.parkingcrew.net",)) for at in range(3)]
    # What is a trail is told of whatever heuristics do: so it is known that all before it was read.
    lines = log("zeek-tsv", [parked[0], parked[1], Question(name(1), 2), parked[2]])
    *header, first, second, trail, third = lines.splitlines(keepends=True)
    append(installation.log, b"".join((*header, first)))
    process = start(*installation.run)
    eventually(lambda: "site0.example" in process.trails())
    switch(installation, "disable")
    eventually(lambda: taken_up(process, 1))
    append(installation.log, second + trail)
    eventually(lambda: name(1) in process.trails())
    switch(installation, "enable")
    eventually(lambda: taken_up(process, 2))
    append(installation.log, third)
    eventually(lambda: "site2.example" in process.trails())
    assert "site1.example" not in process.trails()
    assert process.end() == 0
