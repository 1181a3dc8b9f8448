"""The settings of feeds."""

from pathlib import Path

import pytest

from trailhound.errors import SettingsError
from trailhound.settings import load


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "trailhound.toml"
    path.write_text(text, "utf-8")
    return path


def test_nothing_goes_out_to_the_network_by_default(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")).feeds.update is False


def test_the_file_of_feeds_beside_the_settings_is_taken(tmp_path: Path) -> None:
    path = written(tmp_path, "[feeds]\nparallel = 2\n")
    assert load(path).feeds.file is None
    (tmp_path / "feeds.toml").write_text("")
    assert load(path).feeds.file == tmp_path / "feeds.toml"
    named = written(tmp_path, '[feeds]\nfile = "other.toml"\n')
    assert load(named).feeds.file == Path("other.toml")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('proxy = "socks://proxy.example"', "such as http://proxy.example:3128 was expected"),
        ('proxy = "http://me:secret@proxy.example"', "without user and password"),
        ('reachable = ["10.0.0.0/99"]', "is not an address or network"),
        ('direct = ["http://intranet.example"]', "is no name of a host"),
        ("agreement = { scaner = 2 }", "feeds.agreement"),
        ("agreement = { scanner = 0 }", "greater than or equal to 1"),
        ("parallel = 0", "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(SettingsError, match="feeds") as raised:
        load(written(tmp_path, f"[feeds]\n{line}\n"))
    assert words in str(raised.value)
