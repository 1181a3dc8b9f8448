"""The compiled set: the same trails make the same bytes, every value comes back, damage is told."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers import layout
from matchers.compile import Compiler
from matchers.trailset import TrailSet, value_of
from tests.matchers.build import compiled, trail
from trailhound import canonical
from trailhound.errors import TrailError, TrailSetError
from trailhound.trail import LISTED_KINDS, Trail, TrailClass, TrailKind

LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
NAME = st.lists(LABEL, min_size=2, max_size=5).map(".".join)
ADDRESS = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
HEX = {kind: st.text("0123456789abcdef", min_size=n, max_size=n) for kind, n in canonical._HASH_LENGTHS.items()}
TEXT = st.text(st.characters(exclude_categories=["C"]), min_size=2, max_size=40)
VALUES: dict[TrailKind, st.SearchStrategy[str]] = {
    **HEX,
    TrailKind.DOMAIN: NAME,
    TrailKind.TLD: LABEL,
    TrailKind.WILDCARD: TEXT,
    TrailKind.IPV4: st.ip_addresses(v=4).map(str),
    TrailKind.IPV6: st.ip_addresses(v=6).map(str),
    TrailKind.CIDR: st.tuples(ADDRESS, st.integers(0, 32)).map(lambda part: f"{part[0]}/{part[1]}"),
    TrailKind.IP_PORT: st.tuples(ADDRESS, st.integers(1, 65535)).map(lambda part: canonical.with_port(*part)),
    TrailKind.URL: st.tuples(NAME, TEXT).map("/".join),
    TrailKind.HTTP_HOST: NAME.map("{}/".format),
    TrailKind.PATH: TEXT.map("/p{}".format),
    TrailKind.USER_AGENT: TEXT,
    TrailKind.USER_AGENT_REGEX: TEXT,
    TrailKind.JA4: st.just("t13d1516h2_8daaf6152771_02713d6af862"),
    TrailKind.EMAIL: NAME.map("eve@{}".format),
}


def test_there_are_values_for_every_kind() -> None:
    assert set(VALUES) == set(LISTED_KINDS)


@st.composite
def indicators(draw: st.DrawFn) -> canonical.Indicator:
    kind = draw(st.sampled_from(LISTED_KINDS))
    try:
        return canonical.indicator(kind, draw(VALUES[kind]))
    except TrailError:
        return canonical.Indicator(TrailKind.DOMAIN, "a.example")


@given(indicators())
def test_a_value_comes_back_from_its_key(indicator: canonical.Indicator) -> None:
    assert value_of(layout.key(*indicator)) == indicator.value


@given(st.lists(indicators(), unique_by=lambda found: layout.key(*found), max_size=12))
def test_every_trail_of_a_set_is_found_as_it_was_added(found: list[canonical.Indicator]) -> None:
    trails = [Trail(kind, value, "info", TrailClass.C2, ("one", "two"), "ref", 60, 5, 9) for kind, value in found]
    trail_set = compiled(trails)
    assert len(trail_set) == len(trails)
    for item in trails:
        kept = trail_set.get(item.kind, item.value)
        assert kept is not None
        assert (kept.kind, kept.value, kept.info, kept.sources) == (item.kind, item.value, item.info, item.sources)
        assert (kept.first_seen, kept.expires, kept.reference) == (5, 9, "ref")
    assert {item.value for item in trail_set} == {item.value for item in trails}


FACTS = st.builds(
    lambda *facts: facts,
    st.sampled_from([TrailClass.C2, TrailClass.MALWARE, TrailClass.POLICY]),
    st.sampled_from(["x", "y"]),
    st.sampled_from(["s1", "s2", "s3"]),
    st.sampled_from([20, 50]),
    st.sampled_from([None, 7, 9]),
    st.booleans(),
)


@given(st.lists(st.tuples(st.sampled_from(["a.example", "b.example"]), FACTS), min_size=1, max_size=8), st.randoms())
def test_the_order_in_which_trails_come_does_not_matter(
    listed: list[tuple[str, tuple[TrailClass, str, str, int, int | None, bool]]], chance: random.Random
) -> None:
    trails = [
        Trail(TrailKind.DOMAIN, name, info, class_, (source,), "", confidence, seen, seen, custom)
        for name, (class_, info, source, confidence, seen, custom) in listed
    ]
    shuffled = chance.sample(trails, len(trails))
    assert compiled(trails).about.checksum == compiled(shuffled).about.checksum


def test_the_same_trails_make_the_same_bytes(tmp_path: Path) -> None:
    trails = [trail(TrailKind.DOMAIN, f"d{n}.example", info=f"i{n % 7}") for n in range(2000)]
    written = []
    for seed in range(3):
        compiler = Compiler()
        compiler.add_all(random.Random(seed).sample(trails, len(trails)))
        compiler.write(tmp_path / f"{seed}.set")
        written.append((tmp_path / f"{seed}.set").read_bytes())
    assert len(set(written)) == 1


def test_the_more_telling_class_wins_and_all_sources_are_kept() -> None:
    def one(
        class_: TrailClass, source: str, confidence: int, seen: int | None = None, until: int | None = None
    ) -> Trail:
        return Trail(TrailKind.DOMAIN, "a.example", class_.value, class_, (source,), "", confidence, seen, until)

    kept = compiled(
        [
            one(TrailClass.SUSPICIOUS, "zeta", 95, 30, 100),
            one(TrailClass.C2, "beta", 40, None, 200),
            one(TrailClass.MALWARE, "alpha", 90, 20, 150),
        ]
    ).get(TrailKind.DOMAIN, "a.example")
    assert kept is not None
    assert (kept.class_, kept.info) == (TrailClass.C2, "c2")
    assert kept.sources == ("beta", "alpha", "zeta")
    assert kept.confidence == 40 + 2 * 5
    assert (kept.first_seen, kept.expires) == (20, 200)


def test_what_the_site_itself_says_of_a_value_comes_before_what_lists_say() -> None:
    own = Trail(TrailKind.DOMAIN, "a.example", "ticket", TrailClass.POLICY, ("own",), "ours", 30, custom=True)
    others = [
        Trail(TrailKind.DOMAIN, "a.example", "emotet", TrailClass.C2, (f"list {n}",), "theirs", 95) for n in range(3)
    ]
    for trails in ([own, *others], [*others, own]):
        trail_set = compiled(trails)
        kept = trail_set.get(TrailKind.DOMAIN, "a.example")
        assert kept is not None
        assert (kept.info, kept.class_, kept.reference, kept.custom) == ("ticket", TrailClass.POLICY, "ours", True)
        assert kept.sources == ("own", "list 0", "list 1", "list 2")
        assert kept.confidence == 30 + 3 * 5
        assert trail_set.about.custom == 1


def test_trails_of_lists_are_not_custom() -> None:
    trail_set = compiled([trail(TrailKind.DOMAIN, "a.example")])
    assert [item.custom for item in trail_set] == [False]
    assert trail_set.about.custom == 0


def test_a_compiled_set_says_how_many_of_its_trails_had_expired(tmp_path: Path) -> None:
    compiler = Compiler()
    for number, until in enumerate((None, 99, 100, 101)):
        compiler.add(Trail(TrailKind.DOMAIN, f"d{number}.example", "x", TrailClass.C2, ("s",), expires=until))
    assert compiler.write(tmp_path / "trails.set", built=100).expired == 1
    assert compiler.write(tmp_path / "trails.set", built=200).expired == 3


def test_facts_are_given_with_the_number_of_trails_that_share_them() -> None:
    trails = [trail(TrailKind.DOMAIN, f"d{number}.example", info=f"i{number % 3}") for number in range(10)]
    assert {facts.info: count for facts, count in compiled(trails).shared_facts()} == {"i0": 4, "i1": 3, "i2": 3}


def test_a_source_that_never_lets_a_trail_expire_keeps_it() -> None:
    trails = [
        Trail(TrailKind.TLD, "bad", "x", TrailClass.POLICY, (source,), "", 50, None, until)
        for source, until in (("one", 5), ("two", None))
    ]
    kept = compiled(trails).get(TrailKind.TLD, "bad")
    assert kept is not None
    assert kept.expires is None


def test_numbers_that_a_feed_made_up_are_cut_to_what_can_be_kept() -> None:
    kept = compiled([Trail(TrailKind.TLD, "bad", "x", TrailClass.C2, ("s",), "", 10**6, 10**12, -5)])
    (only,) = kept
    assert (only.confidence, only.first_seen, only.expires) == (100, 2**32 - 1, None)


def test_trails_are_counted_by_source_kind_and_class() -> None:
    trails = [trail(TrailKind.DOMAIN, "a.example"), trail(TrailKind.IPV4, "192.0.2.1", TrailClass.C2)]
    trail_set = compiled([*trails, Trail(TrailKind.TLD, "bad", "x", TrailClass.C2, ("other", "a list"), "", 50)])
    assert trail_set.by_source() == {"a list": 3, "other": 1}
    assert trail_set.about.by_kind == {"domain": 1, "ipv4": 1, "tld": 1}
    assert trail_set.about.by_class == {"c2": 2, "malware": 1}


def test_a_set_of_many_thousands_finds_each_and_nothing_else() -> None:
    trail_set = compiled(trail(TrailKind.DOMAIN, f"host{n}.zone{n % 97}.example") for n in range(50_000))
    assert len(trail_set) == 50_000
    for n in range(0, 50_000, 501):
        name = f"host{n}.zone{n % 97}.example"
        assert [value_of(key) for key in trail_set.domains(f"www.{name}")] == [name]
        assert trail_set.domains(f"host{n}.zone{n % 97 + 1}.example") == []


def test_an_empty_set_meets_nothing() -> None:
    trail_set = compiled([])
    assert len(trail_set) == 0
    assert trail_set.domains("a.example") == []
    assert not trail_set.has_address("192.0.2.1")
    assert trail_set.wildcards("a.example") == []
    assert trail_set.agents("curl") == []
    assert trail_set.networks("192.0.2.1") == []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    compiler = Compiler()
    compiler.add_all([trail(TrailKind.DOMAIN, f"d{n}.example") for n in range(20)])
    compiler.add(trail(TrailKind.CIDR, "192.0.2.0/24"))
    compiler.write(tmp_path / "trails.set")
    return tmp_path / "trails.set"


def test_a_missing_set_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(TrailSetError, match=r"none\.set: there is no such trail set; make it with"):
        TrailSet.open(tmp_path / "none.set")


def test_a_foreign_file_is_told(path: Path) -> None:
    path.write_bytes(b"something else altogether")
    with pytest.raises(TrailSetError, match=r"trails\.set: this is no compiled trail set"):
        TrailSet.open(path)


def test_a_set_of_another_version_is_told(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:8] + (7).to_bytes(4, "little") + content[12:])
    with pytest.raises(
        TrailSetError, match=r"trails\.set: the trail set is of version 7, this Trailhound reads version"
    ):
        TrailSet.open(path)


@pytest.mark.parametrize("verify", [True, False])
def test_a_set_that_ends_early_is_told(path: Path, verify: bool) -> None:  # noqa: FBT001
    content = path.read_bytes()
    for length in (0, 3, 20, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(TrailSetError, match=r"trails\.set: "):
            TrailSet.open(path, verify=verify)


def test_a_changed_byte_anywhere_that_counts_is_told(path: Path) -> None:
    content = path.read_bytes()
    whole = TrailSet.open(path)
    trails = list(whole)
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes((content[place] ^ 0x15,)) + content[place + 1 :])
        try:
            opened = TrailSet.open(path)
        except TrailSetError:
            continue
        # Padding, and the time at which it was built.
        assert list(opened) == trails
        assert opened.about.by_kind == whole.about.by_kind


def test_a_reader_keeps_the_set_it_opened_when_another_takes_its_place(path: Path) -> None:
    before = TrailSet.open(path)
    compiler = Compiler()
    compiler.add(trail(TrailKind.DOMAIN, "new.example"))
    compiler.write(path)
    assert before.get(TrailKind.DOMAIN, "d7.example") is not None
    assert TrailSet.open(path).get(TrailKind.DOMAIN, "new.example") is not None
    assert [file.name for file in path.parent.iterdir()] == ["trails.set"]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(TrailSetError, match="the compiled trail set cannot be written"):
        Compiler().write(tmp_path / "file" / "trails.set")


def test_twenty_thousand_patterns_can_be_asked_at_once() -> None:
    trail_set = compiled(trail(TrailKind.USER_AGENT_REGEX, f"agent{n:x}z/[0-9.]+") for n in range(20_000))
    (key,) = trail_set.agents(f"mozilla/5.0 agent{12_345:x}z/1.0 (x11)")
    assert value_of(key) == f"agent{12_345:x}z/[0-9.]+"
    assert trail_set.agents("mozilla/5.0") == []


def test_a_pattern_that_is_none_is_told_with_the_set() -> None:
    trail_set = compiled([trail(TrailKind.WILDCARD, "a(")])
    with pytest.raises(TrailSetError, match="the trail set cannot be used: its 1 patterns cannot be compiled together"):
        trail_set.wildcards("a.example")
