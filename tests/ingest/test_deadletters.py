"""Dead letters."""

import json
import os
from pathlib import Path

import pytest

from ingest.batch import BadLine
from ingest.deadletters import DeadLetters
from tests.limits import file_size_limit


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


NOW = "2026-01-01T00:00:00.000000Z"


def test_a_letter_tells_place_reason_and_line(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    DeadLetters(path).write("dmz", "/logs/dns.log", [BadLine(9, "3 columns expected", b"a\tb")], NOW)
    assert json.loads(path.read_text("utf-8")) == {
        "time": NOW,
        "sensor": "dmz",
        "file": "/logs/dns.log",
        "line": 9,
        "reason": "3 columns expected",
        "raw": "a\tb",
    }


def test_whatever_a_line_holds_its_letter_is_one_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    raw = bytes(range(256))
    name = os.fsdecode(b"/logs/\xff.log")
    DeadLetters(path).write("dmz", name, [BadLine(1, f"of {name}", raw), BadLine(2, "b", b"\xff")], NOW)
    letters = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    assert [letter["line"] for letter in letters] == [1, 2]
    assert letters[0]["raw"] == raw.decode("utf-8", "backslashreplace")
    assert letters[0]["file"] == "/logs/\\udcff.log"


def test_letters_are_added_to_those_before(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    for number in range(3):
        DeadLetters(path).write("s", "f", [BadLine(number, "r", b"")], NOW)
    assert [json.loads(line)["line"] for line in path.read_text().splitlines()] == [0, 1, 2]


def test_no_bad_line_makes_no_file(tmp_path: Path) -> None:
    DeadLetters(tmp_path / "dead.ndjson").write("s", "f", [], NOW)
    assert not names(tmp_path)


def test_the_file_is_bounded_and_one_older_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    letters = DeadLetters(path, limit=1000)
    for number in range(100):
        letters.write("s", "f", [BadLine(number, "r", b"x" * 50)], NOW)
        assert path.stat().st_size <= 1000
    assert names(tmp_path) == ["dead.ndjson", "dead.ndjson.1"]
    both = "".join((tmp_path / name).read_text("utf-8") for name in ("dead.ndjson.1", "dead.ndjson"))
    kept = [json.loads(line)["line"] for line in both.splitlines()]
    assert kept == list(range(kept[0], 100))


def test_a_full_disk_leaves_no_half_letter(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    letters = DeadLetters(path)
    letters.write("s", "f", [BadLine(1, "r", b"x")], NOW)
    with file_size_limit(2000), pytest.raises(OSError, match="File too large"):
        letters.write("s", "f", [BadLine(2, "r", b"y" * 5000)], NOW)
    letters.write("s", "f", [BadLine(2, "r", b"y" * 5000)], NOW)
    assert [json.loads(line)["line"] for line in path.read_text("utf-8").splitlines()] == [1, 2]
