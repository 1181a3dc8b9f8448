"""Zeek's JSON: names, times, sets, and lines that are of no interest."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.batch import BadLine
from ingest.zeek_json import ZeekJsonReader
from tests.ingest.reading import WANTED, Outcome, read, trap
from trailhound.record import MICROSECONDS

QUERY = {"ts": 1.0, "uid": "C1", "id.orig_h": "10.0.0.1", "trans_id": 1, "query": "one.example"}


def rows(*items: dict[str, Any] | bytes, name: str = "dns") -> Outcome:
    lines = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in items]
    return read(ZeekJsonReader(WANTED, name), [b"\n".join((*lines, b""))])


def test_times_are_seconds_or_iso_8601_with_any_offset() -> None:
    assert [row.time // MICROSECONDS % 60 for row in trap("dns.json-iso8601.log")] == [1, 2]
    assert [row.time // MICROSECONDS % 60 for row in trap("dns.json-epoch.log")] == [1, 2]


def test_underscores_stand_for_dots() -> None:
    (row,) = trap("dns.json-underscores.log")
    assert row.source == "192.168.7.21"
    assert row.number("id.resp_p") == 53


def test_null_is_unset_in_a_field_and_in_a_list() -> None:
    assert "query" not in rows({**QUERY, "query": None}).in_order[0].fields
    row = rows({**QUERY, "answers": ["192.0.2.1", None, "a.example"]}).in_order[0]
    assert row.texts("answers") == ["192.0.2.1", "a.example"]


def test_a_mixed_file_is_told_apart_line_by_line() -> None:
    assert {row.log for row in trap("json-mixed.log")} == {"dns", "conn", "http", "ssl"}


def test_the_columns_tell_the_log_when_no_name_does() -> None:
    assert [row.log for row in rows(QUERY, name="whatever").in_order] == ["dns"]


def test_lines_that_do_not_tell_do_not_decide_for_those_that_do() -> None:
    reader = ZeekJsonReader(WANTED, "whatever")
    outcome = read(reader, [b'{"ts":1.0,"note":"x"}\n', json.dumps(QUERY).encode() + b"\n"])
    assert [row.log for row in outcome.in_order] == ["whatever", "dns"]


@pytest.mark.parametrize("value", [5, True, {"a": 1}, [[1]], [{"a": 1}]])
def test_a_value_of_another_type_makes_a_line_unreadable_and_no_other(value: object) -> None:
    outcome = rows(QUERY, {**QUERY, "query": value}, QUERY)
    assert list(outcome.records) == [1, 3]
    assert list(outcome.bad) == [2]


def test_a_log_of_no_interest_may_use_our_names_for_other_things() -> None:
    assert not rows({"ts": 1.0, "host": {"os": "x"}}, QUERY, name="software").bad


DOTTED = st.sampled_from(["id.orig_h", "id.resp_h", "certificate.subject", "san.dns"])
LINES = st.lists(st.dictionaries(DOTTED, st.just("a.example"), min_size=1), min_size=1, max_size=5)


@given(LINES, st.data())
def test_dots_and_underscores_may_stand_in_one_file(lines: list[dict[str, str]], data: st.DataObject) -> None:
    written = [
        {name.replace(".", "_") if data.draw(st.booleans()) else name: value for name, value in line.items()}
        for line in lines
    ]
    reader = ZeekJsonReader(WANTED, "x509")
    (batch,) = reader.feed(b"".join(json.dumps({"ts": 1.0, **line}).encode() + b"\n" for line in written))
    assert not isinstance(batch, BadLine)
    for name in ("id.orig_h", "certificate.subject", "san.dns"):
        column = batch.column(name)
        assert list(column or ()) == [line.get(name) for line in lines]


def test_a_file_may_name_more_logs_than_are_remembered() -> None:
    reader = ZeekJsonReader(WANTED, "")
    content = b"".join(json.dumps({**QUERY, "_path": f"p{n}"}).encode() + b"\n" for n in range(1500))
    assert len(read(reader, [content]).records) == 1500
    assert len(reader.state) < 40_000
