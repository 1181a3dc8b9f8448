"""Heartbeats: how each log of each sensor is doing."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ingest.batch import BadLine
from ingest.follow import Followed, Refusal
from ingest.heartbeat import UNRECOGNISED, Heartbeats
from ingest.stretch import Stretch
from ingest.tail import Tail
from stores.contract import SensorStatus
from tests.ingest.living import WANTED, append, header, row, take


@contextmanager
def followed(folder: Path, path: Path, sensor: str = "dmz") -> Iterator[Followed]:
    with closing(Tail(path, sensor, WANTED, None)) as tail:
        yield Followed(tail, folder, 0.0)


def only(statuses: list[SensorStatus]) -> SensorStatus:
    (status,) = statuses
    return status


def test_counts_add_up(tmp_path: Path) -> None:
    append(tmp_path / "dns.log", header() + row(0))
    beats = Heartbeats()
    with followed(tmp_path, tmp_path / "dns.log") as file:
        beats.note(file, Stretch(records=5, last_time=900, bad_lines=[BadLine(1, "r", b"")]))
        beats.note(file, Stretch(records=2, last_time=700))
        beats.note(file, Stretch(records=1))
        status = only(beats.statuses([file], [], None))
    assert (status.sensor, status.log, status.path) == ("dmz", "dns", str(tmp_path / "dns.log"))
    assert (status.records, status.unreadable, status.last_record) == (8, 1, 900)
    assert status.last_read is not None
    assert status.last_read <= status.updated
    assert status.problem is None


def test_the_rotated_files_of_a_log_are_one(tmp_path: Path) -> None:
    names = ("dns.log", "dns.2026-01-01-00-00-00.log", "dns-20260101.log", "2026/dns.log")
    beats = Heartbeats()
    (tmp_path / "2026").mkdir()
    for name in names:
        append(tmp_path / name, header())
        with followed(tmp_path, tmp_path / name) as file:
            beats.note(file, Stretch(records=1))
    assert only(beats.statuses([], [], None)).records == len(names)


def test_sensors_and_logs_are_told_apart(tmp_path: Path) -> None:
    beats = Heartbeats()
    for sensor, name in (("a", "dns.log"), ("a", "conn.log"), ("b", "dns.log"), ("b", "eve.json")):
        append(tmp_path / name, header())
        with followed(tmp_path, tmp_path / name, sensor) as file:
            beats.note(file, Stretch(records=1))
    found = {(status.sensor, status.log) for status in beats.statuses([], [], None)}
    assert found == {("a", "dns"), ("a", "conn"), ("b", "dns"), ("b", "eve")}


def test_the_lag_is_what_is_not_acknowledged(tmp_path: Path) -> None:
    append(tmp_path / "dns.log", header() + row(0))
    beats = Heartbeats()
    with followed(tmp_path, tmp_path / "dns.log") as file:
        assert only(beats.statuses([file], [], None)).lag_bytes == len(header() + row(0))
        take(file.tail)
        assert only(beats.statuses([file], [], None)).lag_bytes == 0
        append(tmp_path / "dns.log", b"half a line")
        assert only(beats.statuses([file], [], None)).lag_bytes == len(b"half a line")


def test_bytes_that_were_cut_off_unread_are_counted_once(tmp_path: Path) -> None:
    log = tmp_path / "dns.log"
    append(log, header() + row(0))
    beats = Heartbeats()
    with followed(tmp_path, log) as file:
        take(file.tail)
        append(log, row(1)[:-1])
        file.tail.read()
        log.write_bytes(b"")
        file.tail.read()
        for _ in range(2):
            assert only(beats.statuses([file], [], None)).lost_bytes == len(row(1)) - 1


def test_a_file_that_is_no_log_is_a_problem_of_its_own(tmp_path: Path) -> None:
    append(tmp_path / "app.log", b"words\n")
    beats = Heartbeats()
    with followed(tmp_path, tmp_path / "app.log") as file:
        file.tail.read()
        status = only(beats.statuses([file], [], None))
    assert status.problem == f"{tmp_path / 'app.log'}: {UNRECOGNISED}"
    assert status.lag_bytes == len(b"words\n")


def test_a_problem_of_all_is_told_of_each(tmp_path: Path) -> None:
    append(tmp_path / "dns.log", header())
    beats = Heartbeats()
    with followed(tmp_path, tmp_path / "dns.log") as file:
        assert only(beats.statuses([file], [], "the store is away")).problem == "the store is away"
        assert only(beats.statuses([file], [], None)).problem is None


def test_what_cannot_be_read_is_shown_and_well_again_when_it_can(tmp_path: Path) -> None:
    beats = Heartbeats()
    refusal = Refusal(tmp_path / "dns.log", tmp_path, "dmz", "dns.log: Permission denied")
    away = Refusal(tmp_path, tmp_path, "dmz", "the folder is away")
    found = {status.path: status.problem for status in beats.statuses([], [refusal, away], None)}
    assert found == {str(tmp_path / "dns.log"): refusal.reason, str(tmp_path): away.reason}
    assert {status.problem for status in beats.statuses([], [], None)} == {None}


def test_strange_names_are_counted_like_others(tmp_path: Path) -> None:
    beats = Heartbeats()
    for name in (".log", "-20.log", "_20x", "..log"):
        append(tmp_path / name, header())
        with followed(Path("/"), tmp_path / name) as file:
            beats.note(file, Stretch(records=1))
    assert sum(status.records for status in beats.statuses([], [], None)) == 4
