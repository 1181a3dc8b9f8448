"""Collecting for behaviour: the spool, folding, two sensors, crashes, bounds."""

import threading
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from ingest import spool, typed
from ingest.batch import BadLine
from ingest.formats import reader_of
from ingest.windows import Collector, adopt
from matchers.behaviour import columns, registry
from matchers.view import View
from tests.limits import file_size_limit
from tests.matchers.behaviour.making import START, Row, folder, segment

COLUMNS = columns(registry().values())
_TSV = (
    b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
    b"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\t"
    b"resp_bytes\tconn_state\n"
    b"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\n"
    b"1767225600.000001\tC1\t10.0.0.5\t40000\t93.184.216.34\t443\ttcp\tssl\t1.500000\t312\t-\tSF\n"
)
_JSON = (
    b'{"ts":1767225600.000001,"uid":"C1","id.orig_h":"10.0.0.5","id.orig_p":40000,"id.resp_h":"93.184.216.34",'
    b'"id.resp_p":443,"proto":"tcp","duration":1.5,"orig_bytes":312,"conn_state":"SF"}\n'
)
_EVE = (
    b'{"timestamp":"2026-01-01T00:00:03.000000+0000","flow_id":1,"event_type":"flow","src_ip":"10.0.0.5",'
    b'"src_port":40000,"dest_ip":"93.184.216.34","dest_port":443,"proto":"TCP","flow":{"pkts_toserver":5,'
    b'"pkts_toclient":4,"bytes_toserver":312,"age":2,"start":"2026-01-01T00:00:00.000001+0000"},'
    b'"tcp":{"tcp_flags_ts":"1b","tcp_flags_tc":"1b","state":"closed"}}\n'
)
LINES = {"zeek-tsv": ("conn", _TSV), "zeek-json": ("conn", _JSON), "eve": ("eve", _EVE)}


def rows(count: int, *, first: int = 0) -> list[Row]:
    return [
        {
            "ts": START + place,
            "id.orig_h": "10.0.0.5",
            "id.resp_h": f"93.184.216.{place % 200}",
            "id.resp_p": 443,
            "proto": "tcp",
            "conn_state": "SF",
            "orig_bytes": place,
        }
        for place in range(first, first + count)
    ]


def held(path: Path, *segments: Path, **bounds: Any) -> Any:
    made = folder(path, **bounds)
    made.fold(segments)
    extent = made.extent()
    assert extent is not None
    try:
        return made.window(*extent).frames["conn"]
    finally:
        made.close()


@pytest.mark.parametrize("form", LINES)
def test_a_connection_is_the_same_whichever_tool_wrote_it(form: str, tmp_path: Path) -> None:
    log, data = LINES[form]
    collector = Collector(tmp_path / "spool", COLUMNS, 1 << 30)
    for batch in reader_of(form, COLUMNS, log).feed(data):
        collector.see(View(batch, "s1"))  # type: ignore[arg-type] # there are no bad lines
    assert collector.rows == 1
    frame = held(tmp_path / "window", *collector.close_segment())
    (found,) = frame.to_dict("records")
    assert (found["ts"], found["id.orig_h"], found["id.resp_h"]) == (1767225600000001, "10.0.0.5", "93.184.216.34")
    assert (found["id.resp_p"], found["orig_bytes"], found["conn_state"]) == (443, 312, "SF")
    assert found["proto"].lower() == "tcp"
    assert isnan(found["resp_bytes"])  # It is unset.
    assert (found["sensor"], found["module"]) == ("s1", "suricata" if form == "eve" else "zeek")
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_is_read_again_after_a_crash_counts_once(tmp_path: Path) -> None:
    first = segment(tmp_path / "1.spool", {"conn": rows(100)})
    again = segment(tmp_path / "2.spool", {"conn": rows(100, first=50)})
    assert len(held(tmp_path / "window", first, again)) == 150
    late = segment(tmp_path / "3.spool", {"conn": rows(150)})
    assert len(held(tmp_path / "window", late)) == 150


