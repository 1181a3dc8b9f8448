"""Made-up trails are as many as was asked for, in Maltrail's proportions, and the same every time."""

from collections import Counter
from pathlib import Path

from bench.trails import compile_set, entries, made_up
from feeds.entry import Refused
from trailhound.trail import Trail, TrailKind


def test_made_up_trails_keep_their_proportions() -> None:
    kinds = Counter(trail.kind for trail in made_up(10_000))
    assert abs(kinds.total() - 10_000) < 10
    assert kinds[TrailKind.DOMAIN] > kinds[TrailKind.IP_PORT] > kinds[TrailKind.PATH] > kinds[TrailKind.CIDR] > 0


def test_the_same_trails_are_made_up_every_time() -> None:
    assert list(made_up(100)) == list(made_up(100))
    assert list(made_up(100)) != list(made_up(100, seed=2))


def test_a_number_is_made_up_and_a_path_is_read(tmp_path: Path) -> None:
    path = tmp_path / "trails.csv"
    path.write_text("evil.example,threat,test\n")
    (read,) = entries(str(path))
    assert not isinstance(read, Refused)
    assert read.value == "evil.example"
    assert all(isinstance(trail, Trail) for trail in entries("50"))


def test_a_compiled_set_comes_with_a_sample_to_plant(tmp_path: Path) -> None:
    cost = compile_set(tmp_path / "trails.set", made_up(5_000))
    assert cost.trails > 4_900
    assert cost.bytes == (tmp_path / "trails.set").stat().st_size
    assert cost.planted.names
    assert cost.planted.endpoints
