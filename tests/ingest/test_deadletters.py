"""Dead letters."""

import json
import os
from pathlib import Path

import pytest

from ingest.batch import MAX_RAW, BadLine, Known, bad
from ingest.deadletters import DeadLetters, LetterFile, files
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


def test_two_writers_that_put_the_file_aside_in_turn_lose_no_letter_and_no_header(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    known = Known("zeek-tsv", "dns", "#fields\tts")
    writers = [DeadLetters(path, limit=1500) for _ in range(2)]
    kept: list[int] = []
    for number in range(40):
        writers[number % 2].write("s", "f", [BadLine(number, "r", b"x" * 50, known=known)], NOW)
        kept = [letter.line for file in files(path) for letter in LetterFile(file)]
        assert kept == list(range(kept[0], number + 1))
        assert {letter.known for file in files(path) for letter in LetterFile(file)} == {known}
    assert kept[0] > 0


def test_what_was_cut_says_so(tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    DeadLetters(path).write("s", "f", [bad(1, "r", b"x" * (MAX_RAW + 1)), bad(2, "r", b"x" * MAX_RAW)], NOW)
    assert [(letter.cut, len(letter.raw)) for letter in LetterFile(path)] == [(True, MAX_RAW), (False, MAX_RAW)]
