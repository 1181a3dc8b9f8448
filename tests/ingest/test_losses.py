"""What is gone unread: counted once, with its extent, and only when it is gone."""

from pathlib import Path

import pytest

from ingest import follow as follow_module
from ingest import remembered
from ingest.remembered import Loss
from tests.ingest.living import append, header, row, rows
from tests.ingest.rotating import ended, following, read_and_ended, read_on


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "logs"
    path.mkdir()
    return path


@pytest.fixture
def log(folder: Path) -> Path:
    return folder / "dns.log"


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "GRACE", -1.0)


def test_a_log_that_goes_unread_is_lost_with_its_extent_once(log: Path, tmp_path: Path, no_grace: None) -> None:
    append(log, header() + rows(range(5)))
    with following(log.parent) as follow:
        read_on(follow)
        append(log, rows(range(5, 9)))
        follow.discover()
        for followed in follow.open.values():
            followed.tail.read()
        positions = ended(follow, tmp_path)
    size = log.stat().st_size
    log.unlink()
    with following(log.parent, positions) as again:
        read_on(again)
        start = size - len(rows(range(5, 9)))
        assert again.losses() == [Loss("s", log.parent, log, start, size)]
        assert again.losses() == []
        positions = ended(again, tmp_path)
    with following(log.parent, positions) as later:
        read_on(later)
        assert later.losses() == []


def test_the_grace_time_is_waited_for_before_anything_counts_as_lost(log: Path, tmp_path: Path) -> None:
    positions = read_and_ended(log, tmp_path)
    positions[0].known += 100
    log.unlink()
    with following(log.parent, positions) as again:
        read_on(again)
        assert again.losses() == []


def test_nothing_is_lost_while_a_share_is_away_or_a_folder_is_no_longer_followed(
    log: Path, tmp_path: Path, no_grace: None
) -> None:
    positions = read_and_ended(log, tmp_path)
    positions[0].known += 100
    away = positions[0].device
    positions[0].device += 1
    with following(log.parent, positions) as again:
        log.unlink()
        read_on(again)
        assert again.losses() == []
    positions[0].device = away
    positions[0].path = str(tmp_path / "elsewhere" / "dns.log")
    with following(log.parent, positions) as again:
        read_on(again)
        assert again.losses() == []


def test_of_what_is_no_log_nothing_is_lost(log: Path, no_grace: None) -> None:
    append(log, b"just words\n" * 10)
    with following(log.parent) as follow:
        read_on(follow)
        log.unlink()
        for key in list(follow.open):
            follow._let_go(key)
        read_on(follow)
        assert follow.losses() == []


def test_half_a_line_of_a_deleted_log_is_lost(log: Path, monkeypatch: pytest.MonkeyPatch, no_grace: None) -> None:
    monkeypatch.setattr(follow_module, "IDLE", -1.0)
    append(log, header() + row(0) + b"half")
    with following(log.parent) as follow:
        read_on(follow)
        log.unlink()
        follow.rest()
        read_on(follow)
        assert [loss.bytes for loss in follow.losses()] == [4]
