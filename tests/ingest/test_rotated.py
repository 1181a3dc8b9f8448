"""Logs that were renamed, copied or compressed: known again, read on, never read twice."""

import gzip
import os
import shutil
import time
from pathlib import Path

import pytest

from ingest import follow as follow_module
from ingest import remembered, rotated
from tests.ingest.living import append, header, row, rows, take, text
from tests.ingest.rotating import compress, ended, following, read_and_ended, read_on
from trailhound.errors import SourceError

PACKINGS = ["gz", "zst"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "logs"
    path.mkdir()
    return path


@pytest.fixture
def log(folder: Path) -> Path:
    return folder / "dns.log"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotated, "SETTLE", 0.0)


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "GRACE", -1.0)


@pytest.mark.parametrize("how", PACKINGS)
def test_what_was_unread_is_read_from_the_compressed_log_with_the_same_line_numbers(
    log: Path, tmp_path: Path, how: str
) -> None:
    positions = read_and_ended(log, tmp_path)
    append(log, rows(range(20, 9000)))
    compress(log, how=how)
    with following(log.parent, positions) as again:
        assert read_on(again) == rows(range(20, 9000))
        (followed,) = again.open.values()
        assert followed.tail.position.lines == 8 + 9000
        again.rest()
        assert not again.open
        positions = ended(again, tmp_path)
    with following(log.parent, positions) as later:
        assert read_on(later) == b""
        assert not later.open


@pytest.mark.parametrize("how", PACKINGS)
def test_reading_stops_and_goes_on_in_the_middle_of_a_compressed_log(log: Path, tmp_path: Path, how: str) -> None:
    positions = read_and_ended(log, tmp_path)
    append(log, rows(range(20, 9000)))
    compress(log, how=how)
    read = b""
    for _ in range(3):
        with following(log.parent, positions) as again:
            again.discover()
            (followed,) = again.open.values()
            piece = followed.tail.read(100_000, 65_536)
            assert piece is not None
            followed.tail.advance(piece)
            read += piece.data
            positions = ended(again, tmp_path)
    assert len(read) > 250_000
    with following(log.parent, positions) as last:
        assert read + read_on(last) == rows(range(20, 9000))


@pytest.mark.parametrize("how", PACKINGS)
def test_a_pending_stretch_is_the_same_in_the_compressed_log(log: Path, tmp_path: Path, how: str) -> None:
    append(log, header() + rows(range(20)))
    with following(log.parent) as follow:
        follow.discover()
        (followed,) = follow.open.values()
        piece = followed.tail.read()
        assert piece is not None
        followed.tail.expect(piece.end)
        positions = ended(follow, tmp_path)
    append(log, rows(range(20, 40)))
    compress(log, how=how)
    with following(log.parent, positions) as again:
        again.discover()
        (followed,) = again.open.values()
        assert followed.tail.read() == piece
        followed.tail.advance(piece)
        assert text(take(followed.tail)) == rows(range(20, 40))


@pytest.mark.parametrize("how", PACKINGS)
def test_a_log_that_was_read_to_its_end_is_not_read_again_when_it_is_compressed(
    log: Path, tmp_path: Path, how: str
) -> None:
    positions = read_and_ended(log, tmp_path)
    compress(log, how=how)
    with following(log.parent, positions) as again:
        assert read_on(again) == b""
        assert not again.open  # It says itself how much it holds.
        assert [position.inode for position in again.positions()] == [next(log.parent.iterdir()).stat().st_ino]


def test_a_log_compressed_in_two_members_is_read_through(log: Path, tmp_path: Path) -> None:
    positions = read_and_ended(log, tmp_path)
    content = log.read_bytes()
    log.unlink()
    (log.parent / "dns.log.gz").write_bytes(gzip.compress(content[:500]) + gzip.compress(content[500:] + row(20)))
    with following(log.parent, positions) as again:
        assert read_on(again) == row(20)


@pytest.mark.parametrize("how", PACKINGS)
def test_while_a_log_and_its_compressed_form_are_both_there_nothing_is_read_twice(
    log: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_module, "IDLE", -1.0)
    append(log, header() + rows(range(20)))
    with following(log.parent) as follow:
        follow.discover()
        compress(log, how=how, keep=True)
        assert read_on(follow) == header() + rows(range(20))
        follow.rest()
        assert read_on(follow) == b""
        log.unlink()
        assert read_on(follow) == b""
        append(log, header(1) + row(20))
        assert read_on(follow) == header(1) + row(20)


def test_a_log_that_is_compressed_while_it_is_read_is_read_to_its_end(log: Path) -> None:
    append(log, header() + rows(range(2000)))
    with following(log.parent) as follow:
        follow.discover()
        (followed,) = follow.open.values()
        piece = followed.tail.read(30_000, 20_000)
        assert piece is not None
        followed.tail.advance(piece)
        compress(log)
        assert piece.data + read_on(follow) == header() + rows(range(2000))


