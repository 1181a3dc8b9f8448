"""`trailhound trails`."""

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Trailhound
from tests.commands.test_scan import ESCAPE
from tests.ingest.living import name


def test_compile_says_what_it_made(trailhound: Trailhound, trails: Path, tmp_path: Path) -> None:
    made = tmp_path / "my.set"
    ran = trailhound("trails", "compile", trails, "--output", made, "--no-starter")
    assert ran.status == 0
    assert f"100 trails in {made}" in ran.out
    assert made.exists()


def test_compile_says_the_same_to_machines(trailhound: Trailhound, trails: Path, tmp_path: Path) -> None:
    ran = trailhound("trails", "compile", trails, "-o", tmp_path / "my.set", "--no-starter", "--json")
    said = json.loads(ran.out)
    assert (said["trails"], said["refused"], said["by_kind"]) == (100, 0, {"domain": 100})
    assert said["bytes"] == (tmp_path / "my.set").stat().st_size


def test_compile_tells_of_refused_lines_and_writes_all_of_them(trailhound: Trailhound, tmp_path: Path) -> None:
    trails = tmp_path / "trails.csv"
    good = "".join(f"{name(n)},threat,test\n" for n in range(60))
    trails.write_text(good + "".join(f"bad host {n}..\x1b[2J,threat,test\n" for n in range(15)), "utf-8")
    ran = trailhound("trails", "compile", trails, "-o", tmp_path / "my.set", "--no-starter")
    assert "15 refused" in ran.out
    assert ran.out.count("  refused: ") == 10
    assert not ESCAPE.search(ran.out)
    ran = trailhound("trails", "compile", trails, "-o", tmp_path / "my.set", "--report", tmp_path / "refused.ndjson")
    assert "  refused: " not in ran.out
    refused = [json.loads(line) for line in (tmp_path / "refused.ndjson").read_text("utf-8").splitlines()]
    assert [entry["line"] for entry in refused] == list(range(61, 76))
    assert all(entry["reason"] for entry in refused)


def test_a_report_that_cannot_be_written_is_trouble(trailhound: Trailhound, trails: Path, tmp_path: Path) -> None:
    ran = trailhound("trails", "compile", trails, "-o", tmp_path / "my.set", "--report", tmp_path / "no" / "report")
    assert ran.status == 2
    assert "the report cannot be written" in ran.err


def test_a_set_that_cannot_be_written_is_trouble(trailhound: Trailhound, trails: Path, tmp_path: Path) -> None:
    ran = trailhound("trails", "compile", trails, "-o", trails / "my.set")
    assert ran.status == 2
    assert "cannot be written" in ran.err


