"""Searches for what people said, put into words that every store knows."""

import pytest

from stores.contract import Query
from stores.desk import Desk, asking
from stores.desk.asking import settled
from stores.desk.contract import Author, Triage, TriageState
from stores.search.expression import Text
from stores.search.parse import parse
from tests.stores.conftest import MakeStore
from tests.stores.factory import HOUR, START, make_event
from trailhound.errors import SearchError, StoreError

BOB = Author("bob", "", START + HOUR)


@pytest.fixture
def names(desk: Desk, make_store: MakeStore) -> object:
    """Give a function from a search to the last digit of the sources that it finds; of five there are."""
    with make_store() as store:
        store.append([make_event(identity=str(number), source_ip=f"192.168.1.{number}") for number in range(5)])
        ids = {str(one.source)[-1]: one.id for one in store.threats(Query()).threats}
        said = (
            Triage(ids["0"], TriageState.INVESTIGATING, "Asked Straße 7, *no* answer", ("phish", "Team-B"), "Alice"),
            Triage(ids["1"], TriageState.RESOLVED, "", ("team-a",), "bob"),
            Triage(ids["2"], TriageState.FALSE_POSITIVE),
            Triage(ids["3"], TriageState.RESOLVED, "again and again"),
            Triage("of no event at all", TriageState.RESOLVED, tags=("phish",)),
        )
        for one in said:
            desk.put_triage(one, BOB)
        store.append([make_event(identity="again", source_ip="192.168.1.3", start=START + 2 * HOUR)])

        def find(text: str) -> str:
            query = Query(where=settled(parse(text), desk, store))
            found = {str(one.source)[-1] for one in store.threats(query).threats}
            assert store.count(query) == len(found) + ("3" in found)
            return "".join(sorted(found))

        yield find


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("status:investigating", "0"),
        ("status:resolved", "1"),
        ('status:"False Positive"', "2"),
        ("state:false-positive", "2"),
        ("status:new", "34"),
        ("-status:new", "012"),
        ("status:new,resolved", "134"),
        ("tag:phish", "0"),
        ("tag:TEAM-*", "01"),
        ("tag:*-b", "0"),
        ("tag:t*m-a", "1"),
        ("tag:*", "01"),
        ("tag:team", ""),
        ("note:STRASSE", "0"),
        ("note:*no*", "0"),
        ("note:again,asked", "03"),
        ("assignee:alice", "0"),
        ("assignee:*", "01"),
        ("-assignee:*", "234"),
        ("(tag:phish OR status:false_positive) src:192.168.1.2", "2"),
        ("NOT (tag:phish OR status:new)", "12"),
    ],
)
def test_what_people_said_is_found(names: object, text: str, found: str) -> None:
    assert callable(names)
    assert names(text) == found


def test_too_many_are_refused_rather_than_some_forgotten(
    desk: Desk, make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MAX_TRIAGED", 2)
    with make_store() as store:
        for number in range(2):
            desk.put_triage(Triage(f"a{number}", TriageState.NEW, note="odd"), BOB)
        assert settled(parse("note:odd"), desk, store) is not None
        desk.put_triage(Triage("a2", TriageState.NEW), BOB)
        with pytest.raises(SearchError, match="more than 2 threats"):
            settled(parse("-(high note:odd)"), desk, store)
        assert settled(parse("odd"), desk, store) == Text("odd")
        assert settled(None, desk, store) is None


def test_a_store_by_itself_knows_nothing_of_it(make_store: MakeStore) -> None:
    with make_store() as store, pytest.raises(StoreError, match="on the desk"):
        store.count(Query(where=parse("tag:phish")))


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("a*b*c", "abc", True),
        ("a*b*c", "axxbyyc", True),
        ("a*a", "a", False),
        ("*ab*ab*", "abab", True),
        ("*ab*ab*", "aab", False),
        ("a**", "a", True),
        ("*", "", True),
        ("*a" * 50 + "b", "a" * 10_000, False),
    ],
)
def test_patterns_are_compared_piece_by_piece(pattern: str, text: str, fits: bool) -> None:  # noqa: FBT001
    assert asking._glob(pattern, text) is fits
