"""Archives are read from end to end, and what is wrong with a file is said of that file."""

import os
from pathlib import Path

import pytest

from ingest.scan import FileReport, find_files, scan_file, units
from tests.ingest.reading import TRAPS
from tests.matchers.build import engine, trail
from trailhound.errors import SourceError
from trailhound.trail import TrailKind

MACHINE = engine([trail(TrailKind.DOMAIN, "one.example")])


def report(path: Path) -> FileReport:
    *_, last = scan_file(path, MACHINE, "sensor", max_line=1 << 20, now=lambda: 0)
    assert last.stretch is None
    return last.report


def test_a_report_tells_what_became_of_a_file() -> None:
    found = report(TRAPS / "tsv-half-last-line.log")
    assert (found.format, found.records, found.unreadable, found.lines) == ("zeek-tsv", 2, 1, 11)
    assert found.events > 0
    assert found.skipped is None
    assert found.problem is None


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b"text\n", "no log of Zeek or Suricata"), (b"\x1f\x8b\x08\0", "damaged")]
)
def test_what_is_no_log_is_skipped_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "conn.log"
    path.write_bytes(content)
    assert reason in (report(path).skipped or "")


def test_a_truncated_archive_gives_what_came_before_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "eve.json.gz"
    path.write_bytes((TRAPS / "eve-plain.json.gz").read_bytes()[:-4])
    found = report(path)
    assert "the log is damaged" in f"{found.problem}{found.skipped}"


def test_files_are_listed_once_sorted_and_without_what_is_excluded(tmp_path: Path) -> None:
    for name in ("b.log", "a.log", "stats.log"):
        (tmp_path / name).write_text("x")
    assert find_files([tmp_path, tmp_path / "a.log"], ["stats*"]) == [tmp_path / "a.log", tmp_path / "b.log"]
    assert find_files([tmp_path / "stats.log"], ["stats*"]) == [tmp_path / "stats.log"]


def test_a_named_pipe_in_a_folder_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "conn.log")
    assert find_files([tmp_path]) == []


def test_a_path_that_is_not_there_is_refused() -> None:
    with pytest.raises(SourceError, match="/nowhere: there is no such file or folder"):
        find_files([Path("/nowhere")])


def test_logs_of_one_rotation_belong_together(tmp_path: Path) -> None:
    for name in ("conn.01.log", "dns.01.log", "conn.02.log"):
        (tmp_path / name).write_text("x" * (5 if "02" in name else 1))
    assert [len(unit.files) for unit in units(find_files([tmp_path]))] == [1, 2]
