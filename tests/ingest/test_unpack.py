"""Compressed logs, opened bit by bit."""

import gzip
import os
import random
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ingest.unpack import DAMAGE, Packed, content_size

CONTENT = b"".join(b"%d\n" % random.Random(number).getrandbits(64) for number in range(20_000))
COMPRESS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstandard.compress}


@contextmanager
def packed(path: Path, kind: str) -> Iterator[Packed]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield Packed(descriptor, kind)
    finally:
        os.close(descriptor)


@pytest.fixture(scope="module", params=sorted(COMPRESS))
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("packed") / "log"
    half = len(CONTENT) // 2
    compress = COMPRESS[request.param]
    path.write_bytes(compress(CONTENT[:half]) + compress(CONTENT[half:]) + b"\0" * (512 * (request.param == "gzip")))
    return path, request.param


@given(places=st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, len(CONTENT) + 10)), max_size=8))
def test_any_part_can_be_read_in_any_order(file: tuple[Path, str], places: list[tuple[int, int]]) -> None:
    with packed(*file) as stream:
        for length, offset in places:
            assert stream.read(length, offset) == CONTENT[offset : offset + length]


def test_it_ends_when_all_was_read(file: tuple[Path, str]) -> None:
    with packed(*file) as stream:
        stream.read(1000, 0)
        assert stream.waiting
        stream.read(1000, len(CONTENT))
        assert stream.ended
        assert stream.reached == len(CONTENT)


@pytest.mark.parametrize("kind", sorted(COMPRESS))
def test_a_file_that_is_still_being_written_gives_what_there_is_and_then_the_rest(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log"
    content = COMPRESS[kind](CONTENT)
    path.write_bytes(content[: len(content) // 2])
    with packed(path, kind) as stream:
        first = stream.read(len(CONTENT), 0)
        assert len(first) < len(CONTENT)
        with path.open("ab") as file:
            file.write(content[len(content) // 2 :])
        assert first + stream.read(len(CONTENT), len(first)) == CONTENT
        assert stream.ended


@pytest.mark.parametrize("kind", sorted(COMPRESS))
def test_damage_is_raised(tmp_path: Path, kind: str) -> None:
    content = bytearray(COMPRESS[kind](CONTENT))
    content[len(content) // 2 : len(content) // 2 + 50] = b"\xff" * 50
    (tmp_path / "log").write_bytes(content)
    with packed(tmp_path / "log", kind) as stream, pytest.raises(DAMAGE):
        stream.read(len(CONTENT) * 2, 0)


@pytest.mark.parametrize("kind", sorted(COMPRESS))
def test_however_much_a_file_holds_little_of_it_is_in_memory(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(COMPRESS[kind](b"a\n" * 100_000_000))
    with packed(path, kind) as stream:
        tracemalloc.start()
        assert stream.read(10, 150_000_000) == b"a\na\na\na\na\n"
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 64_000_000


@pytest.mark.parametrize("kind", sorted(COMPRESS))
def test_a_compressed_file_says_how_much_it_holds(tmp_path: Path, kind: str) -> None:
    (tmp_path / "log").write_bytes(COMPRESS[kind](CONTENT))
    (tmp_path / "short").write_bytes(b"x")
    with (tmp_path / "log").open("rb") as file, (tmp_path / "short").open("rb") as short:
        assert content_size(file.fileno(), kind) == len(CONTENT)
        assert content_size(short.fileno(), kind) is None
