"""Look-ups as heuristics see them, and what hostile ones do to all heuristics of DNS."""

import json
from importlib import resources
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchers.heuristics import BUILT_IN, lookups
from tests.matchers.build import matched
from tests.matchers.heuristics.questions import FORMATS, Question, found, log, watched
from trailhound import canonical

OF_DNS = tuple(one.name for one in BUILT_IN if "dns" in one.reads)


@pytest.mark.parametrize(
    ("name", "zone", "registered"),
    [
        ("www.example.com", "example.com", "example.com"),
        ("a.b.example.co.uk", "example.co.uk", "example.co.uk"),
        ("www.site.github.io", "site.github.io", "github.io"),
        ("github.io", None, "github.io"),
        ("com", None, None),
        ("pc7", None, None),
        ("www.example.nosuchtld", None, None),
    ],
)
def test_zones_are_what_somebody_owns(name: str, zone: str | None, registered: str | None) -> None:
    assert lookups.zone(name) == zone
    assert lookups.registered(name) == registered


@pytest.mark.parametrize("name", ["www.google.com.corp", "a.b.org", "mail.example.co.uk.ads"])
def test_a_whole_name_before_a_search_suffix_is_known(name: str) -> None:
    assert lookups.holds_whole_name(name)


@pytest.mark.parametrize("name", ["", "www", "com", "com.www.eu", "db.dev"])
def test_parts_of_a_name_are_no_whole_name(name: str) -> None:
    assert not lookups.holds_whole_name(name)


def test_busy_zones_are_canonical_and_none_is_below_another() -> None:
    text = resources.files("matchers.heuristics").joinpath("busy_zones.txt").read_text("utf-8")
    rows = [line.partition("#") for line in text.splitlines() if line.partition("#")[0].strip()]
    zones = [value.strip() for value, _, _ in rows]
    assert len(zones) == len(set(zones)) > 100
    for zone, (_, _, reason) in zip(zones, rows, strict=True):
        assert canonical.name(zone) == zone
        assert reason.strip(), zone
        assert not lookups.is_busy(zone.partition(".")[2]), zone


@pytest.mark.parametrize(
    ("name", "is_question"),
    [
        ("2.0.0.127.zen.example.org", True),
        (".".join("0123456789abcdef" * 2) + ".example.org", True),
        ("2.0.0.127", False),
        ("1.2.3.example.org", False),
        ("300.2.3.4.example.org", False),
    ],
)
def test_questions_to_black_lists_are_known(name: str, is_question: bool) -> None:  # noqa: FBT001 - a row of a table
    assert lookups.is_black_list_question(name) is is_question


_hostile = st.one_of(
    st.text(max_size=300),
    st.text("abc.-_\\x0", max_size=300),
    st.lists(st.text("ab0-", max_size=70), max_size=140).map(".".join),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(Question, name=_hostile, code=st.sampled_from(["NXDOMAIN", "", "NOERROR"])), max_size=8))
def test_no_name_makes_a_heuristic_fail(questions: list[Question]) -> None:
    for format_ in FORMATS[1:]:
        found(watched(*OF_DNS), format_, questions)
    rows = log("zeek-json", questions)
    assert rows.count(b"\n") == len(questions)


@pytest.mark.parametrize("field", ["query", "id.orig_h", "id.orig_p", "rcode_name", "qtype_name", "answers"])
@pytest.mark.parametrize("value", [None, 7, True, "", [], ["a", 7, None], "x" * 70_000, "." * 70_000, "a." * 35_000])
def test_no_cell_makes_a_heuristic_fail(field: str, value: object) -> None:
    told = cast("dict[str, object]", json.loads(log("zeek-json", [Question("a.example.com", code="NXDOMAIN")])))
    machine = watched(*OF_DNS)
    matched(machine, "zeek-json", json.dumps({**told, field: value}).encode() + b"\n", "dns")
    assert machine.heuristics is not None
    assert machine.heuristics.failures == {}
