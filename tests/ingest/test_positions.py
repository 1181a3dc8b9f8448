"""Positions on disk."""

import json
import time
from pathlib import Path

import pytest

from ingest.positions import VERSION, Position, load, save
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


def test_when_folders_were_looked_through_is_kept_with_the_positions(tmp_path: Path) -> None:
    path = tmp_path / "positions.json"
    assert load(path).looked == 0
    save(path, [position(7)], 12.5)
    saved = load(path)
    assert saved.looked == 12.5
    save(path, saved)
    assert load(path).looked == 12.5


def test_positions_of_the_version_before_are_read(tmp_path: Path) -> None:
    path = tmp_path / "positions.json"
    entry = '{"path":"/logs/dns.log","device":1,"inode":7,"prefix":3,"digest":"ab","offset":5,"size":-1,"seen":2.5}'
    path.write_text(f'{{"version":1,"files":[{entry}]}}')
    saved = load(path)
    assert saved == [position(7, offset=5, seen=2.5)]
    assert saved.looked == 0


def test_positions_of_ten_thousand_files_are_saved_in_a_fraction_of_a_second(tmp_path: Path) -> None:
    state = b"#fields\t" + b"x" * 600
    positions = [position(n, offset=n, format="zeek-tsv", state=state, check="cd" * 16) for n in range(10_000)]
    begin = time.process_time()
    save(tmp_path / "positions.json", positions)
    assert time.process_time() - begin < 0.3
