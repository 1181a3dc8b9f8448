"""Settings: which source is stronger, and what is said of a mistake."""

import re
from pathlib import Path

import pytest

from trailhound.errors import SettingsError
from trailhound.settings import keys, load


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    path = tmp_path / "trailhound.toml"
    path.write_text('log_level = "debug"\n[api]\nport = 1000\nhost = "192.0.2.1"\n')
    return path


def test_the_command_line_is_stronger_than_the_environment_and_that_than_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(file).api.port == 1000
    monkeypatch.setenv("TRAILHOUND_API__PORT", "2000")
    monkeypatch.setenv("TRAILHOUND_LOG_LEVEL", "warning")
    settings = load(file)
    assert (settings.api.port, settings.log_level, settings.api.host) == (2000, "warning", "192.0.2.1")
    settings = load(file, {"api": {"port": 3000}})
    assert (settings.api.port, settings.log_level, settings.api.host) == (3000, "warning", "192.0.2.1")


def test_without_a_file_the_defaults_hold(file: Path) -> None:
    del file
    settings = load()
    assert settings.api.port == 8338
    assert settings.store_path.parent == settings.state_dir
    assert "10.0.0.0/8" in settings.networks.home


WRONG = [
    ("[api]\nprot = 1\n", "{file}: api.prot is no setting of Trailhound; the nearest is api.port"),
    ("zzzzzz = 1\n", "{file}: zzzzzz is no setting of Trailhound; see `trailhound config docs`"),
    ('[api]\nport = "http"\n', "{file}: api.port = 'http': should be a valid integer"),
    ("[api]\nport = 70000\n", "{file}: api.port = 70000: should be less than or equal to 65535"),
    ('log_level = "loud"\n', "{file}: log_level = 'loud': should be 'debug', 'info', 'warning' or 'error'"),
    ('[networks]\nhome = ["10.0.0/8"]\n', "'10.0.0/8' is not an address or network such as 192.0.2.0/24"),
    ("[logs.custom.mail]\ncolumns = { a = 'colour' }\n", "logs.custom.mail.columns.a = 'colour': should be 'address'"),
    ("api = [\n", "{file}: this is not valid TOML: "),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_mistake_in_the_file_is_told_in_one_sentence(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert message.format(file=file) in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value).strip()


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: there is no such settings file"):
        load(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="the settings file cannot be read"):
        load(tmp_path)


def test_a_file_that_is_no_text_is_told(file: Path) -> None:
    file.write_bytes(b'a = "\xff"\n')
    with pytest.raises(SettingsError, match=r"trailhound\.toml: the settings file cannot be read"):
        load(file)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "TRAILHOUND_API__PROT",
            "1",
            "the environment: TRAILHOUND_API__PROT is no setting of Trailhound; the nearest is",
        ),
        ("TRAILHOUND_NONSENSE_ZZZ", "1", "the environment: TRAILHOUND_NONSENSE_ZZZ is no setting of Trailhound"),
        ("TRAILHOUND_API__PORT", "http", "the environment: api.port = 'http': should be a valid integer"),
    ],
)
def test_a_mistake_in_the_environment_is_told(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert message in str(caught.value)


def test_a_mistake_on_the_command_line_is_told(file: Path) -> None:
    with pytest.raises(SettingsError, match=r"^the command line: api\.port = -1: should be greater than or equal to 0"):
        load(file, {"api": {"port": -1}})


def test_every_setting_has_a_description_that_is_a_sentence() -> None:
    for key, (description, _) in keys().items():
        assert description.rstrip("`").endswith("."), key
        assert description[0].isupper() or description[0] == "`", key


def test_a_home_directory_is_written_out(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/eve")
    assert load(file, {"state_dir": "~/state"}).state_dir == Path("/srv/eve/state")


def test_a_variable_that_is_no_json_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAILHOUND_LOGS__FOLDERS", "[")
    with pytest.raises(SettingsError, match=r"the environment: .*logs.*JSON"):
        load()


def test_a_missing_key_is_named_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "trailhound.toml"
    file.write_text('[[logs.folders]]\nsensor = "dmz"\n', "utf-8")
    with pytest.raises(SettingsError, match=rf"^{re.escape(str(file))}: logs.folders.0.path is missing$"):
        load(file)
