"""The page of feeds, and the units of systemd for them."""

import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from feeds import catalogue
from tests.commands.conftest import Trailhound

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "feeds.md"
SERVICE = ROOT / "deploy" / "trailhound-feeds.service"
TIMER = ROOT / "deploy" / "trailhound-feeds.timer"


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # keys of systemd are told apart by their case
    parser.read_string(path.read_text("utf-8"))
    return parser


def test_the_tables_of_the_page_are_what_the_catalogue_gives(trailhound: Trailhound, tmp_path: Path) -> None:
    copy = tmp_path / "feeds.md"
    shutil.copyfile(PAGE, copy)
    assert trailhound("feeds", "docs", "--into", copy).status == 0
    assert copy.read_text("utf-8") == PAGE.read_text("utf-8"), "run `trailhound feeds docs --into docs/feeds.md`"


def test_the_tables_name_every_feed_with_its_licence(trailhound: Trailhound) -> None:
    rows = trailhound("feeds", "docs").out.splitlines()
    for name, feed in catalogue.load().items():
        assert [row for row in rows if row.startswith((f"| [{name}](", f"| {name} |")) and feed.licence in row], name


def test_the_page_tells_of_every_key_of_a_feed() -> None:
    page = PAGE.read_text("utf-8")
    assert [key for key in catalogue.KEYS if f"`{key}`" not in page] == []


def test_a_page_without_a_place_for_tables_is_refused(trailhound: Trailhound, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Feeds\n")
    ran = trailhound("feeds", "docs", "--into", page)
    assert (ran.status, page.read_text()) == (2, "# Feeds\n")
    assert "no place for the table of feeds" in ran.err
    assert trailhound("feeds", "docs", "--into", tmp_path / "gone.md").status == 2


def test_the_service_starts_a_command_that_there_is(trailhound: Trailhound) -> None:
    program, group, command, *options = shlex.split(unit(SERVICE)["Service"]["ExecStart"])
    assert Path(program).name == "trailhound"
    said = trailhound(group, command, "--help").out
    assert [option for option in options if option.startswith("-") and option not in said] == []


def test_the_timer_is_for_the_service() -> None:
    assert TIMER.stem == SERVICE.stem
    assert unit(SERVICE)["Service"]["Type"] == "oneshot"
    assert unit(SERVICE)["Service"]["SuccessExitStatus"] == "1"
    assert unit(TIMER)["Install"]["WantedBy"] == "timers.target"


def test_systemd_finds_no_fault_in_them(real_systemd: str, tmp_path: Path) -> None:
    there = tmp_path / SERVICE.name
    text = SERVICE.read_text("utf-8").replace("/opt/trailhound/bin/trailhound", sys.executable)
    there.write_text(text.replace("User=trailhound", "User=root"), "utf-8")
    shutil.copyfile(TIMER, tmp_path / TIMER.name)
    command: list[str | Path] = [real_systemd, "verify", there, tmp_path / TIMER.name]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in ran.stderr.splitlines() if SERVICE.stem in line] == []
