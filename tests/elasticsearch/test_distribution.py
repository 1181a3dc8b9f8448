import subprocess
from pathlib import Path

import pytest

from tests.elasticsearch import distribution
from tests.elasticsearch.distribution import MissingError

PROGRAM = Path(__file__).parents[2] / "deploy" / "elasticsearch-for-tests"


@pytest.mark.parametrize("version", ["", "7.17.0", "8.19", "8.19.21/../..", "latest", "10.0.0"])
def test_only_versions_of_8_and_9_are_asked_for(version: str) -> None:
    with pytest.raises(MissingError, match="is no version of Elasticsearch 8 or 9"):
        distribution.get(version)


def test_what_is_missing_is_named_with_the_command_that_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distribution, "folder", lambda: tmp_path)
    with pytest.raises(MissingError, match=r"Elasticsearch 8\.19\.4.*elasticsearch-for-tests --version 8\.19\.4 gets"):
        distribution.find("8.19.4")


def test_an_archive_that_is_not_the_known_one_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(version: str, into: Path) -> Path:
        archive = into / "elasticsearch.zip"
        archive.write_bytes(b"PK: something else")
        return archive

    monkeypatch.setattr(distribution, "folder", lambda: tmp_path)
    monkeypatch.setattr(distribution, "_download", download)
    with pytest.raises(MissingError, match=r"has SHA-512 [0-9a-f]{128}, expected cf6b0a93"):
        distribution.get("8.19.21")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("elasticsearch_url")
def test_what_is_there_is_not_got_again() -> None:
    home, _ = distribution.find()
    before = home.stat().st_mtime_ns
    done = subprocess.run([PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert str(home) in done.stdout
    assert "Getting" not in done.stdout
    assert home.stat().st_mtime_ns == before
