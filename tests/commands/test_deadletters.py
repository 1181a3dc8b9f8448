"""`trailhound deadletters`."""

import json
from pathlib import Path
from typing import Any

import pytest

from stores.embedded import open_embedded
from tests.commands.conftest import Trailhound
from tests.ingest.living import header, name, row, rows
from tests.ingest.place import counts, once
from trailhound.commands import prepare
from trailhound.settings import Settings


def long_row(number: int) -> bytes:
    """Write a row that is too long unless lines may be longer than 4,096 bytes."""
    return row(number).replace(b"NOERROR", b"x" * 9000)


@pytest.fixture
def state(trailhound: Trailhound, tmp_path: Path, trails: Path) -> Path:
    """Make a state directory with dead letters: two lines that are too long, three that are nonsense, in two files."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "dns.log").write_bytes(header() + row(0) + long_row(1) + b"nonsense\n" + long_row(2) + b"more\nof it\n")
    (logs / "other.log").write_bytes(header(1) + row(3) + long_row(4))
    settings(tmp_path, trails, 4096)
    ran = trailhound("scan", "--store", "-c", tmp_path / "trailhound.toml", "--sensor", "dmz", "--jobs", 1, logs)
    assert ran.status == 1, ran.err
    return tmp_path / "state"


def settings(place: Path, trails: Path, max_line: int) -> None:
    (place / "trailhound.toml").write_text(
        f'state_dir = "{place / "state"}"\n[logs]\nmax_line_bytes = {max_line}\n'
        f'[trails]\nfiles = ["{trails}"]\nstarter = false\n',
        "utf-8",
    )


def deadletters(trailhound: Trailhound, state: Path, *arguments: object) -> tuple[int, str]:
    command, *options = arguments
    ran = trailhound("deadletters", command, "-c", state.parent / "trailhound.toml", *options)
    return ran.status, ran.out or ran.err


def listed(trailhound: Trailhound, state: Path, *arguments: object) -> dict[str, Any]:
    status, said = deadletters(trailhound, state, "list", "--json", *arguments)
    assert status == 0
    found: dict[str, Any] = json.loads(said)
    return found


def stored(state: Path) -> dict[str, int]:
    store = open_embedded(state / "events.sqlite", read_only=True)
    try:
        return counts(store)
    finally:
        store.close()


def test_letters_are_counted_by_file_and_reason_the_most_first(trailhound: Trailhound, state: Path) -> None:
    found = listed(trailhound, state)
    logs = state.parent / "logs"
    assert found["letters"] == 6
    facts = [(group["file"], group["count"], group["replayable"]) for group in found["groups"]]
    assert facts == [(str(logs / "dns.log"), 3, 3), (str(logs / "dns.log"), 2, 2), (str(logs / "other.log"), 1, 1)]
    assert "10 columns expected" in found["groups"][0]["reason"]
    assert "logs.max_line_bytes" in found["groups"][1]["reason"]
    assert found["groups"][0]["first"] <= found["groups"][0]["last"]
    assert {group["sensor"] for group in found["groups"]} == {"dmz"}


def test_the_table_shows_the_same_as_far_as_the_limit(trailhound: Trailhound, state: Path) -> None:
    status, said = deadletters(trailhound, state, "list", "--limit", 1)
    assert status == 0
    assert "6 dead letters; 2 more groups (--limit)" in said
    assert "columns expected" in said
    assert "max_line_bytes" not in said


def test_file_and_reason_choose(trailhound: Trailhound, state: Path) -> None:
    assert listed(trailhound, state, "--file", "other.*")["letters"] == 1
    assert listed(trailhound, state, "--reason", "columns expected")["letters"] == 3
    assert listed(trailhound, state, "--file", "other.*", "--reason", "columns expected")["letters"] == 0


def test_the_letters_themselves_are_shown_on_demand_the_newest(trailhound: Trailhound, state: Path) -> None:
    status, said = deadletters(trailhound, state, "list", "--letters", "--limit", 2, "--file", "dns.log", "--json")
    assert status == 0
    letters = [json.loads(line) for line in said.splitlines()]
    assert [(letter["line"], letter["raw"]) for letter in letters] == [(13, "more"), (14, "of it")]
    assert {(letter["format"], letter["log"], letter["cut"]) for letter in letters} == {("zeek-tsv", "dns", False)}
    status, said = deadletters(trailhound, state, "list", "--letters", "--file", "dns.log", "--reason", "columns")
    assert f"{state.parent / 'logs' / 'dns.log'}:11: 10 columns expected" in said
    assert "    nonsense\n" in said


def test_without_letters_all_commands_say_so(trailhound: Trailhound, tmp_path: Path) -> None:
    for arguments, said in (
        (("list",), "there are no dead letters\n"),
        (("list", "--letters"), "there are no dead letters\n"),
        (("replay",), "there are no such dead letters\n"),
    ):
        ran = trailhound("deadletters", *arguments, "--state", tmp_path / "state")
        assert (ran.status, ran.out) == (0, said)


def test_what_can_be_read_now_is_replayed_once_and_the_rest_stays(
    trailhound: Trailhound, state: Path, trails: Path
) -> None:
    assert stored(state) == once([0, 3])
    status, said = deadletters(trailhound, state, "replay", "--json")
    assert (status, json.loads(said)["left"]) == (1, 6)
    settings(state.parent, trails, 1_048_576)
    status, said = deadletters(trailhound, state, "replay")
    assert status == 1
    assert "3 of 6 dead letters were read and taken out: 3 new events" in said
    assert "3 stay: they still cannot be read" in said
    assert stored(state) == once(range(5))
    assert listed(trailhound, state)["letters"] == 3
    status, said = deadletters(trailhound, state, "replay", "--json")
    assert (status, json.loads(said)["read"], json.loads(said)["stored"]) == (1, 0, 0)
    assert stored(state) == once(range(5))


def test_only_what_was_chosen_is_replayed(trailhound: Trailhound, state: Path, trails: Path) -> None:
    settings(state.parent, trails, 1_048_576)
    status, said = deadletters(trailhound, state, "replay", "--file", "other.log", "--reason", "max_line", "--json")
    assert (status, json.loads(said)["read"]) == (0, 1)
    assert stored(state) == once([0, 3, 4])


def test_a_run_reads_on_and_counts_nothing_of_what_was_replayed_again(
    trailhound: Trailhound, state: Path, trails: Path
) -> None:
    settings(state.parent, trails, 1_048_576)
    deadletters(trailhound, state, "replay")
    logs = state.parent / "logs"
    trailhound("scan", "--store", "-c", state.parent / "trailhound.toml", "--sensor", "dmz", "--jobs", 1, logs)
    assert stored(state) == once(range(5))


def test_while_a_run_is_at_work_replay_is_refused_and_list_is_not(trailhound: Trailhound, state: Path) -> None:
    with prepare.sole_run(Settings(state_dir=state)):
        status, said = deadletters(trailhound, state, "replay")
        assert status == 2
        assert "stop it before dead letters are replayed" in said
        assert listed(trailhound, state)["letters"] == 6


def test_nothing_of_a_hostile_line_reaches_the_terminal_raw(
    trailhound: Trailhound, tmp_path: Path, trails: Path
) -> None:
    log = tmp_path / "dns.log"
    log.write_bytes(header() + rows([1]) + b"\x1b[2J\x9b31m\n")
    state = tmp_path / "state"
    trailhound("scan", "--trails", trails, "--state", state, "--jobs", 1, log)
    for options in ((), ("--json",)):
        ran = trailhound("deadletters", "list", "--letters", "--state", state, *options)
        assert "\x1b" not in ran.out
        assert "[2J" in ran.out
    assert name(1) not in ran.out