@pytest.mark.parametrize("how", PACKINGS)
def test_logs_that_came_and_were_rotated_and_compressed_while_down_are_read(
    log: Path, tmp_path: Path, how: str
) -> None:
    positions = read_and_ended(log, tmp_path)
    for number in range(1, 4):
        log.rename(log.with_name(f"dns.log.{number}"))
        compress(log.with_name(f"dns.log.{number}"), how=how)
        append(log, header(number) + rows(range(20 * number, 20 * number + 20)))
    with following(log.parent, positions) as again:
        lines = [line for line in read_on(again).splitlines(keepends=True) if not line.startswith(b"#")]
        assert sorted(lines) == sorted(rows(range(20, 80)).splitlines(keepends=True))
        assert read_on(again) == b""


def test_a_log_renamed_to_what_is_not_followed_is_read_on(log: Path, tmp_path: Path) -> None:
    positions = read_and_ended(log, tmp_path)
    append(log, row(20))
    log.rename(log.with_name("dns.log-20260101"))
    append(log, header(1) + row(21))
    with following(log.parent, positions) as again:
        assert sorted(read_on(again).splitlines()) == sorted((row(20) + header(1) + row(21)).splitlines())


def test_on_a_first_run_what_was_rotated_before_is_an_archive(log: Path, tmp_path: Path) -> None:
    append(log, header() + rows(range(5)))
    os.utime(log, (1_700_000_000, 1_700_000_000))
    compress(log)
    append(log.with_name("dns.log.1"), header(1) + rows(range(5)))
    os.utime(log.with_name("dns.log.1"), (1_700_000_000, 1_700_000_000))
    with following(log.parent) as follow:
        assert read_on(follow) == b""
        positions = ended(follow, tmp_path)
    with following(log.parent, positions) as again:
        assert read_on(again) == b""


def test_rotated_logs_are_left_alone_when_the_settings_say_so(log: Path, tmp_path: Path) -> None:
    positions = read_and_ended(log, tmp_path)
    append(log, row(20))
    compress(log)
    append(log, header(1) + row(30))
    log.rename(log.with_name("dns.log.1"))
    with following(log.parent, positions, compressed=False) as again:
        assert read_on(again) == b""


def test_a_half_written_compressed_log_is_read_on_when_it_is_whole(log: Path, tmp_path: Path) -> None:
    positions = read_and_ended(log, tmp_path, 3000)
    append(log, rows(range(3000, 6000)))
    content = gzip.compress(log.read_bytes())
    log.unlink()
    packed = log.with_name("dns.log.gz")
    packed.write_bytes(content[:2000])
    with following(log.parent, positions) as again:
        assert read_on(again) == b""
        assert "ends too early" in next(iter(again.refused)).reason
        append(packed, content[2000:])
        assert read_on(again) == rows(range(3000, 6000))
        assert not again.refused


def test_a_damaged_compressed_log_is_told_of_and_read_when_it_is_written_anew(log: Path, tmp_path: Path) -> None:
    positions = read_and_ended(log, tmp_path)
    append(log, rows(range(20, 9000)))
    content = log.read_bytes()
    damaged = bytearray(gzip.compress(content))
    damaged[-2000] ^= 0xFF
    log.unlink()
    packed = log.with_name("dns.log.gz")
    packed.write_bytes(damaged)
    with following(log.parent, positions) as again:
        again.discover()
        ((key, followed),) = again.open.items()
        with pytest.raises(SourceError, match="the log is damaged") as refused:
            take(followed.tail)
        again.fail(key, str(refused.value))
        before = followed.tail.position.offset
        assert read_on(again) == b""
        assert "damaged" in next(iter(again.refused)).reason
        packed.write_bytes(gzip.compress(content))
        os.utime(packed, (time.time() + 1, time.time() + 1))
        again._refused.clear()
        assert read_on(again) == content[before:]


def test_what_is_written_is_told_from_a_rewriting_with_the_same_beginning(log: Path, tmp_path: Path) -> None:
    first = header() + rows(range(100))
    append(log, first)
    with following(log.parent) as follow:
        assert read_on(follow) == first
        rewritten = first[:1024] + b"\n" + rows(range(500, 700))
        log.write_bytes(rewritten)
        assert read_on(follow) == rewritten
        positions = ended(follow, tmp_path)
    again_rewritten = first[:1024] + b"\n" + rows(range(700, 1000))
    log.write_bytes(again_rewritten)
    with following(log.parent, positions) as again:
        assert read_on(again) == again_rewritten


