"""`trailhound positions`."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ingest import positions as saved_positions
from ingest.positions import Position, Saved, load, save
from tests.commands.conftest import Trailhound
from tests.ingest.living import append, header, name, row, rows
from trailhound.commands import prepare
from trailhound.settings import Settings

FIRST, SECOND = header() + rows(range(3)), header(1) + rows(range(4))


@pytest.fixture
def state(trailhound: Trailhound, tmp_path: Path, trails: Path) -> Path:
    """Make a state directory in which two logs were read to their end, one of them gone since, and one has grown."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (tmp_path / "trailhound.toml").write_text(
        f'state_dir = "{tmp_path / "state"}"\n[[logs.folders]]\npath = "{folder}"\nsensor = "dmz"\n', "utf-8"
    )
    for log, content in (("dns.log", FIRST), ("dns.old.log", SECOND), ("conn.log", header(2) + row(9))):
        (folder / log).write_bytes(content)
    ran = trailhound("scan", "--store", "-c", tmp_path / "trailhound.toml", "--trails", trails, "--jobs", 1, folder)
    assert ran.status == 1, ran.err
    append(folder / "dns.log", row(7))
    (folder / "dns.old.log").unlink()
    return tmp_path / "state"


def listed(trailhound: Trailhound, state: Path, *arguments: object) -> dict[str, dict[str, Any]]:
    ran = trailhound("positions", "list", "-c", state.parent / "trailhound.toml", "--json", *arguments)
    assert ran.status == 0, ran.err
    found = map(json.loads, ran.out.splitlines())
    return {Path(standing["file"]).name: standing for standing in found}


def reset(trailhound: Trailhound, state: Path, *arguments: object) -> tuple[int, str]:
    ran = trailhound("positions", "reset", "-c", state.parent / "trailhound.toml", *arguments)
    return ran.status, ran.out or ran.err


def test_the_list_tells_where_reading_stands_what_is_unread_and_what_is_gone(
    trailhound: Trailhound, state: Path
) -> None:
    found = listed(trailhound, state)
    assert set(found) == {"dns.log", "dns.old.log", "conn.log"}
    standing = found["dns.log"]
    assert (standing["offset"], standing["size"]) == (len(FIRST), len(FIRST + row(7)))
    assert (standing["lag"], standing["pending"], standing["gone"]) == (len(row(7)), 0, False)
    assert (standing["sensor"], standing["log"], standing["format"]) == ("dmz", "dns", "zeek-tsv")
    assert standing["lines"] == 11
    assert standing["seen"].endswith("Z")
    gone = found["dns.old.log"]
    assert (gone["gone"], gone["size"], gone["lag"]) == (True, None, None)


def test_a_pattern_chooses_by_path_or_name(trailhound: Trailhound, state: Path) -> None:
    assert set(listed(trailhound, state, "dns*")) == {"dns.log", "dns.old.log"}
    assert set(listed(trailhound, state, state.parent / "logs" / "conn.log")) == {"conn.log"}
    assert listed(trailhound, state, "http*") == {}


def test_the_table_shows_the_same_and_nothing_is_said_so(trailhound: Trailhound, state: Path) -> None:
    ran = trailhound("positions", "list", "-c", state.parent / "trailhound.toml")
    assert "3 positions, 1 of files that are gone" in ran.out
    assert f"{len(FIRST):,}" in ran.out
    ran = trailhound("positions", "list", "--state", state.parent / "nothing")
    assert (ran.status, ran.out) == (0, "there are no positions\n")


def test_a_stretch_that_was_under_way_is_shown(trailhound: Trailhound, state: Path) -> None:
    path = state / "positions.json"
    saved = load(path)
    for position in saved:
        position.pending = position.offset + 5
    save(path, saved)
    assert {standing["pending"] for standing in listed(trailhound, state).values()} == {5}


