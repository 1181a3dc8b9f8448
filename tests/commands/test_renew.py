"""Settings that are read again while Trailhound runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from trailhound.commands.renew import Renew, changes, taken_up
from trailhound.errors import SettingsError, SourceError
from trailhound.settings import TAKEN_UP, Settings, keys, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "trailhound.toml"
    path.write_text(f'state_dir = "{tmp_path}"\n', "utf-8")
    return path


@pytest.fixture(autouse=True)
def defaults() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_what_may_change_is_taken_up_and_what_may_not_is_named(file: Path) -> None:
    old = load(file)
    added = '[logs]\nsilent_minutes = 5\nstart = "end"\n[store]\npath = "/elsewhere"\n[run]\nstop_seconds = 3\n'
    file.write_text(f'log_level = "error"\n{file.read_text("utf-8")}{added}', "utf-8")
    new, refused = taken_up(old, load(file))
    assert refused == ["logs.start", "store.path"]
    assert changes(old, new) == ["log_level", "logs.silent_minutes", "run.stop_seconds"]
    assert (new.logs.start, new.store.path) == ("beginning", None)


def test_all_that_is_taken_up_are_settings() -> None:
    known = {key.partition("[")[0] for key in keys()}
    sections = {key.partition(".")[0] for key in known if "." in key}
    assert [key for key in TAKEN_UP if key not in known and key.removesuffix(".*") not in sections] == []


def test_changed_settings_reach_all_who_go_by_them(file: Path) -> None:
    seen: list[tuple[str, float]] = []
    renew = Renew(
        load(file),
        lambda: load(file),
        (lambda to: seen.append(("a", to.logs.silent_minutes)), lambda to: seen.append(("b", to.logs.silent_minutes))),
    )
    file.write_text(f"{file.read_text('utf-8')}[logs]\nsilent_minutes = 5\n", "utf-8")
    assert renew()
    assert seen == [("a", 5.0), ("b", 5.0)]
    assert renew.settings.logs.silent_minutes == 5


def test_a_change_that_needs_a_restart_is_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    renew = Renew(load(file), lambda: load(file), ())
    file.write_text(f"{file.read_text('utf-8')}[api]\nport = 9999\n", "utf-8")
    assert renew()
    said = capsys.readouterr().err
    assert "this change needs a restart" in said
    assert "api.port" in said
    assert renew.settings.api.port == 8338


def test_settings_that_are_wrong_change_nothing_and_are_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken: list[Settings] = []
    renew = Renew(load(file), lambda: load(file), (taken.append,))
    before = renew.settings
    file.write_text("[logs]\nsilent_minuts = 5\n", "utf-8")
    assert not renew()
    assert taken == []
    assert renew.settings is before
    assert "silent_minuts" in capsys.readouterr().out


def test_when_one_cannot_go_by_them_the_others_go_back(file: Path) -> None:
    taken: list[float] = []

    def refuse(settings: Settings) -> None:
        raise SourceError("trails.csv: there is no such file")

    renew = Renew(load(file), lambda: load(file), (lambda to: taken.append(to.logs.silent_minutes), refuse))
    file.write_text(f"{file.read_text('utf-8')}[logs]\nsilent_minutes = 5\n", "utf-8")
    assert not renew()
    assert taken == [5.0, 60.0]


def test_a_reader_that_fails_leaves_all_as_it_was(file: Path) -> None:
    def read() -> Settings:
        raise SettingsError("there is no folder to watch")

    assert not Renew(load(file), read, ())()
