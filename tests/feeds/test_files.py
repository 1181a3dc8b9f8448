import gzip
import io
import random
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from feeds.entry import Refused
from feeds.files import STARTER, read_trails, starter_trails
from feeds.formats import lines
from trailhound.errors import SourceError
from trailhound.trail import Trail


def _values(path: Path) -> list[str]:
    return [entry.value for entry in read_trails(path) if isinstance(entry, Trail)]


def _tar_gz(path: Path, **files: bytes) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("__", "/") + ".txt")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nothing\.txt: there is no such"):
        read_trails(tmp_path / "nothing.txt")


def test_a_file_of_no_known_format_is_named_and_the_formats_listed(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("<!DOCTYPE html>\n<html>\n")
    with pytest.raises(SourceError, match=r"page\.txt: no format of trails; known are .*zeek-intel"):
        list(read_trails(tmp_path / "page.txt"))


def test_a_folder_is_read_in_the_order_of_names_and_a_stray_file_does_not_stop_it(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.txt").write_text("two.example\n")
    (tmp_path / "a.txt").write_text("one.example\n")
    (tmp_path / "page.txt").write_text("<!DOCTYPE html>\n")
    (tmp_path / "whitelist.txt").write_text("good.example\n")
    (tmp_path / "README.md").write_text("words.example\n")
    (tmp_path / ".hidden.txt").write_text("hidden.example\n")
    entries = list(read_trails(tmp_path))
    assert _values(tmp_path) == ["one.example", "two.example"]
    assert [(entry.source, entry.line) for entry in entries if isinstance(entry, Refused)] == [
        (str(tmp_path / "page.txt"), 0)
    ]
    assert [entry.sources for entry in entries if isinstance(entry, Trail)] == [("a",), ("two",)]


def test_what_expired_too_long_ago_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    dated = "# trailhound: expires=2026-{}-01\n"
    path.write_text(f"a.example\n{dated.format('01')}\nb.example\n{dated.format('03')}c.example\n")
    march = 1_772_323_200
    assert _values(path) == ["a.example", "b.example", "c.example"]
    entries = list(read_trails(path, oldest=march))
    assert [entry.value for entry in entries if isinstance(entry, Trail)] == ["a.example", "c.example"]
    (refused,) = (entry for entry in entries if isinstance(entry, Refused))
    assert (refused.source, refused.line, refused.value) == (str(path), 4, "b.example")
    assert refused.reason == "expired 2026-01-01, too long ago to be kept"


def test_trails_of_ones_own_are_marked_in_folders_and_archives_too(tmp_path: Path) -> None:
    _tar_gz(tmp_path / "packed.tar.gz", one=b"one.example\n")
    (tmp_path / "two.txt").write_text("two.example\n")
    for custom in (True, False):
        entries = list(read_trails(tmp_path, custom=custom))
        assert [entry.custom for entry in entries if isinstance(entry, Trail)] == [custom, custom]


def test_the_same_list_is_read_plain_and_packed(tmp_path: Path) -> None:
    content = b"one.example\ntwo.example\n"
    (tmp_path / "list.txt").write_bytes(content)
    (tmp_path / "list.txt.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(tmp_path / "list.zip", "w") as archive:
        archive.writestr("inner/list.txt", content)
    _tar_gz(tmp_path / "list.tar.gz", inner__list=content)
    for path in tmp_path.iterdir():
        entries = list(read_trails(path))
        assert _values(path) == ["one.example", "two.example"], path
        assert {entry.sources for entry in entries if isinstance(entry, Trail)} == {("list",)}


def test_the_packed_tree_of_maltrail_has_info_and_class_from_names_and_folders(tmp_path: Path) -> None:
    path = _tar_gz(
        tmp_path / "static.tar.gz",
        trails__static__malware__emotet=b"evil.example\n",
        trails__static__malware__njrat_x=b"rat.example:\n6.6.6.6:1177\n",
        trails__static__suspicious__dynamic_domain=b"dyn.example\n",
        trails__static__mass_scanner=b"# Maltrail developers\n6.6.6.7 # census\n",
    )
    entries = list(read_trails(path))
    trails = [entry for entry in entries if isinstance(entry, Trail)]
    assert [(trail.info, trail.class_.value) for trail in trails] == [
        ("emotet", "malware"),
        ("njrat x", "malware"),
        ("dynamic domain", "policy"),
        ("mass scanner", "scanner"),
    ]
    assert {trail.sources for trail in trails} == {("maltrail",)}
    (refused,) = (entry for entry in entries if isinstance(entry, Refused))
    assert refused.source.endswith("static.tar.gz:trails/static/malware/njrat_x.txt")
    assert (refused.line, refused.value) == (1, "rat.example:")


@pytest.mark.parametrize("name", ["bomb.txt.gz", "bomb.tar.gz", "bomb.zip"])
def test_a_bomb_is_refused(tmp_path: Path, name: str) -> None:
    content = (b"#" * 4095 + b"\n") * 20_000
    path = tmp_path / name
    if name.endswith(".tar.gz"):
        _tar_gz(path, bomb=content)
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bomb.txt", content)
    else:
        path.write_bytes(gzip.compress(content))
    with pytest.raises(SourceError, match=f"{name}: unpacks to far more"):
        Counter(type(entry) for entry in read_trails(path))


def test_a_bomb_in_many_small_parts_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"part{number}.txt", (b"#" * 4095 + b"\n") * 1_000)
    with pytest.raises(SourceError, match=r"bomb\.zip: unpacks to far more"):
        list(read_trails(tmp_path / "bomb.zip"))


@pytest.mark.parametrize("name", ["list.txt.gz", "list.tar.gz", "list.zip"])
def test_a_damaged_archive_is_named(tmp_path: Path, name: str) -> None:
    content = "\n".join(f"host{number}.example" for number in range(20_000)).encode()
    path = tmp_path / name
    if name.endswith(".tar.gz"):
        _tar_gz(path, list=content)
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("list.txt", content)
    else:
        path.write_bytes(gzip.compress(content))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceError, match=f"{name}: this archive is damaged"):
        list(read_trails(path))


def test_bytes_that_are_no_utf8_cost_one_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbfone.example\r\nt\xffwo.example\r\n# caf\xe9\r\nthree.example")
    entries = list(read_trails(path))
    assert _values(path) == ["one.example", "three.example"]
    assert [entry.line for entry in entries if isinstance(entry, Refused)] == [2]


def test_a_line_without_end_costs_one_refusal(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"one.example\n" + b"a" * 5_000_000 + b"\ntwo.example\n" + b"b" * 1_000_000)
    entries = list(read_trails(path))
    assert _values(path) == ["one.example", "two.example"]
    assert [entry.line for entry in entries if isinstance(entry, Refused)] == [2, 4]


def test_whatever_bytes_an_archive_has_the_answer_is_entries_or_a_named_error(tmp_path: Path) -> None:
    content = b"one.example # x\n198.51.100.1\n" * 40
    with zipfile.ZipFile(tmp_path / "seed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("é.txt", content)
    _tar_gz(tmp_path / "seed.tar.gz", inner__é=content)
    seeds = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    seeds.append(gzip.decompress(seeds[0]) if seeds[0][:2] == b"\x1f\x8b" else gzip.decompress(seeds[1]))
    chance = random.Random(20)
    path = tmp_path / "changed.bin"
    outcomes: Counter[str] = Counter()
    for _ in range(1500):
        changed = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 2, 8))):
            changed[chance.randrange(len(changed))] = chance.choice((0, 255, chance.randrange(256)))
        path.write_bytes(changed)
        try:
            outcomes["read"] += len(list(read_trails(path))) > 0
        except SourceError as error:
            outcomes["named"] += "changed.bin" in str(error)
            outcomes["refused"] += 1
    assert outcomes["read"] > 0
    assert outcomes["named"] == outcomes["refused"] > 0


