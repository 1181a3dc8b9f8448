"""`trailhound run` as a person starts it: real processes, real files, the real API."""

import os
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from matchers import layout
from tests.e2e.installation import PATIENCE, Installation, Process, eventually
from tests.ingest.living import append, header, name, row, rows

Start = Callable[..., Process]


def refused(process: Process, sentence: str) -> None:
    """It ended with status 2 and one sentence."""
    assert process.popen.wait(60) == 2
    said = [line for line in process.said.splitlines() if line.startswith("trailhound: ")]
    assert len(said) == 1, process.said
    assert sentence in said[0]
    assert "Traceback" not in process.said


def test_a_line_that_is_appended_is_served_as_an_event(installation: Installation, start: Start) -> None:
    append(installation.log, header())
    process = start(*installation.run)
    assert process.answers()
    waits = []
    for number in range(10):
        begin = time.monotonic()
        append(installation.log, row(number))
        while name(number) not in process.trails():
            assert time.monotonic() < begin + PATIENCE
        waits.append(time.monotonic() - begin)
    print(f"from line to event: {max(waits):.3f} s at most of {len(waits)}")  # noqa: T201 - for `pytest -s`
    event = process.events()[0]
    assert event["observer"]["name"] == "dmz"
    assert event["source"]["ip"] == "10.0.0.5"
    assert event["dns"]["question"]["name"] == name(0)
    assert event["trailhound"]["info"] == "threat 0"


def test_a_log_in_a_new_folder_and_one_behind_a_link_are_served(installation: Installation, start: Start) -> None:
    spool = installation.root / "spool"
    spool.mkdir()
    (installation.logs / "current").symlink_to(spool)
    process = start(*installation.run)
    assert process.answers()
    append(spool / "dns.log", header() + row(0))
    (installation.logs / "2026-01-01").mkdir()
    append(installation.logs / "2026-01-01" / "dns.log", header(1) + row(1))
    eventually(lambda: process.trails() == {name(0): 1, name(1): 1})


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well_with_all_its_processes(
    installation: Installation, start: Start, how: signal.Signals
) -> None:
    append(installation.log, header() + rows(range(3)))
    process = start(*installation.run)
    eventually(lambda: len(process.trails()) == 3)
    children = process.children()
    assert children
    assert process.end(how) == 0
    assert "Traceback" not in process.said
    eventually(lambda: not [pid for pid in children if _runs(pid)])


def test_a_signal_to_the_whole_terminal_ends_it_well(installation: Installation, start: Start) -> None:
    process = start(*installation.run)
    assert process.answers()
    os.killpg(process.popen.pid, signal.SIGINT)
    assert process.popen.wait(60) == 0
    assert "Traceback" not in process.said


def test_when_the_parent_is_killed_the_api_ends_too(installation: Installation, start: Start) -> None:
    process = start(*installation.run)
    assert process.answers()
    children = process.children()
    process.popen.kill()
    process.popen.wait()
    eventually(lambda: not [pid for pid in children if _runs(pid)])


