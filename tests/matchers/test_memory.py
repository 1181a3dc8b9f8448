"""How sightings of one occasion count."""

import pytest

from matchers.memory import Occasions
from matchers.observer import Repeat, Sight, Sighting


def seen(repeat: Repeat, occasion: str = "o") -> Sighting:
    return Sighting(Sight.NAME, "evil.example", "role", repeat, occasion)


@pytest.mark.parametrize(
    ("order", "counted"),
    [
        ([Repeat.ALWAYS, Repeat.ALWAYS], 2),
        ([Repeat.ONCE, Repeat.ONCE], 1),
        ([Repeat.OPENS, Repeat.ONCE, Repeat.OPENS, Repeat.ONCE], 2),
        ([Repeat.ONCE, Repeat.CLOSES], 1),
        ([Repeat.CLOSES, Repeat.CLOSES], 2),
        ([Repeat.CLOSES, Repeat.ONCE], 1),
        ([Repeat.PREVIEW, Repeat.OPENS], 1),
        ([Repeat.PREVIEW, Repeat.PREVIEW, Repeat.OPENS, Repeat.OPENS], 2),
        ([Repeat.OPENS, Repeat.PREVIEW], 1),
    ],
)
def test_so_many_of_these_sightings_count(order: list[Repeat], counted: int) -> None:
    occasions = Occasions()
    assert sum(occasions.counts(seen(repeat), "evil.example") for repeat in order) == counted


def test_occasions_and_trails_are_told_apart() -> None:
    occasions = Occasions()
    assert occasions.counts(seen(Repeat.ONCE, "a"), "x")
    assert occasions.counts(seen(Repeat.ONCE, "b"), "x")
    assert occasions.counts(seen(Repeat.ONCE, "a"), "y")
    assert not occasions.counts(seen(Repeat.ONCE, "a"), "x")


def test_the_stalest_is_forgotten_when_the_memory_is_full() -> None:
    occasions = Occasions(capacity=2)
    for occasion in ("a", "b", "a", "c"):
        occasions.counts(seen(Repeat.ONCE, occasion), "x")
    assert not occasions.counts(seen(Repeat.ONCE, "a"), "x")
    assert occasions.counts(seen(Repeat.ONCE, "b"), "x")
