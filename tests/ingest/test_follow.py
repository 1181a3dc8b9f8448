"""All files that are followed."""

import errno
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ingest import follow as module
from ingest import remembered
from ingest.follow import MOST_OPEN, Follow
from ingest.positions import Position, load, save
from ingest.watch import Watch
from tests.ingest.living import WANTED, append, header, row, rows, take, text
from trailhound.errors import SourceError
from trailhound.watching import Folder


@contextmanager
def following(
    folder: Path, positions: Iterable[Position] = (), *, from_end: bool = False, most_open: int = MOST_OPEN
) -> Iterator[Follow]:
    with closing(Watch([Folder(path=folder, sensor="s")], polling=True)) as watch:
        follow = Follow(watch, WANTED, positions, from_end=from_end, most_open=most_open)
        with closing(follow):
            yield follow


def read_on(follow: Follow) -> bytes:
    """Look for files and read what there is of all."""
    follow.discover()
    return b"".join(text(take(followed.tail)) for followed in follow.open.values())


def open_names(follow: Follow) -> list[str]:
    return sorted(followed.tail.path.name for followed in follow.open.values())


def saved(follow: Follow, folder: Path) -> Sequence[Position]:
    save(folder / "positions.json", follow.positions())
    return load(folder / "positions.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "logs"
    path.mkdir()
    return path


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE", -1.0)


def test_files_that_appear_late_are_followed(folder: Path) -> None:
    with following(folder) as follow:
        assert not follow.discover()
        append(folder / "dns.log", header() + row(0))
        assert follow.discover()
        assert read_on(follow) == header() + row(0)
        assert not follow.discover()


def test_rotation_into_a_name_that_is_followed_reads_nothing_twice(folder: Path) -> None:
    log = folder / "dns.log"
    append(log, header() + row(0))
    with following(folder) as follow:
        read_on(follow)
        append(log, row(1))
        log.rename(folder / "dns.1.log")
        append(log, header(1) + row(2))
        assert read_on(follow) == row(1) + header(1) + row(2)
        assert open_names(follow) == ["dns.1.log", "dns.log"]
        append(folder / "dns.1.log", row(3))
        assert read_on(follow) == row(3)


def test_a_rotation_while_nobody_looked_reads_nothing_twice(folder: Path, tmp_path: Path) -> None:
    log = folder / "dns.log"
    append(log, header() + row(0))
    with following(folder) as follow:
        read_on(follow)
        positions = saved(follow, tmp_path)
    append(log, row(1))
    log.rename(folder / "dns.1.log")
    append(log, header(1) + row(2))
    with following(folder, positions) as again:
        assert read_on(again) == row(1) + header(1) + row(2)


def test_a_file_that_rests_is_closed_and_read_on_when_it_grows(folder: Path, restless: None) -> None:
    log = folder / "dns.log"
    append(log, header() + row(0))
    with following(folder) as follow:
        read_on(follow)
        follow.rest()
        assert not follow.open
        assert read_on(follow) == b""
        assert not follow.open
        append(log, row(1))
        assert read_on(follow) == row(1)


def test_a_file_that_rests_is_known_after_a_restart(folder: Path, tmp_path: Path, restless: None) -> None:
    append(folder / "dns.log", header() + row(0))
    with following(folder) as follow:
        read_on(follow)
        follow.rest()
        positions = saved(follow, tmp_path)
    with following(folder, positions) as again:
        assert read_on(again) == b""
        assert not again.open
        append(folder / "dns.log", row(1))
        assert read_on(again) == row(1)


def test_a_resting_file_that_is_written_anew_at_the_same_size_is_read(folder: Path, restless: None) -> None:
    log = folder / "dns.log"
    append(log, header(0) + row(0))
    with following(folder) as follow:
        read_on(follow)
        follow.rest()
        log.write_bytes(header(1) + row(1))
        os.utime(log, (1, 1))  # Long ago, as a copy that keeps its times.
        assert read_on(follow) == header(1) + row(1)


def test_what_was_not_read_yet_does_not_rest(folder: Path, restless: None) -> None:
    append(folder / "dns.log", header() + row(0))
    with following(folder) as follow:
        follow.discover()
        follow.rest()
        assert open_names(follow) == ["dns.log"]
        read_on(follow)
        append(folder / "dns.log", row(1))
        follow.rest()
        assert read_on(follow) == row(1)


def test_a_deleted_file_gives_its_space_back_even_with_half_a_line(folder: Path, restless: None) -> None:
    log = folder / "dns.log"
    append(log, header() + b"half")
    with following(folder) as follow:
        read_on(follow)
        follow.rest()
        assert open_names(follow) == ["dns.log"]
        log.unlink()
        follow.rest()
        assert not follow.open


def test_an_unreadable_file_is_told_of_and_read_when_it_becomes_readable(folder: Path) -> None:
    log = folder / "dns.log"
    log.symlink_to(log)  # Even root cannot open that.
    other = folder / "conn.log"
    append(other, header() + row(0))
    with following(folder) as follow:
        follow.discover()
        log.unlink()
        append(log, header(1) + row(1))
        assert sorted(read_on(follow).splitlines()) == sorted((header() + row(0) + header(1) + row(1)).splitlines())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_the_right_to_read_is_told_of_and_read_when_it_has_it(folder: Path) -> None:
    log = folder / "dns.log"
    append(log, header() + row(0))
    log.chmod(0)
    with following(folder) as follow:
        assert read_on(follow) == b""
        assert [refusal.path for refusal in follow.refused] == [log]
        log.chmod(0o600)
        assert read_on(follow) == header() + row(0)
        assert not follow.refused


def test_a_file_that_fails_is_let_go_told_of_and_tried_again_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = folder / "dns.log"
    append(log, header() + row(0))
    with following(folder) as follow:
        read_on(follow)
        append(log, row(1))
        follow.fail(next(iter(follow.open)), "the disk does not answer")
        assert read_on(follow) == b""
        assert [refusal.reason for refusal in follow.refused] == ["the disk does not answer"]
        later = time.monotonic() + module.RETRY + 1
        monkeypatch.setattr(time, "monotonic", lambda: later)
        assert read_on(follow) == row(1)
        assert not follow.refused


def test_a_folder_that_is_away_is_told_of(folder: Path) -> None:
    with following(folder) as follow:
        folder.rmdir()
        follow.discover()
        assert [refusal.path for refusal in follow.refused] == [folder]
        folder.mkdir()
        append(folder / "dns.log", header() + row(0))
        assert read_on(follow) == header() + row(0)
        assert not follow.refused


def test_what_is_no_plain_file_is_left_alone(folder: Path) -> None:
    os.mkfifo(folder / "dns.log")
    with following(folder) as follow:
        assert not follow.discover()


def test_a_file_with_two_names_is_read_once(folder: Path) -> None:
    append(folder / "dns.log", header() + row(0))
    (folder / "current.log").hardlink_to(folder / "dns.log")
    (folder / "latest.log").symlink_to(folder / "dns.log")
    with following(folder) as follow:
        assert read_on(follow) == header() + row(0)
        assert read_on(follow) == b""


def test_from_the_end_only_the_first_look_counts_as_old(folder: Path, tmp_path: Path) -> None:
    append(folder / "dns.log", header() + row(0))
    with following(folder, from_end=True) as follow:
        assert read_on(follow) == b""
        append(folder / "dns.log", row(1))
        append(folder / "http.log", header(1) + row(2))
        assert read_on(follow) == row(1) + header(1) + row(2)


def test_from_the_end_of_more_files_than_may_be_open_all_are_old(folder: Path) -> None:
    for number in range(20):
        append(folder / f"dns.{number}.log", header(number) + row(number))
    with following(folder, from_end=True, most_open=3) as follow:
        assert read_on(follow) == b""
        for number in range(20):
            append(folder / f"dns.{number}.log", row(100 + number))
        read = b"".join(read_on(follow) for _ in range(20))
        assert sorted(read.splitlines()) == sorted(rows(range(100, 120)).splitlines())


def test_more_files_than_may_be_open_are_all_read_once(folder: Path) -> None:
    numbers = range(100)
    for number in numbers:
        append(folder / f"dns.{number}.log", header(number) + row(number))
    with following(folder, most_open=7) as follow:
        read = b""
        for _ in range(100):
            read += read_on(follow)
            assert len(follow.open) <= 7
        assert sorted(line for line in read.splitlines() if not line.startswith(b"#")) == sorted(
            rows(numbers).splitlines()
        )


def test_files_that_are_stuck_do_not_keep_others_from_being_opened(folder: Path) -> None:
    for number in range(10):
        append(folder / f"a{number}.log", b"no log at all\n")
        append(folder / f"b{number}.log", header(number) + b"half a line")
    append(folder / "dns.log", header() + row(0))
    with following(folder, most_open=4) as follow:
        read = b"".join(read_on(follow) for _ in range(30))
        assert row(0) in read


def test_positions_of_files_that_are_gone_are_forgotten_after_a_while(folder: Path, tmp_path: Path) -> None:
    log = folder / "dns.log"
    append(log, header() + row(0))
    with following(folder) as follow:
        read_on(follow)
        positions = saved(follow, tmp_path)
    log.unlink()
    with following(folder, positions) as again:
        again.discover()
        again.rest()
        assert len(list(again.positions())) == 1
    positions[0].seen -= remembered.FORGET + 1
    with following(folder, positions) as again:
        again.discover()
        again.rest()
        assert not list(again.positions())


def test_a_stale_handle_of_a_share_heals(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = folder / "dns.log"
    append(log, header() + row(0))
    with following(folder) as follow:
        read_on(follow)
        append(log, row(1))
        ((key, followed),) = follow.open.items()
        with monkeypatch.context() as share:
            share.setattr(os, "fstat", _stale)
            with pytest.raises(SourceError, match=r"dns\.log: the log cannot be read: Stale file handle") as refused:
                followed.tail.read()
            follow.fail(key, str(refused.value))
        with monkeypatch.context() as share:
            share.setattr(Path, "stat", _stale)
            follow.discover()
        monkeypatch.setattr(module, "RETRY", -1.0)
        later = time.monotonic() + 11
        monkeypatch.setattr(time, "monotonic", lambda: later)
        assert read_on(follow) == row(1)
        assert not follow.refused
        assert not follow.losses()


def _stale(*arguments: object, **options: object) -> os.stat_result:
    raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
