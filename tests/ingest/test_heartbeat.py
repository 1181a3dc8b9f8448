"""Heartbeats: how each log of each sensor is doing."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.batch import BadLine
from ingest.follow import Followed, Refusal
from ingest.heartbeat import UNRECOGNISED, Heartbeats
from ingest.stretch import Stretch
from ingest.tail import Tail
from stores.contract import SensorStatus
from tests.ingest.living import WANTED, append, header, row, take
from trailhound.record import MICROSECONDS
from trailhound.watching import Folder, Logs

MINUTE = 60 * MICROSECONDS
HOUR = 60 * MINUTE


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: int = 1_700_000_000 * MICROSECONDS

    def __call__(self) -> int:
        return self.now


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


def test_bytes_that_were_lost_add_up_by_log(tmp_path: Path) -> None:
    beats = Heartbeats()
    for name in ("dns.log", "dns.2026-01-01-00-00-00.log"):
        beats.lose("dmz", tmp_path, tmp_path / name, 40)
    for _ in range(2):
        assert only(beats.statuses([], [], None)).lost_bytes == 80


def test_half_a_line_is_no_lag_that_could_be_read(tmp_path: Path) -> None:
    log = tmp_path / "dns.log"
    append(log, header() + row(0) + b"half a line")
    clock = Clock()
    beats = Heartbeats(clock=clock)
    with followed(tmp_path, log) as file:
        take(file.tail)
        beats.at_end(file)
        clock.now += HOUR
        status = only(beats.statuses([file], [], None))
        assert (status.lag_bytes, status.lag_seconds) == (len(b"half a line"), 0.0)
        append(log, b", the other half\n")
        assert only(beats.statuses([file], [], None)).lag_seconds == 3600.0


def test_a_backlog_is_as_late_as_the_newest_record_that_was_read(tmp_path: Path) -> None:
    append(tmp_path / "dns.log", header() + row(0))
    clock = Clock()
    beats = Heartbeats(clock=clock)
    with followed(tmp_path, tmp_path / "dns.log") as file:
        assert only(beats.statuses([file], [], None)).lag_seconds == 0.0
        beats.note(file, Stretch(records=1, last_time=clock.now - 5 * HOUR))
        assert only(beats.statuses([file], [], None)).lag_seconds == 5 * 3600.0
        beats.note(file, Stretch(records=1, last_time=clock.now - HOUR))
        assert only(beats.statuses([file], [], None)).lag_seconds == 3600.0


def test_a_log_that_went_silent_is_told_and_well_again_when_it_speaks(tmp_path: Path) -> None:
    clock = Clock()
    beats = Heartbeats(Logs(silent_minutes=30), clock=clock)
    append(tmp_path / "dns.log", header())
    with followed(tmp_path, tmp_path / "dns.log") as file:
        beats.note(file, Stretch(records=1, last_time=clock.now))
        clock.now += 30 * MINUTE
        assert only(beats.statuses([], [], None)).warning is None
        clock.now += MINUTE
        assert only(beats.statuses([], [], None)).warning == "silent for 31 min"
        assert only(beats.statuses([], [], "the store is away")).warning is None
        beats.note(file, Stretch(records=1, last_time=clock.now))
        assert only(beats.statuses([], [], None)).warning is None


def test_a_log_that_never_had_a_record_is_not_silent(tmp_path: Path) -> None:
    clock = Clock()
    beats = Heartbeats(clock=clock)
    append(tmp_path / "dns.log", header())
    with followed(tmp_path, tmp_path / "dns.log") as file:
        beats.note(file, Stretch())
        clock.now += 5 * HOUR
        assert only(beats.statuses([file], [], None)).warning is None


def test_a_log_with_long_gaps_is_not_silent_before_it_is_so_for_longer(tmp_path: Path) -> None:
    clock = Clock()
    beats = Heartbeats(clock=clock)
    append(tmp_path / "dhcp.log", header())
    with followed(tmp_path, tmp_path / "dhcp.log") as file:
        for _ in range(20):
            beats.note(file, Stretch(records=1, last_time=clock.now))
            clock.now += 6 * HOUR
        assert only(beats.statuses([], [], None)).warning is None
        clock.now += 7 * HOUR
        assert only(beats.statuses([], [], None)).warning == "silent for 780 min"


def test_one_long_gap_does_not_pass_for_a_habit(tmp_path: Path) -> None:
    clock = Clock()
    beats = Heartbeats(clock=clock)
    append(tmp_path / "conn.log", header())
    with followed(tmp_path, tmp_path / "conn.log") as file:
        beats.note(file, Stretch(records=1, last_time=clock.now))
        clock.now += 8 * HOUR
        for _ in range(10):
            clock.now += MICROSECONDS
            beats.note(file, Stretch(records=1, last_time=clock.now))
        clock.now += 5 * HOUR
        assert (only(beats.statuses([], [], None)).warning or "").startswith("silent for")


def test_a_folder_may_have_its_own_measure_of_silence(tmp_path: Path) -> None:
    clock = Clock()
    folders = (
        Folder(path=tmp_path / "quiet", sensor="dmz", silent_minutes=0),
        Folder(path=tmp_path / "loud", sensor="dmz", silent_minutes=5),
    )
    beats = Heartbeats(Logs(folders=folders), clock=clock)
    for folder in folders:
        folder.path.mkdir()
        append(folder.path / "dns.log", header())
        with followed(folder.path, folder.path / "dns.log") as file:
            beats.note(file, Stretch(records=1, last_time=clock.now))
    clock.now += 24 * HOUR
    warnings = {Path(status.path).parent.name: status.warning for status in beats.statuses([], [], None)}
    assert warnings == {"quiet": None, "loud": "silent for 1,440 min"}


def test_a_wrong_clock_is_told_with_how_wrong_it_is(tmp_path: Path) -> None:
    clock = Clock()
    beats = Heartbeats(Logs(max_clock_skew_seconds=120), clock=clock)
    append(tmp_path / "dns.log", header())
    with followed(tmp_path, tmp_path / "dns.log") as file:
        beats.note(file, Stretch(records=1, last_time=clock.now + 121 * MICROSECONDS))
        status = only(beats.statuses([file], [], None))
        assert status.clock_skew == 121 * MICROSECONDS
        assert (status.warning or "").startswith("records come from 121 s in the future")
        clock.now += HOUR
        for _ in range(40):
            clock.now += 15 * MICROSECONDS
            beats.note(file, Stretch(records=1, last_time=clock.now - 200 * MICROSECONDS), live=True)
        beats.at_end(file)
        status = only(beats.statuses([], [], None))
        assert status.clock_skew == -200 * MICROSECONDS
        assert (status.warning or "").startswith("records come 200 s late at least")


def test_clocks_need_not_be_checked(tmp_path: Path) -> None:
    clock = Clock()
    beats = Heartbeats(Logs(max_clock_skew_seconds=0), clock=clock)
    append(tmp_path / "dns.log", header())
    with followed(tmp_path, tmp_path / "dns.log") as file:
        beats.note(file, Stretch(records=1, last_time=clock.now + 999 * HOUR))
        assert only(beats.statuses([], [], None)).clock_skew is None


def test_what_was_counted_before_a_restart_counts_still(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "dns.log"
    append(path, header())
    before = SensorStatus("dmz", "dns", str(path), 10, 2, 3, 0, 4000, clock.now, clock.now, clock.now, retries=5)
    logs = Logs(folders=(Folder(path=tmp_path, sensor="dmz"),))
    beats = Heartbeats(logs, clock=clock)
    with followed(tmp_path, path) as file:
        beats.note(file, Stretch(records=1))
        beats.recall([before])
        status = only(beats.statuses([file], [], None))
    assert (status.records, status.matches, status.unreadable, status.lost_bytes, status.retries) == (11, 2, 3, 4000, 5)
    assert status.last_record == before.last_record


def test_the_heartbeats_of_another_host_with_such_a_folder_are_not_ours(tmp_path: Path) -> None:
    clock = Clock()
    path = str(tmp_path / "dns.log")
    known = [
        SensorStatus(sensor, "dns", path, 10, 2, 3, 0, 0, clock.now, clock.now, clock.now)
        for sensor in ("elsewhere", socket.gethostname())
    ]
    beats = Heartbeats(Logs(folders=(Folder(path=tmp_path),)), clock=clock)
    beats.recall(known)
    assert only(beats.statuses([], [], None)).sensor == socket.gethostname()


def test_a_log_that_was_silent_before_a_restart_is_so_after_it_until_it_is_forgotten(tmp_path: Path) -> None:
    clock = Clock()
    gone, foreign = str(tmp_path / "dns.log"), "/elsewhere/dns.log"
    known = [
        SensorStatus("dmz", "dns", path, 10, 2, 3, 0, 0, clock.now, clock.now, clock.now) for path in (gone, foreign)
    ]
    clock.now += 2 * HOUR
    beats = Heartbeats(Logs(folders=(Folder(path=tmp_path, sensor="dmz"),)), clock=clock)
    beats.recall(known)
    status = only(beats.statuses([], [], None))
    assert (status.path, status.warning) == (gone, "silent for 120 min")
    clock.now += 7 * 24 * HOUR
    assert beats.statuses([], [], None) == []


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