@pytest.mark.parametrize("down", [True, False])
def test_copytruncate_reads_the_rest_from_the_copy_and_nothing_twice(
    log: Path, tmp_path: Path, no_grace: None, *, down: bool
) -> None:
    append(log, header() + rows(range(20)))
    with following(log.parent) as follow:
        read_on(follow)
        positions = ended(follow, tmp_path)
        append(log, rows(range(20, 30)))
        shutil.copy(log, log.with_name("dns.log.1"))
        if not down:
            follow.discover()
        os.truncate(log, 0)
        append(log, header(1) + row(30))
        if not down:
            assert sorted(read_on(follow).splitlines()) == sorted(
                (rows(range(20, 30)) + header(1) + row(30)).split(b"\n")[:-1]
            )
            assert follow.losses() == []
    if down:
        with following(log.parent, positions) as again:
            read = read_on(again)
            assert sorted(read.splitlines()) == sorted((rows(range(20, 30)) + header(1) + row(30)).splitlines())
            assert again.losses() == []


def test_what_was_cut_off_is_saved_before_the_next_look_so_that_its_copy_is_not_read_anew(
    log: Path, tmp_path: Path
) -> None:
    append(log, header() + rows(range(20)))
    with following(log.parent) as follow:
        assert read_on(follow) == header() + rows(range(20))
        shutil.copy(log, log.with_name("dns.log.1"))
        os.truncate(log, 0)
        append(log, header(1) + row(20))
        # Reading finds out that it was cut; positions are saved, and before the folder is looked through it is killed.
        (followed,) = follow.open.values()
        read = text(take(followed.tail)) + text(take(followed.tail))
        saved = ended(follow, tmp_path)
    with following(log.parent, saved) as follow:
        assert read + read_on(follow) == header(1) + row(20)


def test_a_copy_into_a_name_that_is_followed_is_not_read_again(log: Path) -> None:
    append(log, header() + rows(range(20)))
    with following(log.parent) as follow:
        read_on(follow)
        append(log, row(20))
        shutil.copy(log, log.with_name("dns.copy.log"))
        assert read_on(follow) == row(20)
        os.truncate(log, 0)
        append(log, header(1) + row(21))
        assert read_on(follow) == header(1) + row(21)
        append(log.with_name("dns.copy.log"), row(22))
        assert read_on(follow) == row(22)


def test_two_logs_with_the_same_header_are_both_read(folder: Path) -> None:
    wide = header() + b"#comment\t" + b"x" * 2000 + b"\n"
    for name in ("a", "b"):
        (folder / name).mkdir()
        append(folder / name / "dns.log", wide)
    with following(folder) as follow:
        read_on(follow)
        append(folder / "a" / "dns.log", rows(range(50)))
        assert read_on(follow) == rows(range(50))
        append(folder / "b" / "dns.log", rows(range(50, 53)))
        assert read_on(follow) == rows(range(50, 53))
        (folder / "c").mkdir()
        append(folder / "c" / "dns.log", wide + rows(range(60, 62)))
        assert read_on(follow).endswith(rows(range(60, 62)))


def test_a_current_link_that_is_switched_is_followed_and_the_old_log_read_to_its_end(folder: Path) -> None:
    for day in (1, 2):
        (folder / f"2026-01-{day:02d}").mkdir()
    current = folder / "current"
    current.symlink_to("2026-01-01")
    append(current / "dns.log", header() + row(0))
    with following(folder) as follow:
        assert read_on(follow) == header() + row(0)
        append(folder / "2026-01-01" / "dns.log", row(1))
        current.unlink()
        current.symlink_to("2026-01-02")
        append(current / "dns.log", header(1) + row(2))
        assert sorted(read_on(follow).splitlines()) == sorted((row(1) + header(1) + row(2)).splitlines())


def test_old_archives_are_not_remembered_for_ever(log: Path, tmp_path: Path) -> None:
    positions = read_and_ended(log, tmp_path)
    compress(log)
    packed = log.with_name("dns.log.gz")
    with following(log.parent, positions) as again:
        read_on(again)
        old = time.time() - remembered.FORGET - 10
        os.utime(packed, (old, old))
        for position in again.positions():
            position.modified = packed.stat().st_mtime_ns
        read_on(again)
        assert list(again.positions()) == []
        assert read_on(again) == b""


def test_what_could_not_be_read_at_the_last_look_is_read_when_it_can_be(log: Path, tmp_path: Path) -> None:
    positions = read_and_ended(log, tmp_path)
    append(log.with_name("new.log"), header(1) + row(30))
    content = compress(log.with_name("new.log")).read_bytes()
    packed = log.with_name("new.log.gz")
    before = time.time() - 10
    positions.looked = before - 10
    packed.write_bytes(b"\x1f\x8b" + b"\xff" * 50)  # What it was, nobody can tell.
    with following(log.parent, positions) as again:
        assert read_on(again) == b""
        assert again.looked == positions.looked
        positions = ended(again, tmp_path)
    packed.write_bytes(content)
    os.utime(packed, (before, before))
    with following(log.parent, positions) as later:
        assert read_on(later) == header(1) + row(30)
        assert later.looked > before
