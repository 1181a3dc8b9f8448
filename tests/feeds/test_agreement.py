from collections.abc import Mapping
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from feeds.agreement import Voices
from tests.feeds.supply import DAY, HOUR, Site, feed, site
from trailhound.trail import TrailKind

ONE, TWO, THREE = "198.51.100.1", "198.51.100.2", "198.51.100.3"


def attackers(folder: Path) -> Site:
    """Three lists of attackers, two of which are the same one, and one of servers of a botnet."""
    return site(
        folder,
        feed("first", **{"class": "attacker"}),
        feed("second", **{"class": "attacker"}),
        feed("mirror", **{"class": "attacker"}, group="first"),
        feed("botnet", **{"class": "c2"}),
    )


def test_attackers_need_agreement_and_botnets_do_not(tmp_path: Path) -> None:
    made = attackers(tmp_path)
    made.serve(first=f"{ONE}\n{TWO}\n", second=f"{TWO}\n", botnet=f"{THREE}\n")
    assert made.values() == {TWO, THREE}
    agreed = made.trail(TWO, TrailKind.IPV4)
    assert agreed is not None
    assert (set(agreed.sources), agreed.confidence) == ({"first", "second"}, 65)


def test_mirrors_of_a_list_do_not_agree_with_it(tmp_path: Path) -> None:
    made = attackers(tmp_path)
    update = made.serve(first=f"{ONE}\n", mirror=f"{ONE}\n", botnet=f"{THREE}\n")
    assert made.values() == {THREE}
    assert update.merged is not None
    assert update.merged.unsettled == 1


def test_what_counts_alone_brings_the_others_in_as_its_sources(tmp_path: Path) -> None:
    made = attackers(tmp_path)
    made.serve(first=f"{ONE}\n", mirror=f"{ONE}\n", botnet=f"{ONE}\n")
    found = made.trail(ONE, TrailKind.IPV4)
    assert found is not None
    assert (found.class_.value, found.sources, found.confidence) == ("c2", ("botnet", "first", "mirror"), 65)


def test_the_files_of_the_site_always_count_and_are_a_voice(tmp_path: Path) -> None:
    own = tmp_path / "incident.txt"
    own.write_text(f"{ONE}\n")
    made = attackers(tmp_path / "state")
    made.settle(trails={"starter": False, "custom": [str(own)]})
    made.serve(first=f"{ONE}\n{TWO}\n")
    assert made.values() == {ONE}
    found = made.trail(ONE, TrailKind.IPV4)
    assert found is not None
    assert found.custom
    assert found.sources == ("incident", "first")


def test_how_many_must_agree_is_a_setting(tmp_path: Path) -> None:
    made = attackers(tmp_path)
    made.settle(feeds={"agreement": {"attacker": 1}})
    made.serve(first=f"{ONE}\n")
    assert made.values() == {ONE}
    made.settle(feeds={"agreement": {"attacker": 3}})
    made.serve(second=f"{ONE}\n", botnet=f"{THREE}\n")
    assert made.values() == {THREE}


def test_what_is_no_longer_listed_has_a_voice_until_its_end(tmp_path: Path) -> None:
    made = attackers(tmp_path)
    made.serve(first=f"{ONE}\n{TWO}\n", second=f"{ONE}\n{TWO}\n")
    made.later(HOUR)
    made.serve(first=f"{TWO}\n")
    assert made.values() == {ONE, TWO}
    made.later(5 * DAY)
    made.serve(first=f"{TWO}\n{THREE}\n")
    assert made.values() == {TWO}


keys = st.integers(0, 5).map(lambda number: b"%d" % number)
lists = st.lists(st.tuples(st.sampled_from("abc"), st.dictionaries(keys, st.integers(1, 3), max_size=6)), max_size=6)


@given(lists)
def test_what_counts_is_what_the_rule_says(given_lists: list[tuple[str, Mapping[bytes, int]]]) -> None:
    voices = Voices()
    for _, needs in given_lists:
        voices.ask(needs.keys(), needs.values())
    for group, needs in given_lists:
        voices.hear(group, list(needs), needs.values())
    everything = {key for _, needs in given_lists for key in needs}
    for key in everything:
        having = [(group, needs[key]) for group, needs in given_lists if key in needs]
        counts = min(need for _, need in having) <= len({group for group, _ in having})
        assert (key not in voices.unsettled()) == counts
