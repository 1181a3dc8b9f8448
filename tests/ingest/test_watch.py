"""Folders of logs."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ingest.watch import Watch, is_followed, unrotated
from trailhound.errors import SourceError
from trailhound.watching import Folder

LONG = 20.0  # Seconds; what is waited for comes much earlier, or never.


@contextmanager
def watching(*folders: Path, polling: bool = False) -> Iterator[Watch]:
    with closing(Watch([Folder(path=path) for path in folders], polling=polling)) as watch:
        yield watch


def names(watch: Watch) -> list[str]:
    return [path.name for path, _ in watch.files()]


def settled(watch: Watch) -> None:
    """Let notices pass of what the test itself has done before."""
    while watch.wait(0.2):
        pass


def test_logs_are_found_in_all_folders_below(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("dns.log", "b/conn.log", "b/c/eve.json", "b/notes.txt", "stats.log", "x.log.gz"):
        (tmp_path / name).touch()
    with watching(tmp_path) as watch:
        assert [str(path.relative_to(tmp_path)) for path, _ in watch.files()] == [
            "dns.log",
            "b/conn.log",
            "b/c/eve.json",
        ]


def test_each_file_comes_with_its_folder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dns.log").touch()
    with watching(tmp_path / "one", tmp_path / "two") as watch:
        assert [(path.parent, folder.path) for path, folder in watch.files()] == [
            (tmp_path / "one", tmp_path / "one"),
            (tmp_path / "two", tmp_path / "two"),
        ]


def test_patterns_say_what_is_followed() -> None:
    folder = Folder(path=Path("/x"), include=("*.log",), exclude=("debug*",))
    assert is_followed("dns.log", folder)
    assert not is_followed("debug.log", folder)
    assert not is_followed("eve.json", folder)


def test_a_linked_folder_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "dns.log").touch()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "current").symlink_to(tmp_path / "spool")
    with watching(tmp_path / "logs") as watch:
        assert names(watch) == ["dns.log"]


def test_links_that_lead_back_end_somewhere(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "dns.log").touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "dead.log").symlink_to(tmp_path / "missing.log")
    with watching(tmp_path) as watch:
        assert sorted(names(watch)) == ["dead.log", "dns.log"]


def test_a_folder_that_goes_away_is_missing_and_may_come_back(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    with watching(folder) as watch:
        folder.rmdir()
        assert names(watch) == []
        assert [away.path for away in watch.missing()] == [folder]
        folder.mkdir()
        (folder / "dns.log").touch()
        assert names(watch) == ["dns.log"]
        assert not list(watch.missing())


def test_a_change_ends_the_wait(tmp_path: Path) -> None:
    with watching(tmp_path) as watch:
        settled(watch)
        (tmp_path / "dns.log").touch()
        assert watch.wait(LONG)


def test_a_line_in_a_file_below_ends_the_wait(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    log = tmp_path / "a" / "dns.log"
    log.touch()
    with watching(tmp_path) as watch, log.open("ab", buffering=0) as writer:
        settled(watch)
        writer.write(b"line\n")
        assert watch.wait(LONG)


def test_a_change_in_a_linked_folder_ends_the_wait(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "current").symlink_to(tmp_path / "spool")
    with watching(tmp_path / "logs") as watch:
        assert names(watch) == []
        settled(watch)
        (tmp_path / "spool" / "dns.log").touch()
        assert watch.wait(LONG)


def test_reading_a_log_is_no_change(tmp_path: Path) -> None:
    log = tmp_path / "dns.log"
    log.write_bytes(b"line\n")
    with watching(tmp_path) as watch:
        settled(watch)
        log.read_bytes()
        assert not watch.wait(0.5)


def test_waking_ends_the_wait(tmp_path: Path) -> None:
    with watching(tmp_path, polling=True) as watch:
        watch.wake()
        assert watch.wait(LONG)
        assert not watch.wait(0.01)


def test_without_notices_nothing_but_waking_ends_the_wait(tmp_path: Path) -> None:
    with watching(tmp_path, polling=True) as watch:
        (tmp_path / "dns.log").touch()
        assert not watch.wait(0.3)
        assert names(watch) == ["dns.log"]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"logs: this folder of logs does not exist \(logs\.folders\)"):
        Watch([Folder(path=tmp_path / "logs")], polling=False)


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    with pytest.raises(SourceError, match="is no folder"):
        Watch([Folder(path=tmp_path / "logs")], polling=False)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("eve.json.1", "eve.json"),
        ("eve.json.12.gz", "eve.json"),
        ("eve.json-20260101", "eve.json"),
        ("eve.json-20260101-1700000000.zst", "eve.json"),
        ("eve.json-2026-01-01.gz", "eve.json"),
        ("conn.10:00:00-11:00:00.log.gz", "conn.10:00:00-11:00:00.log"),
        ("dns.2026-01-01-00.log.zst", "dns.2026-01-01-00.log"),
        ("dns.log.old", "dns.log"),
        ("dns.log", "dns.log"),
        (".gz", ".gz"),
    ],
)
def test_a_rotated_name_is_told_from_the_one_it_was(name: str, plain: str) -> None:
    assert unrotated(name) == plain


def test_rotated_logs_are_listed_as_such_unless_they_are_excluded(tmp_path: Path) -> None:
    for name in ("dns.log", "dns.log.1", "conn.log.gz", "stats.log.gz", "notes.txt.gz", "eve.json.2.zst", "eve.1.json"):
        (tmp_path / name).touch()
    folder = Folder(path=tmp_path, exclude=("stats.log", "*.2.zst"))
    with closing(Watch([folder], polling=True)) as watch:
        listed = {path.name: is_rotated for path, _, is_rotated in watch.listing()}
    assert listed == {"dns.log": False, "eve.1.json": False, "dns.log.1": True, "conn.log.gz": True}


def test_a_share_is_looked_through_without_notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.watch.is_remote", lambda folder: folder == tmp_path / "share")
    for name in ("share", "disk"):
        (tmp_path / name).mkdir()
    with watching(tmp_path / "share", tmp_path / "disk") as watch:
        settled(watch)
        (tmp_path / "share" / "dns.log").touch()
        assert not watch.wait(0.3)
        assert names(watch) == ["dns.log"]
        (tmp_path / "disk" / "conn.log").touch()
        assert watch.wait(LONG)
