"""What a file is known by."""

import gzip
import os
from pathlib import Path

import pytest
import zstandard

from ingest.identity import BEFORE, PREFIX, check_of, fingerprint, head_of, kind_of
from trailhound.errors import SourceError

CONTENT = b"".join(b"line %d\n" % number for number in range(1000))


def test_the_fingerprint_says_how_much_it_covers() -> None:
    assert fingerprint(CONTENT[:100])[0] == 100
    assert fingerprint(CONTENT) == fingerprint(CONTENT[:PREFIX])
    assert fingerprint(CONTENT[:100])[1] != fingerprint(CONTENT[:101])[1]


def test_only_the_last_bytes_before_an_offset_count() -> None:
    assert check_of(CONTENT) == check_of(CONTENT[-BEFORE:])
    assert check_of(CONTENT) != check_of(CONTENT[:-1])
    assert check_of(b"") == ""


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("", CONTENT),
        ("gzip", gzip.compress(CONTENT)),
        ("gzip", gzip.compress(CONTENT[:10]) + gzip.compress(CONTENT[10:])),
        ("zstd", zstandard.compress(CONTENT)),
    ],
)
def test_a_compressed_file_has_the_head_of_what_was_compressed(tmp_path: Path, kind: str, content: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(content)
    assert head_of(path) == CONTENT[:PREFIX]
    assert kind_of(path) == kind


def test_of_a_compressed_file_that_is_not_whole_there_is_as_much_as_there_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(gzip.compress(CONTENT)[:300])
    assert CONTENT.startswith(head_of(path))
    assert head_of(path)
    path.write_bytes(gzip.compress(CONTENT)[:5])
    assert head_of(path) == b""


def test_what_is_no_plain_file_has_no_head_and_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    assert head_of(tmp_path / "log") == b""
    assert kind_of(tmp_path / "log") == ""


@pytest.mark.parametrize("ask", [head_of, kind_of])
def test_a_file_that_is_not_there_is_a_clear_error(tmp_path: Path, ask: object) -> None:
    with pytest.raises(SourceError, match="log: the log cannot be read: No such file"):
        ask(tmp_path / "log")  # type: ignore[operator]


def test_a_damaged_beginning_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\x1f\x8b" + b"\xff" * 100)
    with pytest.raises(SourceError, match="log: the log cannot be read"):
        head_of(tmp_path / "log")
