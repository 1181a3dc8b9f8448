"""Positions on disk."""

import json
import os
from pathlib import Path

import pytest

from ingest.positions import VERSION, Position, fingerprint, load, save
from tests.limits import file_size_limit
from trailhound.errors import SettingsError


def position(inode: int = 7, **changes: object) -> Position:
    return Position(**{"path": "/logs/dns.log", "device": 1, "inode": inode, "prefix": 3, "digest": "ab", **changes})  # type: ignore[arg-type]


def test_positions_come_back_as_they_were_saved(tmp_path: Path) -> None:
    saved = [
        position(7, offset=100, pending=200, lines=9, format="zeek-tsv", state=b"#fields\t\xff", log="dns"),
        position(8, offset=5, discarding=True, size=10, modified=11, seen=12.5),
    ]
    save(tmp_path / "positions.json", saved)
    assert load(tmp_path / "positions.json") == saved


def test_no_file_means_no_positions(tmp_path: Path) -> None:
    assert load(tmp_path / "positions.json") == []


def test_saving_again_replaces_all_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    path = tmp_path / "positions.json"
    save(path, [position(n) for n in range(50)])
    save(path, [position(7)])
    assert [saved.inode for saved in load(path)] == [7]
    assert [path.name for path in tmp_path.iterdir()] == ["positions.json"]


def test_what_a_crash_in_the_middle_of_saving_left_is_neither_read_nor_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "positions.json"
    save(path, [position(7)])
    (tmp_path / "positions.json.new").write_bytes(b'{"version":1,"fi')
    assert [saved.inode for saved in load(path)] == [7]
    save(path, [position(8)])
    assert [saved.inode for saved in load(path)] == [8]
    assert [path.name for path in tmp_path.iterdir()] == ["positions.json"]


def test_a_disk_without_room_leaves_the_old_positions(tmp_path: Path) -> None:
    path = tmp_path / "positions.json"
    save(path, [position(7)])
    with file_size_limit(4096), pytest.raises(OSError, match="File too large"):
        save(path, [position(n) for n in range(1000)])
    assert [saved.inode for saved in load(path)] == [7]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"files": []}',
        b'{"version": 1}',
        b'{"version": 1, "files": [{"path": "x"}]}',
        b'{"version": 1, "files": [{"path": "", "device": 1, "inode": 1, "prefix": 0, "digest": "", "offset": -1}]}',
        b'{"version": 1, "files": [{"path": "", "device": 1, "inode": 1, "prefix": 0, "digest": "", "format": "p"}]}',
    ],
)
def test_a_damaged_file_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "positions.json"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"positions\.json: the saved positions .*; move the file away") as refused:
        load(path)
    assert "\n" not in str(refused.value)


def test_another_version_is_named_whatever_else_it_has(tmp_path: Path) -> None:
    path = tmp_path / "positions.json"
    path.write_text(json.dumps({"version": VERSION + 1, "logs": {}}))
    with pytest.raises(SettingsError, match=f"are of version {VERSION + 1}, this Trailhound reads version {VERSION}"):
        load(path)


def test_a_folder_in_the_place_of_the_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "positions.json").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "positions.json")


def test_the_fingerprint_says_how_much_it_covers(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 100)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert fingerprint(descriptor)[0] == 100
        whole = fingerprint(descriptor, 50)
        path.write_bytes(b"x" * 5000)
        assert fingerprint(descriptor, 50) == whole
        assert fingerprint(descriptor)[0] == 1024
    finally:
        os.close(descriptor)
