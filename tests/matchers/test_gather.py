"""Trails one by one, in any order, or by the thousand: the same set, byte for byte."""

from itertools import permutations
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers import layout
from matchers.compile import Compiler
from matchers.gather import AGREEMENT, Facts, facts_of, union
from trailhound.trail import Trail, TrailClass, TrailKind

trails = st.builds(
    Trail,
    kind=st.just(TrailKind.DOMAIN),
    value=st.sampled_from(["a.example", "b.example", "c.example", "evil.test"]),
    info=st.sampled_from(["emotet", "mirai"]),
    class_=st.sampled_from([TrailClass.C2, TrailClass.ATTACKER, TrailClass.POLICY]),
    sources=st.sampled_from([("one",), ("two",), ("three",)]),
    reference=st.sampled_from(["", "https://r.example/1"]),
    confidence=st.sampled_from([40, 90]),
    first_seen=st.sampled_from([None, 1000, 2000]),
    expires=st.sampled_from([None, 3000, 4000]),
    custom=st.booleans(),
)


def compiled(compiler: Compiler, path: Path) -> bytes:
    compiler.write(path)
    return path.read_bytes()


@given(st.lists(st.lists(trails, max_size=6, unique_by=lambda trail: trail.value), max_size=4), st.randoms())
@settings(max_examples=60, deadline=None)
def test_in_bulk_or_one_by_one_in_any_order_comes_out_the_same(
    tmp_path_factory: pytest.TempPathFactory, lists: list[list[Trail]], random: Random
) -> None:
    folder = tmp_path_factory.mktemp("sets")
    single, bulk = Compiler(), Compiler()
    everything = [trail for one in lists for trail in one]
    random.shuffle(everything)
    single.add_all(everything)
    for one in lists:
        keys = [layout.key(trail.kind, trail.value) for trail in one]
        bulk.add_many(keys, [bulk.number(facts_of(trail)) for trail in one])
    assert compiled(single, folder / "single") == compiled(bulk, folder / "bulk")


@given(st.lists(trails, min_size=3, max_size=3))
def test_the_order_in_which_three_come_does_not_matter(three: list[Trail]) -> None:
    outcomes = {union(union(a, b), c) for a, b, c in permutations(map(facts_of, three))}
    assert len(outcomes) == 1


def test_mirrors_of_one_list_are_one_voice() -> None:
    def listed(source: str, voice: str) -> Facts:
        trail = Trail(TrailKind.DOMAIN, "a.example", "evil", TrailClass.C2, (source,), confidence=60)
        return facts_of(trail)._replace(voices=(voice,))

    both = union(listed("list", "list"), listed("mirror", "list"))
    assert (both.sources, both.agreed) == (("list", "mirror"), 60)
    third = union(both, listed("other", "other"))
    assert third.agreed == 60 + AGREEMENT
    many = third
    for number in range(20):
        many = union(many, listed(f"l{number}", f"l{number}"))
    assert many.agreed == 100