def test_the_size_of_a_compressed_log_is_known_when_it_was_read_to_its_end(
    trailhound: Trailhound, state: Path, trails: Path
) -> None:
    packed = state.parent / "logs" / "http.log.gz"
    packed.write_bytes(gzip.compress(header(5) + row(1)))
    trailhound("scan", "--store", "-c", state.parent / "trailhound.toml", "--trails", trails, "--jobs", 1, packed)
    assert listed(trailhound, state)["http.log.gz"]["lag"] == 0
    packed.write_bytes(packed.read_bytes() + gzip.compress(row(2)))
    assert listed(trailhound, state)["http.log.gz"]["lag"] is None


def test_reset_to_the_beginning_lets_a_log_be_read_again(trailhound: Trailhound, state: Path, trails: Path) -> None:
    logs = state.parent / "logs"
    assert reset(trailhound, state, logs / "dns.log") == (0, "1 of 3 positions were set to the beginning\n")
    assert set(listed(trailhound, state)) == {"dns.old.log", "conn.log"}
    scan = ("scan", "--store", "-c", state.parent / "trailhound.toml", "--trails", trails, "--jobs", 1, "--json", logs)
    assert json.loads(trailhound(*scan).out)["records"] == 4


def test_reset_to_the_end_passes_over_what_is_there(trailhound: Trailhound, state: Path, trails: Path) -> None:
    logs = state.parent / "logs"
    status, said = reset(trailhound, state, "--all", "--to", "end", "--json")
    assert (status, json.loads(said)["reset"]) == (0, [str(logs / "conn.log"), str(logs / "dns.log")])
    found = listed(trailhound, state)
    assert found["dns.log"]["lag"] == 0
    assert found["dns.old.log"]["gone"]
    append(logs / "dns.log", row(8))
    scan = ("scan", "--store", "-c", state.parent / "trailhound.toml", "--trails", trails, "--jobs", 1, "--json", logs)
    report = json.loads(trailhound(*scan).out)
    assert (report["records"], report["unreadable"]) == (1, 0)
    assert [threat["trail"] for threat in report["threats"]] == [name(8)]


def test_what_no_position_fits_is_status_1_and_changes_nothing(trailhound: Trailhound, state: Path) -> None:
    before = (state / "positions.json").read_bytes()
    assert reset(trailhound, state, "http*") == (1, "there are no such positions\n")
    assert (state / "positions.json").read_bytes() == before


@pytest.mark.parametrize("arguments", [[], ["dns.log", "--all"]])
def test_a_file_or_all_has_to_be_named(trailhound: Trailhound, state: Path, arguments: list[str]) -> None:
    status, said = reset(trailhound, state, *arguments)
    assert status == 2
    assert "either a file (or pattern) or --all was expected" in said


def test_while_a_run_is_at_work_reset_is_refused_and_list_is_not(trailhound: Trailhound, state: Path) -> None:
    before = (state / "positions.json").read_bytes()
    with prepare.sole_run(Settings(state_dir=state)):
        status, said = reset(trailhound, state, "--all")
        assert status == 2
        assert "at work on this state directory; stop it before positions are reset" in said
        assert len(listed(trailhound, state)) == 3
    assert (state / "positions.json").read_bytes() == before


def test_a_reset_that_cannot_be_saved_leaves_the_old_positions(
    trailhound: Trailhound, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (state / "positions.json").read_bytes()

    def full(path: Path, positions: Saved) -> None:
        raise OSError(28, os.strerror(28), str(path), len(positions))

    monkeypatch.setattr(saved_positions, "save", full)
    status, said = reset(trailhound, state, "--all")
    assert status == 2
    assert "the positions cannot be saved: No space left on device" in said
    assert (state / "positions.json").read_bytes() == before


def test_when_all_folders_were_last_looked_through_outlives_a_reset(trailhound: Trailhound, state: Path) -> None:
    path = state / "positions.json"
    save(path, Saved(load(path), looked=1234.5))
    reset(trailhound, state, "dns.log")
    assert load(path).looked == 1234.5


def test_nothing_of_a_hostile_name_reaches_the_terminal_raw(trailhound: Trailhound, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    save(state / "positions.json", [Position("/logs/\x1b[2J.log", 1, 2, 0, "")])
    ran = trailhound("positions", "list", "--state", state)
    assert "\x1b" not in ran.out
    assert "\\x1b[2J.log" in ran.out
