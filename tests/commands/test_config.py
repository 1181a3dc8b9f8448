"""`trailhound config`."""

import json
import tomllib
from pathlib import Path

from tests.commands.conftest import Trailhound
from trailhound.commands.config import document
from trailhound.settings import keys

DOCS = Path(__file__).parents[2] / "docs"


def test_show_writes_a_settings_file_that_gives_the_same_settings(trailhound: Trailhound, tmp_path: Path) -> None:
    config = tmp_path / "trailhound.toml"
    config.write_text(
        f'log_level = "debug"\n[api]\nport = 9000\n[[logs.folders]]\npath = "{tmp_path}"\nsensor = "dmz"\n'
    )
    shown = trailhound("config", "show", "-c", config)
    assert shown.status == 0
    assert tomllib.loads(shown.out)["api"]["port"] == 9000
    (tmp_path / "again.toml").write_text(shown.out)
    assert trailhound("config", "show", "-c", tmp_path / "again.toml").out == shown.out


def test_show_writes_json_for_machines(trailhound: Trailhound, tmp_path: Path) -> None:
    ran = trailhound("config", "show", "--json", "--state", tmp_path)
    assert json.loads(ran.out)["state_dir"] == str(tmp_path)


def test_check_says_that_settings_are_right(trailhound: Trailhound, tmp_path: Path) -> None:
    config = tmp_path / "trailhound.toml"
    config.write_text("[api]\nport = 9000\n")
    ran = trailhound("config", "check", "-c", config)
    assert (ran.status, ran.out) == (0, f"{config}: the settings are right\n")
    assert "the defaults are in force" in trailhound("config", "check").out


def test_check_names_file_key_and_what_was_expected(trailhound: Trailhound, tmp_path: Path) -> None:
    config = tmp_path / "trailhound.toml"
    config.write_text("[api]\nport = 90000\n")
    ran = trailhound("config", "check", "-c", config)
    assert ran.status == 2
    assert ran.err.startswith(f"trailhound: {config}: api.port = 90000: ")


def test_the_page_of_settings_names_every_setting() -> None:
    page = document()
    assert [key for key in keys() if f"| `{key}` |" not in page] == []


def test_the_page_of_settings_is_what_the_command_prints(trailhound: Trailhound) -> None:
    ran = trailhound("config", "docs")
    assert ran.status == 0
    assert ran.out == (DOCS / "settings.md").read_text("utf-8")
