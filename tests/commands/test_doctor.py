"""`trailhound doctor`: what is well, and each thing that may be ill."""

import json
import shutil
import socket
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from feeds.shelf import Shelf
from stores.embedded import open_embedded
from tests.commands.conftest import Trailhound
from trailhound.commands import doctor


@pytest.fixture
def config(tmp_path: Path, logs: Path, trails: Path) -> Path:
    path = tmp_path / "trailhound.toml"
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path.write_text(
        f'state_dir = "{tmp_path / "state"}"\n[api]\nport = {port}\n'
        f'[trails]\nfiles = ["{trails}"]\nwhitelist = ["{tmp_path / "white.txt"}"]\n'
        f'[[logs.folders]]\npath = "{logs}"\n'
    )
    (tmp_path / "white.txt").write_text("good.example\n")
    return path


def ill(trailhound: Trailhound, config: Path) -> dict[str, str]:
    """Give what the doctor finds ill; each has advice, in text as in JSON."""
    ran = trailhound("doctor", "-c", config, "--json")
    findings: list[dict[str, Any]] = [finding for finding in json.loads(ran.out) if not finding["well"]]
    assert ran.status == (1 if findings else 0)
    text = trailhound("doctor", "-c", config)
    assert text.status == ran.status
    assert text.out.count("BAD ") == len(findings)
    for finding in findings:
        assert finding["advice"]
        assert f"-> {finding['advice']}" in text.out
    return {finding["what"]: finding["said"] for finding in findings}


def test_an_installation_that_is_well_has_nothing_bad(
    trailhound: Trailhound, config: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "FEW_WATCHES", 1)
    monkeypatch.setattr(doctor, "LITTLE_SPACE", 1)
    assert ill(trailhound, config) == {}
    assert trailhound("trails", "compile", "-c", config).status == 0
    assert ill(trailhound, config) == {}
    out = trailhound("doctor", "-c", config).out
    assert f"folder {logs}: 1 zeek-tsv" in out


def test_bad_settings_are_the_only_finding(trailhound: Trailhound, config: Path) -> None:
    config.write_text("[api]\nprot = 1\n")
    assert list(ill(trailhound, config)) == ["settings"]


def test_a_state_directory_that_is_none_is_found(trailhound: Trailhound, config: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    assert "cannot be written to" in ill(trailhound, config)["state directory"]


def test_a_disk_that_is_nearly_full_is_found(
    trailhound: Trailhound, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "LITTLE_SPACE", 10**18)
    assert "GB free" in ill(trailhound, config)["state directory"]


def test_no_trails_at_all_are_found(trailhound: Trailhound, config: Path, trails: Path) -> None:
    config.write_text(config.read_text().replace(f'files = ["{trails}"]', "starter = false"))
    assert "trails" in ill(trailhound, config)


def test_a_damaged_trail_set_is_found(trailhound: Trailhound, config: Path, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "trails.set").write_bytes(b"nonsense")
    assert "no compiled trail set" in ill(trailhound, config)["trails"]


def test_old_trails_are_found(trailhound: Trailhound, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trailhound("trails", "compile", "-c", config).status == 0
    monkeypatch.setattr(doctor, "OLD_TRAILS", -1)
    assert "compiled 0 days ago" in ill(trailhound, config)["trails"]


def test_a_bad_whitelist_is_found(trailhound: Trailhound, config: Path, tmp_path: Path) -> None:
    (tmp_path / "white.txt").unlink()
    assert "white.txt" in ill(trailhound, config)["whitelist"]


def test_a_damaged_store_is_found(trailhound: Trailhound, config: Path, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "events.sqlite").write_bytes(b"nonsense" * 100)
    assert "no store of Trailhound" in ill(trailhound, config)["store"]


def test_a_store_that_is_well_is_counted(trailhound: Trailhound, config: Path, tmp_path: Path) -> None:
    open_embedded(tmp_path / "state" / "events.sqlite").close()
    assert "0 events, 0 threats" in trailhound("doctor", "-c", config).out


def test_too_few_watches_are_found(trailhound: Trailhound, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "FEW_WATCHES", 10**12)
    assert "notices of changed files" in ill(trailhound, config)
    config.write_text(config.read_text().replace("[[logs.folders]]", "[logs]\npolling = true\n[[logs.folders]]"))
    assert "notices of changed files" not in ill(trailhound, config)


def test_a_port_that_others_use_is_found(trailhound: Trailhound, config: Path) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        lines = config.read_text().splitlines()
        config.write_text("\n".join(f"port = {port}" if line.startswith("port") else line for line in lines))
        assert "is in use" in ill(trailhound, config)["port"]


def test_a_folder_that_is_not_there_is_found(trailhound: Trailhound, config: Path, logs: Path) -> None:
    shutil.rmtree(logs)
    assert ill(trailhound, config)[f"folder {logs}"] == "is not there"


def test_logs_that_cannot_be_read_are_found(trailhound: Trailhound, config: Path, logs: Path) -> None:
    # A log that seems to be compressed, and is not, cannot be read by anybody.
    (logs / "http.log").write_bytes(b"\x1f\x8b broken")
    assert "1 cannot be read" in ill(trailhound, config)[f"folder {logs}"]


def test_a_feed_that_is_too_old_is_found(trailhound: Trailhound, config: Path, tmp_path: Path) -> None:
    (tmp_path / "feeds.toml").write_text('[ours]\nurl = "https://lists.example/a"\ninterval = "1h"\n')
    assert "feeds" not in ill(trailhound, config)
    shelf = Shelf(tmp_path / "state" / "feeds")
    shelf.failed("ours", "the answer is 503", int(time.time()) - 4 * 3600)
    assert ill(trailhound, config)["feeds"] == "1 are on, 1 kept an old copy, too old: ours"
    (tmp_path / "feeds.toml").write_text("[ours\n")
    assert "this is no TOML" in ill(trailhound, config)["feeds"]