def _runs(pid: int) -> bool:
    """Tell whether a process is there and not merely waiting for somebody to notice its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_an_api_that_dies_is_started_again(installation: Installation, start: Start) -> None:
    append(installation.log, header() + row(0))
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start(*installation.run[:-1], port)
    eventually(lambda: process.trails() == {name(0): 1})
    for child in process.children():
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(child, signal.SIGKILL)
    append(installation.log, row(1))
    eventually(lambda: process.answers() and process.trails() == {name(0): 1, name(1): 1})
    assert process.end() == 0


def test_a_second_run_on_the_same_state_directory_is_refused(installation: Installation, start: Start) -> None:
    first = start(*installation.run)
    assert first.answers()
    refused(start(*installation.run), f"{installation.state}: another Trailhound is running on this state directory")
    assert first.answers()
    assert first.end() == 0


def test_a_port_in_use_is_refused(installation: Installation, start: Start) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused(start(*installation.run[:-1], port), "another program listens there already")


def test_a_missing_folder_is_refused(installation: Installation, start: Start) -> None:
    installation.logs.rmdir()
    refused(start(*installation.run), f"{installation.logs}: this folder of logs does not exist")


def test_no_folder_at_all_is_refused(installation: Installation, start: Start) -> None:
    refused(start("run", "--state", installation.state), "there is no folder to watch")


def test_a_bad_setting_is_refused(installation: Installation, start: Start) -> None:
    config = installation.root / "trailhound.toml"
    config.write_text("[api]\nprot = 8338\n")
    refused(
        start(*installation.run, "--config", config), "api.prot is no setting of Trailhound; the nearest is api.port"
    )


def test_a_bad_port_is_refused(installation: Installation, start: Start) -> None:
    refused(start(*installation.run[:-1], 70_000), "api.port")


def test_a_trail_file_that_is_missing_is_refused(installation: Installation, start: Start) -> None:
    refused(start("run", installation.logs, "--state", installation.state, "--trails", "/no/trails.csv"), "trails.csv")


def test_a_trail_set_of_another_version_is_refused(installation: Installation, start: Start) -> None:
    made = installation.root / "my.set"
    assert start("trails", "compile", installation.trails, "--output", made).popen.wait(60) == 0
    magic, version, length = layout.PREAMBLE.unpack_from(made.read_bytes())
    with made.open("r+b") as file:
        file.write(layout.PREAMBLE.pack(magic, version + 1, length))
    config = installation.root / "trailhound.toml"
    config.write_text(f'[trails]\nset = "{made}"\n')
    refused(start("run", installation.logs, "--state", installation.state, "-c", config), f"of version {version + 1}")


def test_a_damaged_store_is_refused_and_left_as_it_is(installation: Installation, start: Start) -> None:
    installation.state.mkdir()
    store = installation.state / "events.sqlite"
    store.write_bytes(b"no database at all" * 100)
    refused(start(*installation.run), f"{store}: this is no store of Trailhound")
    assert store.read_bytes() == b"no database at all" * 100


def test_a_store_of_another_program_is_refused(installation: Installation, start: Start) -> None:
    installation.state.mkdir()
    with closing(sqlite3.connect(installation.state / "events.sqlite")) as database:
        database.execute("CREATE TABLE things (id)")
    refused(start(*installation.run), "this is a database of another program")


def test_damaged_positions_are_refused(installation: Installation, start: Start) -> None:
    installation.state.mkdir()
    (installation.state / "positions.json").write_text("{")
    refused(start(*installation.run), "positions.json: the saved positions cannot be read")


def test_a_state_directory_that_is_none_is_refused(installation: Installation, start: Start) -> None:
    installation.state.write_text("a file")
    refused(start(*installation.run), f"{installation.state}: the state directory cannot be written to")


def test_serve_shows_what_a_run_has_found_and_ends_well(installation: Installation, start: Start) -> None:
    append(installation.log, header() + rows(range(3)))
    process = start(*installation.run)
    eventually(lambda: len(process.trails()) == 3)
    assert process.end() == 0
    server = start("serve", "--state", installation.state, "--port", 0)
    assert len(server.trails()) == 3
    assert server.end() == 0
    assert "Traceback" not in server.said


def test_the_demo_shows_detections_over_the_api(installation: Installation, start: Start) -> None:
    process = start("demo", "--port", 0, "--speed", 20)
    eventually(lambda: len(process.trails()) >= 5)
    sensors = {sensor["sensor"] for sensor in process.ask("/api/v1/sensors")["sensors"]}
    assert sensors == {"zeek-demo", "suricata-demo"}
    assert process.end() == 0
    assert "Traceback" not in process.said


def test_a_trail_that_is_added_is_met_without_a_restart(installation: Installation, start: Start) -> None:
    own = installation.root / "own-trails.txt"
    own.write_text("known.example\n", "utf-8")
    installation.trails = own
    append(installation.log, header())
    process = start(*installation.run)
    assert process.answers()
    append(installation.log, row(0))
    own.write_text(f"known.example\n{name(1)}\n", "utf-8")
    eventually(lambda: process.ask(f"/api/v1/trails/check?value={name(1)}")["results"][0]["found"])
    eventually(lambda: "trails taken up" in process.said)
    append(installation.log, row(1))
    eventually(process.trails)
    assert process.trails() == {name(1): 1}
