import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from feeds.parts import Part
from feeds.shelf import Facts, Shelf
from tests.feeds.fetching import dying
from tests.feeds.fetching.trying import content
from tests.house.tree import ROOT
from trailhound.errors import FetchError


def put(shelf: Shelf, *documents: bytes, now: int = 1) -> None:
    dying.work(shelf, documents, now)


def kill(folder: Path, change: int) -> bool:
    """Have a process die at a change; false when it got to the end before."""
    command = [sys.executable, "-m", "tests.feeds.fetching.dying", str(folder), str(change)]
    done = subprocess.run(command, cwd=ROOT, check=False, stderr=subprocess.PIPE, text=True)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode != 0


def test_a_kill_at_any_point_leaves_the_old_copy_or_the_new_one(tmp_path: Path) -> None:
    whole = Shelf(tmp_path / "whole")
    put(whole, *dying.OLD)
    seen = []
    for change in range(1, 100):
        shelf = Shelf(tmp_path / f"{change}")
        shutil.copytree(whole.path, shelf.path)
        killed = kill(shelf.path, change)
        found = content(shelf)
        assert found in ([*dying.OLD], [*dying.NEW])
        seen.append(found == [*dying.NEW])
        put(shelf, *dying.NEW, now=3)
        assert content(shelf) == [*dying.NEW], "the next update goes on as if nothing had been"
        kept = sorted(path.name for path in (shelf.path / dying.NAME).iterdir())
        assert len(kept) == 2, "nothing lies about"
        shutil.rmtree(shelf.path)
        if not killed:
            break
    assert len(seen) > 8, "there are that many changes at least"
    assert seen == sorted(seen), "first the old one, then the new one, and never back"
    assert seen[0] is False
    assert seen[-1] is True


def test_without_its_facts_the_newest_whole_copy_is_in_force(shelf: Shelf) -> None:
    put(shelf, b"a.example\n")
    (shelf.path / dying.NAME / "facts.json").write_bytes(b"{")
    assert content(shelf) == [b"a.example\n"]
    assert shelf.facts(dying.NAME) == Facts()


@pytest.mark.parametrize("damage", ["gone", "shorter", "no manifest", "another version", "a path"])
def test_a_copy_that_is_not_whole_is_none(damage: str, shelf: Shelf) -> None:
    put(shelf, b"a.example\n")
    copy = shelf.copy(dying.NAME)
    assert copy is not None
    manifest = copy.folder / "parts.json"
    if damage == "gone":
        copy.paths[0].unlink()
    elif damage == "shorter":
        copy.paths[0].write_bytes(b"a")
    elif damage == "no manifest":
        manifest.unlink()
    elif damage == "another version":
        manifest.write_bytes(manifest.read_bytes().replace(b'"version":1', b'"version":9'))
    else:
        manifest.write_bytes(manifest.read_bytes().replace(b'"00"', b'"../../lock"'))
    assert shelf.copy(dying.NAME) is None


def test_a_rejected_candidate_leaves_the_copy_and_the_reason(shelf: Shelf) -> None:
    put(shelf, b"a.example\n")
    draft = shelf.draft(dying.NAME)
    with draft.writing("00") as stream:
        stream.write(b"com\n")
    draft.add(Part("00", "", 4, "x", fetched=5))
    draft.seal()
    candidate = shelf.candidate(dying.NAME)
    assert candidate is not None
    candidate.reject("it shrank from 1,000 to 1", 5)
    assert content(shelf) == [b"a.example\n"]
    facts = shelf.facts(dying.NAME)
    assert (facts.error, facts.failing, facts.failures, facts.changed) == ("it shrank from 1,000 to 1", 5, 1, 1)
    assert shelf.candidate(dying.NAME) is None


def test_the_same_content_again_is_no_change(shelf: Shelf) -> None:
    put(shelf, b"a.example\n", now=1)
    put(shelf, b"a.example\n", now=7)
    assert content(shelf) == [b"a.example\n"]
    assert (shelf.facts(dying.NAME).changed, shelf.facts(dying.NAME).checked) == (1, 7)


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a" * 65, "lock\n", ".hidden"])
def test_names_of_feeds_are_safe(name: str, shelf: Shelf) -> None:
    with pytest.raises(FetchError, match="is no name of a feed"):
        shelf.draft(name)


@pytest.mark.parametrize("file", ["", "..", "a/b", ".a", "parts.json", "a" * 101, "00"])
def test_names_of_documents_are_safe(file: str, shelf: Shelf) -> None:
    draft = shelf.draft("evil")
    with draft.writing("00"):
        pass
    draft.add(Part("00", "", 0, ""))
    with pytest.raises(FetchError, match="expected another, plain name"), draft.writing(file):
        pass


def test_there_is_an_end_to_the_number_of_documents(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feeds.parts.MAX_PARTS", 2)
    draft = shelf.draft("evil")
    draft.add(Part("a", "", 0, ""))
    draft.add(Part("b", "", 0, ""))
    with pytest.raises(FetchError, match="has more than 2 documents"):
        draft.add(Part("c", "", 0, ""))


def test_a_draft_of_nothing_is_none(shelf: Shelf) -> None:
    with pytest.raises(FetchError, match="there is no document"):
        shelf.draft("evil").seal()
    assert shelf.candidate("evil") is None


def test_nobody_writes_through_a_link_that_was_left(shelf: Shelf, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    draft = shelf.draft("evil")
    (draft.folder / "00").symlink_to(victim)
    with pytest.raises(OSError, match="File exists"), draft.writing("00"):
        pass
    assert victim.read_text() == "precious"


def test_names_are_those_that_something_is_known_of(shelf: Shelf) -> None:
    assert shelf.names() == []
    put(shelf, b"a\n")
    shelf.failed("other", "away", 1)
    assert shelf.names() == [dying.NAME, "other"]
    shelf.forget("other")
    shelf.forget("never-there")
    assert shelf.names() == [dying.NAME]


def test_what_is_kept_is_not_for_everybody_to_read(shelf: Shelf) -> None:
    put(shelf, b"a\n")
    assert [path for path in shelf.path.rglob("*") if path.stat().st_mode & 0o007] == []


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FetchError, match=r"file.*: cannot be written"), Shelf(tmp_path / "file" / "feeds").alone():
        pass
