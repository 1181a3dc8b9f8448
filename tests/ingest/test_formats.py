"""Formats are told by content, and compressed files are read to their end."""

import gzip
import io
from pathlib import Path

import pytest

from ingest.formats import ARRAY, array_lines, detect, open_log, whole_lines
from tests.ingest.reading import TRAPS
from trailhound.errors import SourceError


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", None),
        (b"\n\n", None),
        (b"plain text\nof no kind\n", None),
        (b"\x00\xff\xfe", None),
        (b"#separator \\x09\n", "zeek-tsv"),
        (b"#fields\tts\n", "zeek-tsv"),
        (b"# a comment\n#fields\tts\n", "zeek-tsv"),
        (b"# nothing but\n# comments\n", None),
        (b'{"ts":1.0,"uid":"C"}\n', "zeek-json"),
        (b'{"_path":"conn"}\n', "zeek-json"),
        (b'{"timestamp":"x","event_type":"dns"}\n', "eve"),
        (b"\xef\xbb\xbf" + b'{"timestamp":"x","event_type":"dns"}\n', "eve"),
        (b'{"half\n{"timestamp":"x","event_type":"dns"}\n', "eve"),
        (b'[\n{"timestamp":"x","event_type":"dns"}]', ARRAY),
        (b"[1, 2]", None),
        (b'{"a":1}\n', None),
        (b'{"timestamp":"x","event_type":"dns"', None),
        (b"{" * 5000, None),
    ],
)
def test_the_head_of_a_file_tells_its_format(head: bytes, expected: str | None) -> None:
    assert detect(head) == expected


@pytest.mark.parametrize("name", ["eve-plain.json.gz", "eve-plain-two-members.json.gz", "eve-plain.json.zst"])
def test_a_compressed_file_reads_as_the_plain_one(name: str) -> None:
    with open_log(TRAPS / name) as stream:
        assert stream.read() == (TRAPS / "eve-plain.json").read_bytes()


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SourceError, match=r"^/nowhere/conn\.log: the log cannot be read: No such file"):
        open_log(Path("/nowhere/conn.log"))


def test_lines_before_damage_are_handed_on(tmp_path: Path) -> None:
    path = tmp_path / "conn.log.gz"
    path.write_bytes(gzip.compress(b"one\ntwo\n" * 100_000)[:-100])
    read: list[bytes] = []
    with open_log(path) as stream, pytest.raises(SourceError, match=r"conn\.log\.gz: the log is damaged"):
        read.extend(whole_lines(stream, path, 4096))
    assert all(chunk.endswith(b"\n") for chunk in read)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_damage_in_the_middle_is_told_as_damage(tmp_path: Path, place: float) -> None:
    path = tmp_path / "conn.log.gz"
    whole = bytearray(gzip.compress(b"".join(b"%d\n" % (number * number) for number in range(50_000))))
    at = int(len(whole) * place)
    whole[at : at + 64] = bytes(range(255, 191, -1))
    path.write_bytes(whole)
    with open_log(path) as stream, pytest.raises(SourceError, match=r"conn\.log\.gz: the log is damaged"):
        list(whole_lines(stream, path, 4096))


@pytest.mark.parametrize("content", [b"", b"a", b"a\n", b"a\nb", b"\n\n", b"a\n\nb\n"])
def test_what_is_read_in_lines_is_the_whole_file(content: bytes) -> None:
    assert b"".join(whole_lines(io.BytesIO(content), Path("x"), 4096)) == content


def test_a_line_that_is_far_too_long_is_one_line_and_the_next_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.formats.CHUNK", 16)
    content = b"first\n" + b"x" * 1000 + b"\nlast\n"
    lines = b"".join(whole_lines(io.BytesIO(content), Path("x"), 64)).split(b"\n")
    assert len(lines) == 4
    assert (lines[0], lines[2]) == (b"first", b"last")
    assert 64 < len(lines[1]) < 200


def test_an_array_that_is_none_is_refused() -> None:
    with pytest.raises(SourceError, match=r"eve\.json: this is no JSON array"):
        list(array_lines(io.BytesIO(b'[{"event_type":'), Path("eve.json")))
