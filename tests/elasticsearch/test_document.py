"""Events as documents of Elasticsearch."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.elastic.document import LONGEST_TEXT, encode, facet_of, from_document, to_document, to_salvage
from tests.stores.factory import START, make_event, make_trail
from tests.stores.strategies import events
from trailhound.event import Event, to_ecs
from trailhound.severity import Severity
from trailhound.trail import TrailClass, TrailKind


def _kept(document: dict[str, Any]) -> dict[str, Any]:
    """Give a document as it comes back from Elasticsearch."""
    kept: dict[str, Any] = orjson.loads(encode(document))
    return kept


@given(events())
def test_a_document_is_the_ecs_event_and_comes_back_as_it(event: Event) -> None:
    document = _kept(to_document(event))
    assert from_document(document) == orjson.loads(orjson.dumps(to_ecs(event)))
    own = document["trailhound"].pop("index")
    assert document == orjson.loads(orjson.dumps(to_ecs(event)))
    assert own["start"] == event.start


@given(events(), st.dictionaries(st.sampled_from(["dns.id", "url.path", "message", "source.bytes", "a"]), st.text()))
def test_what_was_salvaged_comes_back_in_its_place(event: Event, ecs: dict[str, str]) -> None:
    event = replace(event, ecs=ecs | {"dns.resolved_ip": ["192.0.2.1"]})
    document = _kept(to_salvage(event))
    assert "resolved_ip" not in document.get("dns", {})
    assert from_document(document) == orjson.loads(orjson.dumps(to_ecs(event)))


def test_reading_leaves_the_document_as_it_is() -> None:
    document = _kept(to_document(make_event()))
    before = orjson.dumps(document)
    from_document(document)
    assert orjson.dumps(document) == before


def test_what_is_counted_by_stands_in_one_facet() -> None:
    trail = make_trail(kind=TrailKind.URL, class_=TrailClass.PHISHING)
    event = make_event(trail=trail, severity=Severity.HIGH, protocol=None, transport="tcp", sensor="s", dataset="d")
    assert facet_of(event).split("\x1f") == ["high", "url", "phishing", "outbound", "tcp", "s", "d"]
    assert facet_of(replace(event, transport=None)).split("\x1f")[4] == ""


def test_texts_are_looked_through_whatever_their_case_and_length() -> None:
    event = make_event(message="Straße " + "ß" * 9_000, observed="WWW.Evil.Example", source_ip=None)
    texts = to_document(event)["trailhound"]["index"]["text"]
    assert "www.evil.example" in texts
    assert any(text.startswith("strasse ss") for text in texts)
    assert all(len(text) <= LONGEST_TEXT for text in texts)
    assert None not in texts


def test_the_protocol_is_the_transport_where_nothing_better_is_known() -> None:
    assert to_document(make_event(protocol="dns"))["trailhound"]["index"]["protocol"] == "dns"
    assert to_document(make_event(protocol=None))["trailhound"]["index"]["protocol"] == "udp"
    assert "protocol" not in to_document(make_event(protocol=None, transport=None))["trailhound"]["index"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("\ud800", "?"),
        ("\0", "\0"),
        (2**70, float(2**70)),
        ({"a", "b"}, None),
        ({1: "x"}, {"1": "x"}),
        (["\udfff", {"k": "\ud800"}], ["?", {"k": "?"}]),
    ],
)
def test_hostile_values_can_be_written(value: object, written: object) -> None:
    document = _kept(to_document(make_event(ecs={"zeek.intel": value}, start=START)))
    found = document["zeek"]["intel"]
    assert found == written if written is not None else sorted(found) == ["a", "b"]


def test_what_is_nested_too_deep_is_cut_and_the_rest_is_kept() -> None:
    deep: Any = "bottom"
    for _ in range(500):
        deep = [deep]
    document = _kept(to_document(make_event(ecs={"url.path": deep, "dns.question.name": "x"})))
    assert document["dns"]["question"]["name"] == "x"
    assert "bottom" not in str(document)
