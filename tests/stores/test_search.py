"""Searches on every store, against the model."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stores.contract import Dimension, EventOrder, Query, Store
from stores.search.parse import MAX_DEPTH, MAX_LENGTH, parse
from tests.stores.conftest import MakeStore
from tests.stores.factory import make_attack, make_event
from tests.stores.model import Model
from tests.stores.search_model import finds, searches
from tests.stores.strategies import events, queries
from tests.stores.test_contract import trials
from trailhound.errors import SearchError
from trailhound.event import Event
from trailhound.severity import Severity

batches = st.lists(events(), max_size=25)


@trials(batches, queries(), st.lists(searches(), min_size=1, max_size=3))
def test_a_search_finds_what_it_says(make_store: MakeStore, batch: list[Event], query: Query, found: list) -> None:  # type: ignore[type-arg]
    with make_store() as store:
        store.append(batch)
        for where in found:
            for base in (Query(), query):
                asked = replace(base, where=where)
                expected = Model([event for event in batch if finds(where, event)])
                page = store.events(asked, order=EventOrder.OLDEST, limit=100)
                ids = expected.ids(base, EventOrder.OLDEST)
                assert sorted(event["event"]["id"] for event in page.events) == sorted(ids)
                assert store.count(asked) == len(ids)
                summary, totals = store.summary(asked), expected.summary(base)
                assert {name: getattr(summary, name) for name in totals} == totals
                assert {one.id for one in store.threats(asked).threats} == set(expected.threats(base))
                tops = {one.value: one.count for one in store.top(asked, Dimension.SOURCE, limit=100)}
                assert tops == {value: count for value, (count, _) in expected.top(base, Dimension.SOURCE).items()}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 3),
        ("high", 1),
        ("sev:>=high", 2),
        ("sev:low,high", 2),
        ("src:192.168.0.0/16", 1),
        ("src:192.168.*", 1),
        ("src:45.155.205.0-80.94.92.10", 2),
        ("NOT src:45.155.205.233", 2),
        ("-src:45.155.205.233 -critical", 1),
        ("src:45.155.205.233 OR src:80.94.92.10", 2),
        ("(src:45.155.205.233 || critical) && count:>50", 1),
        ("count:2-100", 1),
        ("trail:EVIL.example", 1),
        ("trail:*.example", 1),
        ('info:"emotet (malware)"', 1),
        ("info:EMOTET*", 1),
        ("type:dns", 1),
        ("class:c2", 1),
        ("port:53", 1),
        ("port:22", 2),
        ("port:40000-50000", 2),
        ("port:<=22 port:>=40000", 2),
        ("-port:22", 1),
        ("port:23,53", 1),
        ("inbound", 2),
        ("emotet", 1),
        ('"EMOTET (mal"', 1),
        ("80.94.92.10", 1),
        ("ip:80.94.92.10,192.168.1.10", 2),
    ],
)
def test_what_people_write(store: Store, text: str, number: int) -> None:
    store.append(
        [
            make_event(identity="one"),
            make_attack(count=100),
            make_attack(source_ip="80.94.92.10", severity=Severity.HIGH),
        ]
    )
    assert len(store.events(Query(where=parse(text))).events) == number


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scr:192.0.2.1", "at character 1: there is no field 'scr'; the nearest is src"),
        ("high sev:hihg", "at character 6: 'hihg' is no severity; the nearest is high"),
        ("(high", "at the end: a parenthesis is not closed"),
        ("high)", "at character 5: a parenthesis is closed that was not opened"),
        ("high AND", "at the end: a term was expected"),
        ("OR high", "at character 1: a term was expected"),
        ('info:"mass', "at character 6: a quotation mark is not closed"),
        ("info:", "at character 1: a value was expected"),
        ("info:a,,b", "at character 1: a value was expected"),
        ("src:300.1.1.1", "'300.1.1.1' is no address, network or range, such as 192.0.2.1"),
        ("count:many", "'many' is no number or range, such as 5"),
        ("port:ssh", "'ssh' is no number or range, such as 5"),
        ("port:70000", "'70000' is no port: there are 0 to 65,535"),
        ("status:done", "'done' is no status; the nearest is new"),
        ("ev*l", "name a field"),
        ("uid:xyz", "is no id of a threat"),
        ("x" * (MAX_LENGTH + 1), "at most 2,000 characters"),
        ("a " * 101, "at most 100 terms"),
        (f"{'(' * (MAX_DEPTH + 1)}a{')' * (MAX_DEPTH + 1)}", "at most 8 parentheses"),
    ],
)
def test_an_error_names_the_place_and_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(SearchError) as caught:
        parse(text)
    assert said in str(caught.value)


@given(st.text(alphabet=st.sampled_from('ab:*",()!-&|<>=\\/. \t0159[]?ORANDNOT'), max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    with suppress(SearchError):
        parse(text)


@given(st.text(min_size=1, max_size=40))
def test_quoted_text_is_text(text: str) -> None:
    assume(text.strip())
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    found = parse(quoted)
    assert getattr(found, "value", None) == text


@pytest.mark.parametrize("text", ["!" * 1999 + "a", "NOT " * 499 + "a", "-" * 1999 + "a", "(!" * 8 + "a" + ")" * 8])
def test_no_search_goes_too_deep(store: Store, text: str) -> None:
    store.append([make_event()])
    assert store.count(Query(where=parse(text))) in (0, 1)


def test_the_widest_and_deepest_search_is_answered(store: Store) -> None:
    text = "count:>0"
    for number in range(MAX_DEPTH):
        text = f"!(x{number} (count:{number}-9 OR {text}))" if number % 2 else f"(count:<9 !{text})"
        text = text if text.count("(") <= MAX_DEPTH else "count:>0"
    store.append([make_event()])
    assert store.count(Query(where=parse(" ".join([text, *["-src:192.0.2.1"] * 80])))) in (0, 1)
