"""What a trail set takes of disk and memory."""

from pathlib import Path

import pytest

from matchers import footprint
from matchers.compile import Compiler
from matchers.trailset import TrailSet
from tests.matchers.build import trail
from trailhound.trail import TrailKind


@pytest.fixture
def path(tmp_path: Path) -> Path:
    compiler = Compiler()
    compiler.add_all(trail(TrailKind.DOMAIN, f"host{n}.zone{n % 97}.example") for n in range(50_000))
    compiler.write(tmp_path / "trails.set")
    return tmp_path / "trails.set"


def test_sections_make_up_the_file(path: Path) -> None:
    size = footprint.measure(TrailSet.open(path))
    assert size.file == path.stat().st_size
    assert set(size.sections) == {"keys", "facts", "rows", "offsets", "texts", "blocks", "hosts", "paths"}
    assert 0 <= size.file - sum(size.sections.values()) < 1024
    assert size.a_trail == pytest.approx(size.file / 50_000)


def test_what_was_read_is_in_memory_and_nothing_of_it_is_a_copy(path: Path) -> None:
    size = footprint.measure(TrailSet.open(path))
    assert size.resident is not None
    assert size.file <= size.resident < 2 * size.file
    assert size.own == 0


def test_a_system_that_does_not_tell_is_no_trouble(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footprint, "_MAPPINGS", path.with_name("nothing"))
    size = footprint.measure(TrailSet.open(path))
    assert (size.resident, size.own) == (None, None)
    assert size.file > 0