def test_a_segment_that_was_folded_but_not_removed_counts_once(tmp_path: Path) -> None:
    first = segment(tmp_path / "1.spool", {"conn": rows(100)})
    kept = first.read_bytes()
    held(tmp_path / "window", first)
    assert not first.exists()
    first.write_bytes(kept)
    assert len(held(tmp_path / "window", first)) == 100


@pytest.mark.parametrize("lost", [1, 7, 200])
def test_a_frame_at_which_a_process_died_is_passed_over(lost: int, tmp_path: Path) -> None:
    whole = segment(tmp_path / "1.open", {"conn": rows(100)}).read_bytes()
    (tmp_path / "1.open").write_bytes(whole + whole[:-lost])
    adopt(tmp_path)
    (left,) = spool.closed(tmp_path)
    assert len(list(spool.frames(left))) == 1
    assert len(held(tmp_path / "window", left)) == 100


def test_a_damaged_frame_is_passed_over(tmp_path: Path) -> None:
    path = segment(tmp_path / "1.spool", {"conn": rows(100)})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert list(spool.frames(path)) == []


def test_what_two_sensors_see_of_one_flow_is_there_once(tmp_path: Path) -> None:
    one = segment(tmp_path / "1.spool", {"conn": rows(100)}, sensor="s1")
    late = [{**row, "ts": float(str(row["ts"])) + 0.4} for row in rows(80)]
    two = segment(tmp_path / "2.spool", {"conn": late}, sensor="s2")
    frame = held(tmp_path / "window", one, two)
    assert (len(frame), set(frame["sensor"])) == (100, {"s1"})


def test_what_only_the_other_sensor_sees_counts(tmp_path: Path) -> None:
    one = segment(tmp_path / "1.spool", {"conn": rows(100)}, sensor="s1")
    other = [{**row, "ts": float(str(row["ts"])) + 300} for row in rows(10)]
    two = segment(tmp_path / "2.spool", {"conn": other}, sensor="s2")
    assert len(held(tmp_path / "window", one, two)) == 110


def test_hours_that_are_over_and_records_of_the_future_are_dropped(tmp_path: Path) -> None:
    hours = [{**row, "ts": START + place * 3600} for place, row in enumerate(rows(30))]
    path = segment(tmp_path / "1.spool", {"conn": hours})
    frame = held(tmp_path / "window", path, hours=24, upto=int((START + 28 * 3600) * 1_000_000))
    assert frame["ts"].max() == (START + 28 * 3600) * 1_000_000
    assert len(list((tmp_path / "window").glob("*.npz"))) == 25


def test_of_too_many_records_the_newest_are_looked_at(tmp_path: Path) -> None:
    many = [{**row, "ts": START + place * 60} for place, row in enumerate(rows(600))]
    frame = held(tmp_path / "window", segment(tmp_path / "1.spool", {"conn": many}), rows=150)
    assert len(frame) == 120
    assert frame["ts"].max() == (START + 599 * 60) * 1_000_000


def test_the_spool_is_bounded_and_what_is_lost_is_counted(tmp_path: Path) -> None:
    log, data = LINES["zeek-json"]
    collector = Collector(tmp_path, COLUMNS, 1000)
    for batch in reader_of("zeek-json", COLUMNS, log).feed(data * 50):
        for _ in range(3):
            collector.see(View(batch, "s1"))  # type: ignore[arg-type] # there are no bad lines
    collector.flush()
    assert collector.lost == 150
    assert collector.held() <= 1000


