"""A small trail set over a large one: as if both had been compiled together."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers.engine import Engine
from matchers.explain import explain
from matchers.layers import Layers, small_set
from matchers.networks import HomeNetworks
from matchers.observer import Sighting
from matchers.observers import OBSERVERS
from matchers.whitelist import Whitelist
from tests.matchers.build import compiled, counts, matched, record, trail, tsv
from trailhound.settings import HOME_NETWORKS
from trailhound.severity import Direction
from trailhound.trail import Trail, TrailClass, TrailKind

TRAILS = [
    trail(TrailKind.DOMAIN, "evil.example"),
    trail(TrailKind.DOMAIN, "www.evil.example"),
    trail(TrailKind.TLD, "onion"),
    trail(TrailKind.WILDCARD, r"^evil[0-9]+\."),
    trail(TrailKind.IPV4, "203.0.113.5", TrailClass.C2),
    trail(TrailKind.CIDR, "203.0.113.0/24", TrailClass.C2),
    trail(TrailKind.CIDR, "203.0.0.0/16", TrailClass.C2),
    trail(TrailKind.IP_PORT, "203.0.113.5:443", TrailClass.C2),
    trail(TrailKind.URL, "evil.example/gate.php"),
    trail(TrailKind.HTTP_HOST, "host.example/"),
    trail(TrailKind.PATH, "/panel/gate.php"),
    trail(TrailKind.USER_AGENT, "evil agent"),
    trail(TrailKind.USER_AGENT_REGEX, "evil.*agent"),
    trail(TrailKind.JA3, "e7d705a3286e19ea42f587b344ee6865"),
    trail(TrailKind.FILE_MD5, "11111111111111111111111111111112"),
    trail(TrailKind.EMAIL, "evil@mail.example"),
]
VALUES = (
    "evil.example",
    "a.www.evil.example",
    "evil7.example",
    "x.onion",
    "203.0.113.5",
    "203.0.113.5:443",
    "203.0.7.7",
    "203.0.113.0/24",
    "http://evil.example/gate.php?x=1",
    "http://other.example/panel/gate.php",
    "host.example",
    "evil agent",
    "an evil old agent",
    "e7d705a3286e19ea42f587b344ee6865",
    "11111111111111111111111111111112",
    "evil@mail.example",
    "fine.example",
    r"^evil[0-9]+\.",
)


DNS = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.resp_h": "addr", "query": "string"}


def dns(*queries: str) -> bytes:
    rows = [(f"{n}.5", f"C{n}", "10.0.0.1", "10.0.0.53", query) for n, query in enumerate(queries, 1)]
    return tsv("dns", DNS, rows)


def asked(name: str) -> Iterator[Sighting]:
    return iter(OBSERVERS["dns"].observe(record("dns", {"query": name})))


def an_engine(trails: Sequence[Trail], own: Sequence[Trail] = ()) -> Engine:
    return Engine(compiled(trails), Whitelist(), HomeNetworks(HOME_NETWORKS), own=small_set(own))


@given(st.sets(st.sampled_from(range(len(TRAILS)))), st.sets(st.sampled_from(range(len(TRAILS)))))
@settings(max_examples=60, deadline=None)
def test_wherever_a_trail_is_the_same_is_said_of_every_value(upper: set[int], lower: set[int]) -> None:
    whole = an_engine([TRAILS[place] for place in sorted(upper | lower)]).rules
    layered = an_engine([TRAILS[place] for place in lower], [TRAILS[place] for place in upper]).rules
    for value in VALUES:
        assert explain(layered, value).verdicts == explain(whole, value).verdicts, value


@pytest.mark.parametrize("one", TRAILS, ids=lambda one: f"{one.kind}")
def test_the_loop_lets_no_trail_of_either_pass(one: Trail) -> None:
    rows = dns("fine.example", "evil.example", "www.evil.example", "evil7.example", "x.onion")
    expected = counts(matched(an_engine(TRAILS), "zeek-tsv", rows, "dns").events)
    rest = [other for other in TRAILS if other != one]
    assert counts(matched(an_engine(rest, [one]), "zeek-tsv", rows, "dns").events) == expected
    assert counts(matched(an_engine([one], rest), "zeek-tsv", rows, "dns").events) == expected
    assert len(expected) == 4


def test_of_what_both_have_the_upper_one_says_what_it_is() -> None:
    own = Trail(TrailKind.DOMAIN, "evil.example", "ours", TrailClass.C2, ("own",), "", 90, custom=True)
    rules = an_engine(TRAILS, [own]).rules
    (meeting,) = rules.meet(asked("evil.example"), Direction.OUTBOUND)
    assert (meeting.trail.info, meeting.trail.class_, meeting.trail.custom) == ("ours", TrailClass.C2, True)
    assert meeting.trail.sources == ("own", "a list")


def test_a_trail_that_expired_does_not_count() -> None:
    own = Trail(TrailKind.DOMAIN, "evil.example", "ours", TrailClass.C2, ("own",), "", 90, expires=1_000)
    rules = an_engine([], [own]).rules
    assert not list(rules.meet(asked("evil.example"), Direction.OUTBOUND, time=1_001_000_000))
    assert list(rules.meet(asked("evil.example"), Direction.OUTBOUND, time=999_000_000))


def test_both_are_counted_together() -> None:
    lower, upper = compiled(TRAILS), small_set([trail(TrailKind.DOMAIN, "new.example")])
    assert upper is not None
    about = Layers(upper, lower).about
    assert about.trails == len(TRAILS) + 1
    assert about.by_kind["domain"] == 3
    assert about.checksum == lower.about.checksum


def test_no_trails_make_no_set() -> None:
    assert small_set([]) is None
