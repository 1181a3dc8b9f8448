"""Names near trails: what meets which is told anew by comparing labels, over all formats."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.checks import FORMATS
from tests.fuzz.seeds import event
from tests.matchers.build import engine, matched, trail, tsv
from trailhound.event import Event
from trailhound.trail import TrailKind

LABELS = st.sampled_from(("evil", "xevil", "evilx", "evil-x", "_evil", "a", "www", "example", "b", "e"))
NAMES = st.lists(LABELS, min_size=2, max_size=6).map(".".join)
HOMOGRAPHS = (
    "еvil.example",  # noqa: RUF001 - Cyrillic
    "evil.exampIe".replace("I", "ı"),  # noqa: RUF001 - a dotless i
    "evil\u0301.example",
    "evil.example\u0338",
    "evil。example.org",
    "evil.example\0.org",
    "evil.example%2eorg",
    "evil.example/.org",
    "evil.example@b.org",
    "evil_example",
    "evil..example",
    ".evil.example.b",
    "evil.example:80.b",
)


def logs_of(name: str) -> dict[str, bytes]:
    """Write the look-up of one name in each format."""
    types = {"ts": "time", "query": "string", "qtype": "count", "trans_id": "count"}
    row = ("1767600000.5", name, "1", "7")
    return {
        "zeek-tsv": tsv("dns", types, [row]),
        "zeek-json": json.dumps({"ts": 1767600000.5, "query": name, "qtype": 1, "trans_id": 7}).encode() + b"\n",
        "eve": event("dns", dns={"type": "query", "rrname": name, "rrtype": "A"}),
    }


def told(trails: list[str], format_: str, name: str) -> list[Event]:
    machine = engine([trail(TrailKind.DOMAIN, value) for value in trails])
    return matched(machine, format_, logs_of(name)[format_], "dns").events


@pytest.mark.parametrize("format_", FORMATS)
@settings(max_examples=150, deadline=None)
@given(trails=st.lists(NAMES, min_size=1, max_size=4, unique=True), name=NAMES, upper=st.booleans(), dot=st.booleans())
def test_a_name_meets_the_longest_trail_that_it_is_or_is_below(
    format_: str, trails: list[str], name: str, *, upper: bool, dot: bool
) -> None:
    above = [value for value in trails if f".{name}".endswith(f".{value}")]
    written = (name.upper() if upper else name) + "." * dot
    met = [event.trail.value for event in told(trails, format_, written)]
    assert met == ([max(above, key=len)] if above else [])


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", HOMOGRAPHS)
def test_what_only_looks_like_a_trail_meets_nothing(format_: str, name: str) -> None:
    assert told(["evil.example"], format_, name) == []


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", ["ｅｖｉｌ.example", "evil。example", "www.EVIL.example."])  # noqa: RUF001
def test_what_resolvers_take_for_a_trail_meets_it(format_: str, name: str) -> None:
    assert [event.trail.value for event in told(["evil.example"], format_, name)] == ["evil.example"]
