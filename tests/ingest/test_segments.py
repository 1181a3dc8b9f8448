"""A big file is cut where reading it in one go would begin anew, and its parts are put together again."""

import gzip
from pathlib import Path

import pytest

from ingest import formats, segments
from ingest.scan import FileReport, scan_file
from ingest.segments import Found, Joined, find, first_state, format_of
from ingest.segments import segments as cut
from matchers.events import Events
from tests.ingest.living import header, name, row
from tests.matchers.build import engine, taking_in, trail
from trailhound.trail import TrailKind

DETECTIONS = Path(__file__).parents[1] / "fixtures" / "detections"
MAX_LINE = 1 << 20
BLOCK = 1024
CONTENT = header() + b"".join(row(number, name(number % 30)) for number in range(200)) + b"bad\n" + row(1)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "CHUNK", BLOCK)
    monkeypatch.setattr(segments, "SIZE", 3)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "dns.log"
    path.write_bytes(CONTENT)
    return path


def test_segments_are_whole_lines_and_the_whole_file(log: Path) -> None:
    parts = list(cut(log, "zeek-tsv"))
    assert len(parts) == 6
    data = [CONTENT[part.start : part.end] for part in parts]
    assert b"".join(data) == CONTENT
    assert all(piece.endswith(b"\n") for piece in data)


def test_a_line_longer_than_a_block_is_not_cut(log: Path) -> None:
    content = header() + b"x" * 20 * BLOCK + b"\n" + row(1) * 100
    log.write_bytes(content)
    parts = list(cut(log, "zeek-tsv"))
    assert len(parts) > 2
    assert all(content[part.start - 1 : part.start] == b"\n" for part in parts[1:])


def test_the_state_is_guessed_right_where_the_header_stays(log: Path) -> None:
    machine = engine([trail(TrailKind.DOMAIN, name(1))])
    first, *others = cut(log, "zeek-tsv")
    guess = first_state(first, machine, MAX_LINE)
    assert find(first, "", machine, MAX_LINE).state == guess
    assert all(find(segment, guess, machine, MAX_LINE).state == guess for segment in others)


def test_the_state_tells_of_a_header_that_came_in_between(log: Path) -> None:
    log.write_bytes(CONTENT + b"#unset_field\t?\n" + row(1) * 100)
    machine = engine([trail(TrailKind.DOMAIN, name(1))])
    segment = next(part for part in cut(log, "zeek-tsv") if part.end is None or part.end > len(CONTENT))
    guess = first_state(next(cut(log, "zeek-tsv")), machine, MAX_LINE)
    assert "#unset_field\t?" in find(segment, guess, machine, MAX_LINE).state


@pytest.mark.parametrize("most", [0, 10_000])
def test_what_is_too_much_to_be_sent_is_matched_in_place(log: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(segments, "MOST", most)
    machine, other = (engine([trail(TrailKind.DOMAIN, name(1))]) for _ in range(2))
    joined = Joined(FileReport(str(log), "zeek-tsv"), machine, Events("sensor", str(log)), MAX_LINE)
    events, bad_lines = [], []
    sent = []
    for segment in cut(log, "zeek-tsv"):
        found = find(segment, joined.state, other, MAX_LINE)
        sent.append(not found.too_much)
        for scanned in joined.take(segment, found):
            assert scanned.stretch is not None
            events += scanned.stretch.events
            bad_lines += scanned.stretch.bad_lines
    assert all(sent) == bool(most)
    alone = engine([trail(TrailKind.DOMAIN, name(1))])
    *stretches, last = scan_file(log, alone, "sensor", max_line=MAX_LINE, now=lambda: 0)
    assert joined.report == last.report
    assert events == [event for one in stretches if one.stretch for event in one.stretch.events]
    assert bad_lines == [bad for one in stretches if one.stretch for bad in one.stretch.bad_lines]


def test_damage_in_a_segment_ends_the_file(log: Path) -> None:
    machine = engine([trail(TrailKind.DOMAIN, name(1))])
    segment = next(cut(log, "zeek-tsv"))
    log.unlink()
    report = FileReport(str(log), "zeek-tsv")
    joined = Joined(report, machine, Events("sensor"), MAX_LINE)
    assert list(joined.take(segment, find(segment, "", machine, MAX_LINE))) == []
    assert "dns.log: the log cannot be read" in (report.problem or "")
    report.problem = None
    assert list(joined.take(segment, Found(too_much=True))) == []
    assert "dns.log: the log cannot be read" in (report.problem or "")


def test_only_plain_logs_of_lines_are_cut(log: Path, tmp_path: Path) -> None:
    assert format_of(log) == "zeek-tsv"
    log.write_bytes(gzip.compress(CONTENT))
    assert format_of(log) is None
    log.write_bytes(b'[{"timestamp":"x","event_type":"dns"}]')
    assert format_of(log) is None
    assert format_of(tmp_path / "nothing.log") is None


def test_detections_of_others_are_the_same_from_segments(tmp_path: Path) -> None:
    data = (DETECTIONS / "notice.log").read_bytes()
    rows = b"".join(line for line in data.splitlines(keepends=True) if not line.startswith(b"#"))
    path = tmp_path / "notice.log"
    path.write_bytes(data + rows * 9)
    machine, other, alone = (taking_in("zeek-notice") for _ in range(3))
    joined = Joined(FileReport(str(path), "zeek-tsv"), machine, Events("sensor", str(path)), MAX_LINE)
    events = []
    parts = list(cut(path, "zeek-tsv"))
    for segment in parts:
        for scanned in joined.take(segment, find(segment, joined.state, other, MAX_LINE)):
            assert scanned.stretch is not None
            events += scanned.stretch.events
    *stretches, _ = scan_file(path, alone, "sensor", max_line=MAX_LINE, now=lambda: 0)
    assert len(parts) > 1
    assert sum(event.count for event in events) == 50
    assert events == [event for one in stretches if one.stretch for event in one.stretch.events]
