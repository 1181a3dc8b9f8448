"""Stores that hang, disks that are full, folders that turn read-only, files that go unread: on real processes."""

import json
import os
import sys
import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import Installation, Process, eventually
from tests.e2e.places import fill, small_disk, without_privileges
from tests.ingest.living import append, header, name, rows
from tests.torture.lives import held, stored

Start = Callable[..., Process]
LOOKS = (
    15.0  # Seconds in which whoever waits for the store has looked at the files again, slow as the store is to refuse.
)


def once(*numbers: int) -> dict[str, int]:
    return {name(number): 1 for number in range(*numbers)}


def health(process: Process) -> Any:
    try:
        return process.ask("/api/v1/health")
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


def is_waiting(process: Process) -> bool:
    return '"waiting"' in process.said or " waiting" in process.said


def sensors(process: Process, what: str) -> int:
    return sum(sensor[what] for sensor in process.ask("/api/v1/sensors")["sensors"])


@pytest.mark.torture
def test_while_another_program_holds_the_store_reading_stops_and_nothing_is_lost(
    installation: Installation, start: Start
) -> None:
    append(installation.log, header() + rows(range(10)))
    process = start(*installation.run)
    eventually(lambda: process.trails() == once(10))
    with held(installation.state / "events.sqlite"):
        append(installation.log, rows(range(10, 20)))
        eventually(lambda: is_waiting(process))
        eventually(lambda: health(process)["status"] == "degraded")
        assert any("store" in reason for reason in health(process)["reasons"]), health(process)
        append(installation.log, rows(range(20, 30)))
        assert process.trails() == once(10)
        process.kill()
        process = start(*installation.run)
        eventually(lambda: is_waiting(process))
    eventually(lambda: process.trails() == once(30))
    eventually(lambda: health(process)["status"] == "ok")
    assert process.end() == 0
    assert stored(installation.state / "events.sqlite") == once(30)


@pytest.fixture
def small(installation: Installation) -> Iterator[Path]:
    with small_disk(installation.state, megabytes=24) as place:
        yield place


@pytest.mark.torture
def test_a_disk_that_fills_up_loses_nothing_and_doubles_nothing(
    installation: Installation, start: Start, small: Path
) -> None:
    append(installation.log, header() + rows(range(10)))
    process = start(*installation.run)
    eventually(lambda: process.trails() == once(10))
    ballast = fill(small)
    append(installation.log, rows(range(10, 3000)))
    eventually(lambda: is_waiting(process))
    eventually(lambda: health(process)["status"] == "degraded")
    append(installation.log, rows(range(3000, 4000)))
    process.kill()
    ballast.unlink()
    process = start(*installation.run)
    eventually(lambda: len(process.trails()) == 4000)
    ballast = fill(small)
    append(installation.log, rows(range(4000, 6000)))
    eventually(lambda: is_waiting(process))
    ballast.unlink()
    # Without a restart this time.
    eventually(lambda: len(process.trails()) == 6000, seconds=120)
    assert process.trails() == once(6000)
    assert process.end() == 0
    assert stored(installation.state / "events.sqlite") == once(6000)


@pytest.mark.torture
def test_a_state_directory_that_turns_read_only_loses_nothing_and_doubles_nothing(
    installation: Installation, start: Start
) -> None:
    program = without_privileges([sys.executable, "-m", "trailhound"])
    append(installation.log, header() + rows(range(10)))
    process = start(*installation.run, program=program)
    eventually(lambda: process.trails() == once(10))
    with read_only(installation.state):
        append(installation.log, rows(range(10, 20)))
        eventually(lambda: is_waiting(process))
        assert process.trails() == once(10), "positions cannot be saved, so nothing is stored"
        process.kill()
        process = start(*installation.run, program=program)
        assert process.popen.wait(60) == 2
        assert "the state directory cannot be written to" in process.said
    process = start(*installation.run, program=program)
    eventually(lambda: process.trails() == once(20))
    with read_only(installation.state):
        append(installation.log, rows(range(20, 30)))
        eventually(lambda: is_waiting(process))
    eventually(lambda: process.trails() == once(30))
    assert process.end() == 0
    assert stored(installation.state / "events.sqlite") == once(30)


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    place.chmod(0o550)
    try:
        yield
    finally:
        place.chmod(0o750)


@pytest.fixture
def at_length(request: pytest.FixtureRequest) -> None:
    """Let a test run only where there is time: SQLite takes its time to refuse."""
    if request.config.getoption("--torture") != "full":
        pytest.skip("takes half a minute: `make torture` runs it")


def missing_bytes(process: Process, written: range) -> int:
    """Add up the lines that were written and are not served; none may be served twice."""
    served = process.trails()
    assert max(served.values()) == 1
    return len(rows(number for number in written if name(number) not in served))


@pytest.mark.torture
@pytest.mark.usefixtures("at_length")
def test_what_is_cut_off_unread_while_the_store_is_away_is_counted_to_the_byte(
    installation: Installation, start: Start
) -> None:
    append(installation.log, header() + rows(range(10)))
    process = start(*installation.run)
    eventually(lambda: process.trails() == once(10))
    with held(installation.state / "events.sqlite"):
        # More than is read at once.
        append(installation.log, rows(range(10, 19_000)))
        eventually(lambda: is_waiting(process))
        os.truncate(installation.log, 0)
        append(installation.log, header(1) + rows(range(19_000, 19_010)))
    eventually(lambda: name(19_009) in process.trails())
    eventually(lambda: sensors(process, "lost_bytes"))
    missing = missing_bytes(process, range(19_010))
    assert 0 < missing == sensors(process, "lost_bytes")
    process.kill()
    process = start(*installation.run)
    eventually(process.answers)
    assert sensors(process, "lost_bytes") == missing, "a restart forgets no loss"


@pytest.mark.torture
def test_what_comes_and_is_cut_off_while_the_store_is_away_is_counted_to_the_byte(
    installation: Installation, start: Start
) -> None:
    append(installation.log, header() + rows(range(10)))
    process = start(*installation.run)
    eventually(lambda: process.trails() == once(10))
    with held(installation.state / "events.sqlite"):
        append(installation.log, rows(range(10, 20)))
        eventually(lambda: is_waiting(process))
        append(installation.log, rows(range(20, 500)))
        time.sleep(LOOKS)
        os.truncate(installation.log, 0)
        append(installation.log, header(1) + rows(range(500, 510)))
    eventually(lambda: name(509) in process.trails())
    eventually(lambda: sensors(process, "lost_bytes"))
    assert process.trails() == once(20) | once(500, 510)
    assert sensors(process, "lost_bytes") == missing_bytes(process, range(510))


@pytest.mark.torture
@pytest.mark.usefixtures("at_length")
def test_what_is_deleted_unread_while_down_is_counted_to_the_byte(installation: Installation, start: Start) -> None:
    append(installation.log, header() + rows(range(10)))
    process = start(*installation.run)
    eventually(lambda: process.trails() == once(10))
    with held(installation.state / "events.sqlite"):
        append(installation.log, rows(range(10, 19_000)))
        eventually(lambda: is_waiting(process))
        process.kill()
    installation.log.unlink()
    append(installation.log, header(1) + rows(range(19_000, 19_010)))
    process = start(*installation.run)
    eventually(lambda: name(19_009) in process.trails())
    eventually(lambda: sensors(process, "lost_bytes"))
    assert 0 < missing_bytes(process, range(19_010)) == sensors(process, "lost_bytes")
