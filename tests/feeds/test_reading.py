"""Whatever a feed sends: no bad trail comes of it, and what is no list is an error and not an empty one."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from feeds import streams
from feeds.catalogue import load
from feeds.reading import read_feed
from tests.feeds.read import entries, known, of_paths
from tests.feeds.samples import SAMPLES
from trailhound.errors import SourceError
from trailhound.trail import Trail

FEEDS = load()
PAGE = "<!DOCTYPE html>\n<html><head><title>403</title></head><body>evil.example 198.51.100.1</body></html>\n"
POISON = "0.0.0.0/0\n::/0\n0.0.0.0\n127.0.0.1\n10.0.0.1\n192.168.0.1\n255.255.255.255\ncom\nco.uk\nlocalhost\n*\n.\n/\n"


@pytest.mark.parametrize("name", FEEDS)
def test_a_page_instead_of_a_list_is_an_error_for_every_feed(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_text(PAGE)
    with pytest.raises(SourceError):
        list(read_feed(FEEDS[name], [copy]))


@pytest.mark.parametrize("name", FEEDS)
def test_what_would_match_everything_becomes_no_trail_of_any_feed(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_text(POISON)
    try:
        found = list(read_feed(FEEDS[name], [copy]))
    except SourceError:
        return
    assert not [entry for entry in found if isinstance(entry, Trail)]


@pytest.mark.parametrize("name", FEEDS)
def test_bytes_that_are_no_text_raise_nothing_but_an_error_of_ours(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for content in (
        b"\x00\xff\xfe" * 5000,
        b"\xef\xbb\xbf",
        b"{" * 5000,
        b"[" * 100_000,
        b'{"a":' * 2000,
        b"\x1f\x8b\x08junk",
    ):
        copy.write_bytes(content)
        try:
            found = list(read_feed(FEEDS[name], [copy]))
        except SourceError:
            continue
        assert not [entry for entry in found if isinstance(entry, Trail)]


@pytest.mark.parametrize("name", sorted(FEEDS))
def test_a_sample_cut_off_anywhere_raises_nothing_but_an_error_of_ours(name: str, tmp_path: Path) -> None:
    source = next(path for path in SAMPLES.iterdir() if path.stem == name)
    if source.is_dir():
        pytest.skip("an archive, whose damage has a test of its own")
    content = source.read_bytes()
    copy = tmp_path / "copy"
    for cut in range(0, len(content), max(1, len(content) // 40)):
        copy.write_bytes(content[:cut])
        try:
            list(read_feed(FEEDS[name], [copy]))
        except SourceError:
            continue


def test_json_nested_without_end_is_an_error(tmp_path: Path) -> None:
    for format_ in ("stix", "misp", "otx"):
        with pytest.raises(SourceError):
            entries(tmp_path, format_, '{"response":[' * 50_000)


def test_a_list_that_claims_to_be_the_sites_own_or_somebody_elses_is_neither(tmp_path: Path) -> None:
    text = "evil.example,emotet (malware),(custom)\nother.example,emotet (malware),maltrail\n"
    found = entries(tmp_path, "maltrail-csv", text, confidence=50)
    trails = [entry for entry in found if isinstance(entry, Trail)]
    assert [(trail.custom, trail.sources, trail.confidence) for trail in trails] == [(False, ("some-feed",), 40)] * 2
    zeek = "#fields\tindicator\tindicator_type\tmeta.source\nevil.example\tIntel::DOMAIN\tTrailhound\n"
    (trail,) = entries(tmp_path, "zeek-intel", zeek)
    assert isinstance(trail, Trail)
    assert trail.sources == ("some-feed",)


def test_a_list_without_the_word_it_always_has_is_another_list(tmp_path: Path) -> None:
    options = {"must_hold": "ATIF feed"}
    with pytest.raises(SourceError, match="'ATIF feed' is not in it; this is not some-feed"):
        entries(tmp_path, "lines", "evil.example\n", options=options)
    assert known(tmp_path, "lines", "# ATIF feed\nevil.example\n", options=options) == [("domain", "evil.example")]


def test_lists_come_packed_in_any_way(tmp_path: Path) -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("list.txt", "evil.example\n")
        archive.writestr(".hidden", "hidden.example\n")
        archive.writestr("whitelist.txt", "good.example\n")
    for content in (b"evil.example\n", gzip.compress(b"evil.example\n"), zipped.getvalue()):
        assert known(tmp_path, "lines", content) == [("domain", "evil.example")]


def test_only_the_wanted_members_of_an_archive_are_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in ("x/lists/one.txt", "x/lists/two.md", "x/other/three.txt"):
            content = f"{Path(name).stem}.example\n".encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    found = of_paths([tmp_path / "a.tar"], "lines", options={"files": ["*/lists/*.txt"]})
    assert [entry.value for entry in found] == ["one.example"]


@pytest.mark.parametrize("format_", ["lines", "json", "misp", "stix", "csv", "maltrail-csv"])
def test_a_bomb_is_an_error(format_: str, tmp_path: Path) -> None:
    bomb = gzip.compress(b"\n" * 80_000_000 + b"evil.example\n")
    options = {"value": "1"} if format_ in {"csv", "json"} else {}
    with pytest.raises(SourceError):
        entries(tmp_path, format_, bomb, options=options)


def test_a_document_that_has_to_be_read_whole_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_WHOLE", 1000)
    with pytest.raises(SourceError, match="is larger than"):
        entries(tmp_path, "stix", '{"objects": [' + " " * 2000 + "]}")


def test_several_files_are_one_list_and_one_that_is_missing_is_an_error(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a.example\n")
    two.write_text("b.example\n")
    assert [entry.value for entry in of_paths([one, two], "lines")] == ["a.example", "b.example"]
    with pytest.raises(SourceError, match="three: the file cannot be read: No such file"):
        of_paths([one, tmp_path / "three"], "lines")