def test_names_in_an_archive_cannot_smuggle_control_characters(tmp_path: Path) -> None:
    path = _tar_gz(tmp_path / "list.tar.gz", **{"ev\x1b[31mil\nname": b"one.example\norted\n"})
    trail, refused = read_trails(path)
    assert isinstance(trail, Trail)
    assert isinstance(refused, Refused)
    assert all(text.isprintable() for text in (trail.info, *trail.sources, refused.source))


def test_an_encrypted_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "list.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("list.txt", "one.example\n")
    content = bytearray(path.read_bytes())
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + flags] |= 1
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"list\.zip: list\.txt is encrypted"):
        list(read_trails(path))


def test_stopping_half_way_leaves_nothing_open(tmp_path: Path) -> None:
    path = _tar_gz(tmp_path / "list.tar.gz", list=b"one.example\ntwo.example\n")
    entries = iter(read_trails(path))
    assert isinstance(next(entries), Trail)
    del entries


def test_every_starter_entry_is_a_trail_with_a_reference_and_stated_facts() -> None:
    files = sorted(STARTER.iterdir())
    assert len(files) >= 8
    for path in files:
        text = path.read_text(encoding="utf-8")
        entries = list(read_trails(path))
        assert text.count("confidence=") >= 1, path
        assert text.count("class=") >= 1, path
        for entry in entries:
            assert isinstance(entry, Trail), entry
            assert entry.reference.startswith(("https://", "http://")), entry


def test_the_starter_trails_have_one_source_and_no_value_twice() -> None:
    trails = [entry for entry in starter_trails() if isinstance(entry, Trail)]
    assert {trail.sources for trail in trails} == {("trailhound starter",)}
    assert [key for key, count in Counter((trail.kind, trail.value) for trail in trails).items() if count > 1] == []


def test_every_starter_file_is_a_plain_list() -> None:
    for path in STARTER.iterdir():
        assert lines.looks_like(path.read_text(encoding="utf-8").splitlines(), path.name)


def test_the_real_tree_of_maltrail_is_read_almost_whole(corpus: Path) -> None:
    path = corpus / "feeds" / "stamparm+maltrail" / "trails-static.tar.gz"
    kinds: Counter[str] = Counter()
    refused = 0
    for entry in read_trails(path):
        if isinstance(entry, Refused):
            refused += 1
        else:
            kinds[entry.kind.value] += 1
    assert kinds.total() + refused == 1_852_460
    assert refused < 100
    assert kinds["ip:port"] > 285_000
    assert kinds["domain"] > 1_371_000
    assert kinds["wildcard"] == 27


def test_the_lists_and_intelligence_files_of_others_are_read(corpus: Path) -> None:
    for folder in ("CriticalPathSecurity+Public-Intelligence-Feeds", "CriticalPathSecurity+Zeek-Intelligence-Feeds"):
        entries = list(read_trails(corpus / "feeds" / folder))
        refused = [entry for entry in entries if isinstance(entry, Refused)]
        assert len(entries) > 200_000
        assert len(refused) < len(entries) / 1000


def test_the_set_of_the_reference_captures_is_read_whole(corpus: Path) -> None:
    entries = list(read_trails(corpus / "maltrail_corpus" / "trails.csv"))
    assert len(entries) == 20
    assert all(isinstance(entry, Trail) for entry in entries)
