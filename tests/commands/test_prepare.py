"""From settings to working parts."""

from pathlib import Path

import pytest

from trailhound.commands import prepare
from trailhound.errors import SettingsError
from trailhound.matching import Trails
from trailhound.settings import Settings
from trailhound.watching import CustomLog, Logs


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    trails = tmp_path / "trails.txt"
    trails.write_text("evil.example\n", "utf-8")
    settings = Settings(state_dir=tmp_path / "state", trails=Trails(files=(trails,), starter=False))
    prepare.state_directory(settings)
    return settings


def test_a_set_of_our_own_that_is_damaged_is_compiled_anew(settings: Settings) -> None:
    prepare.trail_set(settings)
    with settings.trail_set_path.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    assert prepare.trail_set(settings).domains("evil.example")


def test_a_set_that_is_up_to_date_is_left_as_it_is(settings: Settings) -> None:
    prepare.trail_set(settings)
    before = settings.trail_set_path.stat()
    prepare.trail_set(settings)
    assert settings.trail_set_path.stat().st_ino == before.st_ino


def test_a_custom_log_with_the_name_of_a_known_one_is_refused(settings: Settings) -> None:
    shadowing = settings.model_copy(update={"logs": Logs(custom={"dns": CustomLog(columns={"query": "name"})})})
    with pytest.raises(SettingsError, match=r"logs\.custom\.dns"):
        prepare.engine(shadowing, prepare.trail_set(shadowing))
