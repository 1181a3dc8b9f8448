"""The demo plays real files into real folders; only the clock is ours."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import orjson
import pytest

from trailhound.demo import SENSORS, Replay, bundled_sample
from trailhound.errors import SettingsError, SourceError

NOW = 1_800_000_000.0
ZEEK_HEADER = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
    "#path\tconn\n#open\t2026-01-05-08-00-00\n"
)
FIELDS = ("ts", "uid", "id.orig_h", "duration", "tunnel_parents", "certificate.not_valid_after")
TYPES = ("time", "string", "addr", "interval", "set[string]", "time")
EVENT = {"timestamp": "2026-01-05T08:00:40.250000+0000", "flow_id": 77, "event_type": "flow"}


class Clock:
    """Time that passes only by waiting; stops the demo at a given moment."""

    def __init__(self, stop_after: float) -> None:
        self.now = NOW
        self.stop_at = NOW + stop_after

    def __call__(self) -> float:
        return self.now

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        self.now = min(self.now + seconds, self.stop_at)
        if self.now >= self.stop_at:
            stop.set()
        return stop.is_set()


def row(at: float, uid: str, duration: str = "2.500000") -> str:
    return "\t".join((f"{1767600000 + at:.6f}", uid, "192.0.2.7", duration, "-", "2064268800.000000"))


def write_sample(folder: Path, *rows: str, events: tuple[dict[str, object], ...] = ()) -> Path:
    (folder / "zeek").mkdir(parents=True)
    (folder / "suricata").mkdir()
    head = ZEEK_HEADER + "\t".join(("#fields", *FIELDS)) + "\n" + "\t".join(("#types", *TYPES)) + "\n"
    (folder / "zeek/conn.log").write_text(
        head + "".join(f"{line}\n" for line in rows) + "#close\t2026-01-05-08-08-00\n"
    )
    if events:
        (folder / "suricata/eve.json").write_bytes(b"".join(orjson.dumps(event) + b"\n" for event in events))
    return folder


def play(sample: Path, target: Path, seconds: float, *, speed: float = 1.0) -> None:
    clock = Clock(seconds)
    Replay(sample, target, speed=speed, clock=clock, wait=clock.wait).run(threading.Event())


def rows(file: Path) -> list[list[str]]:
    return [line.split("\t") for line in file.read_text().splitlines() if not line.startswith("#")]


def rotated(folder: Path, stem: str) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.name.startswith(f"{stem}.2"))


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return write_sample(
        tmp_path / "sample", row(0, "CAaaaaaaaaaaaaaaa1"), row(30, "CBbbbbbbbbbbbbbbb1"), row(100, "CCccccccccccccccc1")
    )


def test_the_header_comes_first_and_says_when_the_file_was_opened(sample: Path, tmp_path: Path) -> None:
    play(sample, tmp_path / "live", 1)
    lines = (tmp_path / "live/zeek/conn.log").read_text().splitlines()
    assert lines[0] == "#separator \\x09"
    assert lines[5] == "#open\t2027-01-15-07-59-00"
    assert lines[6].split("\t")[1:] == list(FIELDS)
    assert lines[7].split("\t")[1:] == list(TYPES)


def test_the_first_minute_comes_at_once_with_times_of_the_past_minute(sample: Path, tmp_path: Path) -> None:
    play(sample, tmp_path / "live", 1)
    assert [float(cells[0]) for cells in rows(tmp_path / "live/zeek/conn.log")] == [NOW - 60, NOW - 30]


def test_a_later_line_comes_at_its_own_time(sample: Path, tmp_path: Path) -> None:
    play(sample, tmp_path / "early", 39)
    play(sample, tmp_path / "late", 40.5)
    assert len(rows(tmp_path / "early/zeek/conn.log")) == 2
    assert float(rows(tmp_path / "late/zeek/conn.log")[-1][0]) == NOW + 40


def test_speed_compresses_times_but_not_durations(sample: Path, tmp_path: Path) -> None:
    play(sample, tmp_path / "live", 4.05, speed=10)
    cells = rows(tmp_path / "live/zeek/conn.log")[2]
    assert float(cells[0]) == NOW - 6 + 10
    assert cells[3] == "2.500000"


def test_dates_of_a_certificate_stay_as_they_are(sample: Path, tmp_path: Path) -> None:
    play(sample, tmp_path / "live", 1)
    assert rows(tmp_path / "live/zeek/conn.log")[0][5] == "2064268800.000000"


def test_a_connection_that_began_long_ago_is_written_where_it_stands(tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample", row(0, "CA1"), row(200, "CB1"), row(10, "CLong1"), row(201, "CD1"))
    play(sample, tmp_path / "early", 139)
    play(sample, tmp_path / "late", 140.5)
    assert len(rows(tmp_path / "early/zeek/conn.log")) == 1
    assert [float(cells[0]) for cells in rows(tmp_path / "late/zeek/conn.log")] == [NOW - 60, NOW + 140, NOW - 50]


def test_a_new_round_rotates_the_file_and_starts_with_a_header(sample: Path, tmp_path: Path) -> None:
    play(sample, tmp_path / "live", 50)
    (old,) = rotated(tmp_path / "live/zeek", "conn")
    assert re.fullmatch(r"conn\.\d{4}(-\d\d){5}-\d{6}\.log", old.name)
    assert len(rows(old)) == 3
    assert old.read_text().splitlines()[-1].startswith("#close\t")
    new = (tmp_path / "live/zeek/conn.log").read_text().splitlines()
    assert new[0] == "#separator \\x09"
    assert len(rows(tmp_path / "live/zeek/conn.log")) == 1


def test_a_new_round_has_fresh_times_and_fresh_ids(sample: Path, tmp_path: Path) -> None:
    play(sample, tmp_path / "live", 200)
    folder = tmp_path / "live/zeek"
    cells = [line for file in (*rotated(folder, "conn"), folder / "conn.log") for line in rows(file)]
    assert len(cells) > 5
    assert len({line[1] for line in cells}) == len(cells)
    assert all(re.fullmatch(r"C[0-9A-Za-z]{17}", line[1]) for line in cells)
    times = [float(line[0]) for line in cells]
    assert times == sorted(set(times))


def test_no_more_than_two_rotated_rounds_stay_and_files_of_others_are_left_alone(sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "live/zeek"
    folder.mkdir(parents=True)
    (folder / "conn.2020-mine.log").write_text("mine")
    play(sample, tmp_path / "live", 1_000)
    ours = [file for file in rotated(folder, "conn") if file.name != "conn.2020-mine.log"]
    assert len(ours) == 2
    assert all(file.stat().st_size for file in ours)
    assert (folder / "conn.2020-mine.log").read_text() == "mine"


def test_a_file_that_a_former_demo_left_is_rotated_first(sample: Path, tmp_path: Path) -> None:
    play(sample, tmp_path / "live", 1)
    before = (tmp_path / "live/zeek/conn.log").read_bytes()
    play(sample, tmp_path / "live", 1)
    (old,) = rotated(tmp_path / "live/zeek", "conn")
    assert old.read_bytes() == before
    assert (tmp_path / "live/zeek/conn.log").read_text().count("#separator") == 1


def test_a_host_that_slept_starts_over_from_now(sample: Path, tmp_path: Path) -> None:
    clock = Clock(100_000)
    stop = threading.Event()

    def wait(event: threading.Event, seconds: float) -> bool:
        # The first wait takes a day; what follows is as usual, until the next round has begun.
        slept = clock.now == NOW
        clock.wait(event, 86_400 if slept else seconds)
        if clock.now > NOW + 86_410:
            event.set()
        return event.is_set()

    Replay(sample, tmp_path / "live", clock=clock, wait=wait).run(stop)
    assert len(rotated(tmp_path / "live/zeek", "conn")) == 1
    assert float(rows(tmp_path / "live/zeek/conn.log")[0][0]) == NOW + 86_400


def test_eve_events_move_with_their_flow(tmp_path: Path) -> None:
    flow = {"start": "2026-01-05T08:00:10.000000+0000", "end": "2026-01-05T08:00:20.500000+0000", "age": 10}
    first = EVENT | {"timestamp": "2026-01-05T08:00:00.000000+0000"}
    sample = write_sample(
        tmp_path / "sample", row(0, "CA1"), row(100, "CB1"), events=(first, EVENT | {"flow": flow, "parent_id": 77})
    )
    play(sample, tmp_path / "live", 1)
    events = [orjson.loads(line) for line in (tmp_path / "live/suricata/eve.json").read_bytes().splitlines()]
    moved = events[1]
    assert datetime.fromisoformat(moved["timestamp"]).timestamp() == NOW - 60 + 40.25
    assert datetime.fromisoformat(moved["flow"]["start"]).timestamp() == NOW - 60 + 10
    assert datetime.fromisoformat(moved["flow"]["end"]).timestamp() == NOW - 60 + 20.5
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000", moved["timestamp"])
    assert moved["flow"]["age"] == 10
    assert moved["flow_id"] == moved["parent_id"] == events[0]["flow_id"] != 77


def test_lines_are_on_disk_as_soon_as_they_are_due(sample: Path, tmp_path: Path) -> None:
    clock, seen = Clock(45), []

    def wait(stop: threading.Event, seconds: float) -> bool:
        seen.append(len(rows(tmp_path / "live/zeek/conn.log")))
        return clock.wait(stop, seconds)

    Replay(sample, tmp_path / "live", clock=clock, wait=wait).run(threading.Event())
    assert seen[:2] == [2, 3]


def test_a_running_demo_stops_when_told(sample: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=Replay(sample, tmp_path / "live", speed=1000).run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(timeout=30)
    assert not thread.is_alive()


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_speed_that_makes_no_sense_is_refused(sample: Path, tmp_path: Path, speed: float) -> None:
    with pytest.raises(SettingsError, match="speed"):
        Replay(sample, tmp_path / "live", speed=speed)


def test_a_missing_sample_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=re.escape(str(tmp_path / "nowhere"))):
        Replay(tmp_path / "nowhere", tmp_path / "live")


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample", row(0, "CA1"), "not a time\tCB1")
    with pytest.raises(SourceError, match=r"conn\.log: row 2"):
        Replay(sample, tmp_path / "live")


def test_a_target_that_cannot_be_written_is_named(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "live").write_text("a file, not a folder")
    with pytest.raises(SourceError, match="live: the demo cannot write"):
        play(sample, tmp_path / "live", 1)


@pytest.fixture
def bundled() -> Iterator[Path]:
    with bundled_sample() as folder:
        yield folder


def test_the_bundled_sample_is_small_and_has_both_sensors(bundled: Path) -> None:
    files = [file for file in bundled.rglob("*") if file.suffix in (".log", ".json")]
    assert {file.parent.name for file in files} == set(SENSORS.values())
    assert {file.stem for file in files} == {"conn", "dns", "http", "ssl", "x509", "files", "quic", "eve"}
    assert sum(file.stat().st_size for file in files) < 1_500_000


def test_every_row_of_the_bundled_sample_fits_its_header(bundled: Path) -> None:
    for file in (bundled / "zeek").glob("*.log"):
        lines = file.read_text().splitlines()
        head = {line.split("\t")[0]: line.split("\t")[1:] for line in lines if line.startswith("#")}
        assert head["#path"] == [file.stem]
        assert len(head["#types"]) == len(head["#fields"])
        assert {len(cells) for cells in rows(file)} == {len(head["#fields"])}


def test_the_bundled_sample_plays_its_detections_in_the_first_burst(bundled: Path, tmp_path: Path) -> None:
    play(bundled, tmp_path / "live", 0.001)
    names = {cells[9] for cells in rows(tmp_path / "live/zeek/dns.log")}
    assert {
        "trailhound-test.example",
        "www.trailhound-test.example",
        "home-camera.duckdns.org",
        "api.ipify.org",
    } <= names
    events = [orjson.loads(line) for line in (tmp_path / "live/suricata/eve.json").read_bytes().splitlines()]
    assert {"dns", "http", "tls", "fileinfo", "alert"} <= {event["event_type"] for event in events}
    assert {event["host"] for event in events} == {"suricata-demo"}
    hashes = {event["fileinfo"]["md5"] for event in events if event["event_type"] == "fileinfo"}
    assert "44d88612fea8a8f36de82e1278abb02f" in hashes


def test_a_whole_round_of_the_bundled_sample_loses_nothing_and_keeps_ids_joined(bundled: Path, tmp_path: Path) -> None:
    play(bundled, tmp_path / "live", 600)
    for folder in SENSORS.values():
        for file in (bundled / folder).glob("*.[lj]*"):
            (old,) = rotated(tmp_path / "live" / folder, file.stem)
            assert len(rows(old)) == len(rows(file))
    (conn,) = rotated(tmp_path / "live/zeek", "conn")
    (dns,) = rotated(tmp_path / "live/zeek", "dns")
    uids = {cells[1] for cells in rows(conn)}
    assert {cells[1] for cells in rows(dns)} <= uids
    assert not uids & {cells[1] for cells in rows(bundled / "zeek/conn.log")}
    (eve,) = rotated(tmp_path / "live/suricata", "eve")
    kinds = Counter(orjson.loads(line)["event_type"] for line in eve.read_bytes().splitlines())
    assert min(kinds[kind] for kind in ("dns", "tls", "http", "flow", "quic", "fileinfo", "alert")) > 0
