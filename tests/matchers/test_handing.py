"""What of a trail set goes to others: in which order, without what, and what is unfit."""

from itertools import pairwise
from pathlib import Path

import pytest

from matchers.compile import Compiler
from matchers.exceptions import Exceptions
from matchers.fit import fit
from matchers.networks import HomeNetworks
from matchers.order import in_order, keys_in_order
from matchers.public import without_custom
from matchers.rules import Rules
from matchers.standing import Standing
from matchers.trailset import TrailSet
from tests.matchers.build import compiled, trail, whitelist
from trailhound.trail import Trail, TrailClass, TrailKind

NOW = 1_767_600_000


def many(count: int = 500) -> list[Trail]:
    names = [trail(TrailKind.DOMAIN, f"{number:x}.{number % 7}.evil{number % 3}.example") for number in range(count)]
    return [*names, *(trail(TrailKind.IPV4, f"198.51.{number % 3}.{number % 200}") for number in range(count))]


@pytest.mark.parametrize("at_once", [1, 7, 100, 100_000])
def test_keys_come_sorted_and_once_whatever_is_held(at_once: int) -> None:
    trails = compiled(many())
    keys = list(keys_in_order(trails, many=at_once))
    assert keys == sorted(trails.keys())
    assert all(one < other for one, other in pairwise(keys))


def test_a_trail_more_does_not_change_the_order_of_the_others() -> None:
    some, more = (
        [one.value for one in in_order(compiled(trails), lambda _: True)]
        for trails in (many(50), [*many(50), trail(TrailKind.DOMAIN, "aaa.example")])
    )
    assert [value for value in more if value != "aaa.example"] == some


def test_what_is_wanted_is_asked_by_what_is_known() -> None:
    trails = compiled([trail(TrailKind.IPV4, "198.51.100.7"), trail(TrailKind.IPV4, "198.51.100.8", TrailClass.C2)])
    found = in_order(trails, lambda facts: facts.class_ is TrailClass.C2)
    assert [one.value for one in found] == ["198.51.100.8"]


def put(path: Path, trails: list[Trail]) -> Path:
    compiler = Compiler()
    compiler.add_all(trails)
    compiler.write(path, built=NOW)
    return path


def own(text: str) -> Trail:
    return Trail(TrailKind.DOMAIN, text, "our case", TrailClass.C2, ("our incidents",), "", 90, custom=True)


def test_a_set_without_custom_trails_has_all_others_as_they_were(tmp_path: Path) -> None:
    listed = [
        *many(),
        Trail(TrailKind.DOMAIN, "agreed.example", "x", TrailClass.C2, ("a", "b", "c"), "ref", 60, 5, NOW),
        Trail(TrailKind.DOMAIN, "sure.example", "x", TrailClass.C2, ("a", "b", "c"), "", 99),
    ]
    source = put(tmp_path / "all.set", [*listed, own("secret.example"), own("agreed.our.example")])
    without_custom(source, tmp_path / "public.set")
    before, after = TrailSet.open(source), TrailSet.open(tmp_path / "public.set")
    assert after.about.custom == 0
    assert after.about.built == NOW
    assert {one.value: one for one in after} == {one.value: one for one in before if not one.custom}
    assert b"our incidents" not in (tmp_path / "public.set").read_bytes()
    assert b"secret.example"[::-1] not in (tmp_path / "public.set").read_bytes()


def test_a_set_that_has_no_custom_trails_comes_out_as_it_is(tmp_path: Path) -> None:
    source = put(tmp_path / "all.set", many())
    assert without_custom(source, tmp_path / "public.set").checksum == TrailSet.open(source).about.checksum


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (TrailKind.DOMAIN, "evil.example", ""),
        (TrailKind.DOMAIN, "good.example", "the whitelist"),
        (TrailKind.DOMAIN, "evil.good.example", ""),
        (TrailKind.URL, "good.example/evil.exe", ""),
        (TrailKind.IPV4, "192.0.2.7", "the whitelist"),
        (TrailKind.IP_PORT, "192.0.2.7:443", "the whitelist"),
        (TrailKind.CIDR, "192.0.2.0/25", "the whitelist"),
        (TrailKind.IPV4, "203.0.113.9", "a home network"),
        (TrailKind.IP_PORT, "203.0.113.9:80", "a home network"),
        (TrailKind.CIDR, "203.0.113.0/24", "a home network"),
        (TrailKind.IPV4, "198.51.100.7", ""),
        (TrailKind.USER_AGENT, "Evil/1.0", ""),
    ],
)
def test_what_is_whitelisted_or_at_home_is_not_handed_out(kind: TrailKind, value: str, reason: str) -> None:
    rules = Rules(compiled([]), whitelist("good.example\n192.0.2.0/24\n"), Exceptions(), Standing())
    unfit = fit(rules, HomeNetworks(["203.0.113.0/24"]), NOW)
    assert unfit(trail(kind, value)) == reason


def test_what_does_not_count_here_is_not_handed_out() -> None:
    standing = Standing(frozenset({TrailClass.POLICY}), 50)
    unfit = fit(Rules(compiled([]), whitelist(""), Exceptions(), standing), HomeNetworks([]), NOW)
    assert "class filter" in unfit(trail(TrailKind.DOMAIN, "a.example", TrailClass.POLICY))
    expired = Trail(TrailKind.DOMAIN, "a.example", "x", TrailClass.C2, ("a",), "", 80, None, NOW - 1)
    assert unfit(expired).startswith("expired")
    assert "min_confidence" in unfit(Trail(TrailKind.DOMAIN, "a.example", "x", TrailClass.C2, ("a",), "", 20))