def test_what_was_compiled_by_hand_from_other_files_is_not_taken_for_that_of_the_settings(
    trailhound: Trailhound, trails: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text("other.example,threat,test\n")
    config = tmp_path / "trailhound.toml"
    config.write_text(f'state_dir = "{tmp_path / "state"}"\n[trails]\nfiles = ["{trails}"]\nstarter = false\n')
    assert trailhound("trails", "check", name(1), "-c", config).status == 1
    assert trailhound("trails", "compile", other, "-c", config).status == 0
    assert trailhound("trails", "check", name(1), "-c", config).status == 1
    assert trailhound("trails", "check", "other.example", "-c", config).status == 0


def test_a_set_is_made_anew_when_its_files_change_and_only_then(
    trailhound: Trailhound, trails: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    config = tmp_path / "trailhound.toml"
    config.write_text(f'state_dir = "{state}"\n[trails]\nfiles = ["{trails}"]\nstarter = false\n')
    assert trailhound("trails", "compile", "-c", config).status == 0
    made = (state / "trails.set").stat().st_ino
    trailhound("trails", "check", name(1), "-c", config)
    assert (state / "trails.set").stat().st_ino == made
    trails.write_text(trails.read_text("utf-8") + "new.example,threat,test\n", "utf-8")
    assert trailhound("trails", "check", "new.example", "-c", config).status == 1
    assert (state / "trails.set").stat().st_ino != made


def test_info_counts(trailhound: Trailhound, trails: Path, tmp_path: Path) -> None:
    made = tmp_path / "my.set"
    trailhound("trails", "compile", trails, "-o", made, "--no-starter")
    ran = trailhound("trails", "info", "--set", made)
    assert ran.status == 0
    assert f"100 trails in {made}" in ran.out
    said = json.loads(trailhound("trails", "info", "--set", made, "--json").out)
    assert (said["trails"], said["by_kind"]) == (100, {"domain": 100})
    assert sum(said["by_source"].values()) == 100


def test_info_of_what_is_no_set_is_trouble(trailhound: Trailhound, trails: Path) -> None:
    ran = trailhound("trails", "info", "--set", trails)
    assert ran.status == 2
    assert "this is no compiled trail set" in ran.err


def test_check_says_what_would_be_matched_and_why(trailhound: Trailhound, trails: Path, tmp_path: Path) -> None:
    made = tmp_path / "my.set"
    trailhound("trails", "compile", trails, "-o", made, "--no-starter")
    ran = trailhound("trails", "check", "--set", made, f"www.{name(1)}", "harmless.test")
    assert ran.status == 1
    assert f"'www.{name(1)}': found" in ran.out
    assert f"trail {name(1)} (domain): threat 1" in ran.out
    assert "'harmless.test': not found" in ran.out
    assert trailhound("trails", "check", "--set", made, "harmless.test").status == 0


@pytest.mark.parametrize(
    ("value", "trail"),
    [
        ("198.51.100.7", "198.51.100.0/24"),
        ("198.51.100.0/24", "198.51.100.0/24"),
        ("203.0.113.5:8080", "203.0.113.5:8080"),
        ("http://evil.example/gate.php?id=1", "evil.example/gate.php"),
        ("WWW.Evil.Example.", "evil.example"),
    ],
)
def test_check_meets_each_trail_once(trailhound: Trailhound, tmp_path: Path, value: str, trail: str) -> None:
    trails = tmp_path / "trails.csv"
    listed = ("198.51.100.0/24", "203.0.113.5:8080", "evil.example/gate.php", "evil.example")
    trails.write_text("".join(f"{item},threat,test\n" for item in listed))
    trailhound("trails", "compile", trails, "-o", tmp_path / "my.set", "--no-starter")
    found = json.loads(trailhound("trails", "check", "--set", tmp_path / "my.set", "--json", value).out)["matches"]
    assert [match["trail"] for match in found].count(trail) == 1


def test_check_says_the_same_to_machines(trailhound: Trailhound, trails: Path, tmp_path: Path) -> None:
    made = tmp_path / "my.set"
    trailhound("trails", "compile", trails, "-o", made, "--no-starter")
    ran = trailhound("trails", "check", "--set", made, "--json", name(1), "harmless.test")
    one, other = map(json.loads, ran.out.splitlines())
    assert (one["value"], one["found"], one["matches"][0]["trail"]) == (name(1), True, name(1))
    assert (other["found"], other["matches"]) == (False, [])


def test_check_says_when_the_whitelist_keeps_a_trail_from_counting(
    trailhound: Trailhound, trails: Path, tmp_path: Path
) -> None:
    (tmp_path / "white.txt").write_text(f"{name(1)}\n")
    config = tmp_path / "trailhound.toml"
    config.write_text(f'[trails]\nfiles = ["{trails}"]\nwhitelist = ["{tmp_path / "white.txt"}"]\n')
    ran = trailhound("trails", "check", "-c", config, "--state", tmp_path / "state", name(1))
    assert ran.status == 0
    assert "does not count: " in ran.out


def test_nothing_of_a_hostile_value_or_trail_reaches_the_terminal_raw(trailhound: Trailhound, tmp_path: Path) -> None:
    trails = tmp_path / "trails.csv"
    trails.write_text('evil.example,"threat \x1b[31m \x9b2J",so\x1burce\n', "utf-8")
    for arguments in (["evil.example"], ["\x1b[2Jvalue\x9b"], ["--json", "evil.example", "\x1b[2J"]):
        ran = trailhound("trails", "check", "--trails", trails, "--state", tmp_path / "state", *arguments)
        assert ran.status in (0, 1), ran.err
        assert not ESCAPE.search(ran.out)