def test_a_full_disk_holds_up_nothing(tmp_path: Path) -> None:
    log, data = LINES["zeek-json"]
    collector = Collector(tmp_path, COLUMNS, 1 << 30)
    (batch,) = reader_of("zeek-json", COLUMNS, log).feed(data * 500)
    with file_size_limit(4096):
        collector.see(View(batch, "s1"))  # type: ignore[arg-type] # it is no bad line
        collector.flush()
    assert collector.lost == 500
    collector.see(View(batch, "s1"))  # type: ignore[arg-type]
    frames = [frame for path in collector.close_segment() for frame in spool.frames(path)]
    assert [len(frame.times) for frame in frames] == [500]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("id.resp_p", ["x", None, 1e400, True]),
        ("id.orig_h", ["not an address", "\udc80".encode("utf-8", "surrogatepass").decode("utf-8", "replace"), 5, ""]),
        ("orig_bytes", [b"-", b"nan", b"1e999", b"\xff"]),
        ("conn_state", [["S0", "REJ"], None, 3, "x" * 100_000]),
    ],
)
def test_hostile_cells_are_nothing_and_harm_nothing(name: str, cells: Sequence[Any], tmp_path: Path) -> None:
    hostile = [{**row, name: cell} for row, cell in zip(rows(4), cells, strict=True)]
    frame = held(tmp_path / "window", segment(tmp_path / "1.spool", {"conn": hostile}))
    assert len(frame) == 4
    assert frame["conn_state"].astype(str).str.len().max() <= 512


@pytest.mark.parametrize("number", ["9" * 30, "1e999", "-9223372036854775809"])
def test_numbers_beyond_all_bounds_are_collected_as_nothing(number: str, tmp_path: Path) -> None:
    log, data = LINES["zeek-json"]
    odd = data.replace(b'"orig_bytes":312', b'"orig_bytes":' + number.encode())
    collector = Collector(tmp_path / "spool", COLUMNS, 1 << 30)
    for batch in reader_of("zeek-json", COLUMNS, log).feed(data + odd):
        if isinstance(batch, BadLine):
            assert number == "1e999"
        else:
            collector.see(View(batch, "s1"))
    assert len(held(tmp_path / "window", *collector.close_segment())) >= 1


def test_texts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed, "MOST_TEXTS", 10)
    spread = [
        {**row, "ts": START + 3600 * (place % 2), "id.resp_h": f"93.1.1.{place}"} for place, row in enumerate(rows(40))
    ]
    frame = held(tmp_path / "window", segment(tmp_path / "1.spool", {"conn": spread}))
    assert len(frame) == 40
    assert frame["id.resp_h"].nunique() == 10


@pytest.mark.parametrize("times", [["2025-12-31T00:00:00Z", "no time"], [-1.0, 1e300], [None, True]])
def test_rows_without_a_time_are_left_out(times: Sequence[Any], tmp_path: Path) -> None:
    odd = [{**row, "ts": time} for row, time in zip(rows(2), times, strict=True)]
    path = segment(tmp_path / "1.spool", {"conn": [*odd, *rows(5)]})
    assert len(held(tmp_path / "window", path)) == 5 + (times[0] == "2025-12-31T00:00:00Z")


def test_answers_that_the_server_wrote_have_their_ends_put_right(tmp_path: Path) -> None:
    ends = {"id.orig_h": "10.0.0.1", "id.orig_p": 53, "id.resp_h": "10.0.0.5", "id.resp_p": 40_000}
    made = folder(tmp_path / "window")
    made.fold([segment(tmp_path / "1.spool", {"dns": [{"ts": START, "query": "A.Example.com.", **ends}]})])
    (found,) = made.window(0, 2**62).frames["dns"].to_dict("records")
    assert (found["id.orig_h"], found["id.resp_p"], found["query"]) == ("10.0.0.5", 53, "a.example.com")
    made.close()


def test_two_that_fold_into_one_folder_take_turns(tmp_path: Path) -> None:
    first = folder(tmp_path / "window")
    other: list[Any] = []
    waiting = threading.Thread(target=lambda: other.append(folder(tmp_path / "window")))
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    first.close()
    waiting.join(10)
    assert len(other) == 1
    other[0].close()
    assert [path.name for path in (tmp_path / "window").iterdir()] == [".lock"]
