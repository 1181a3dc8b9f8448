"""Zeek's TSV: typed values of the traps that matter, and headers that change."""

import pytest

from ingest.zeek_tsv import ZeekTsvReader
from tests.ingest.reading import WANTED, read, trap
from tests.matchers.build import tsv
from trailhound.record import Value


def test_escapes_are_undone_once_and_what_is_no_text_stays_visible() -> None:
    rows = trap("tsv-escapes.log")
    assert [row.fields["uri"] for row in rows] == [
        "/tab\there",
        "/raw\\xff\\xfebytes",
        "/raw\\xff\\xc3(",
        "/",
        "/",
        "/€",
    ]
    assert rows[3].fields["user_agent"] == "-"
    assert rows[4].fields["user_agent"] == "back\\slash"
    assert rows[4].fields["proxied"] == ["VIA -> one, two", "FORWARDED -> x"]
    assert rows[5].fields["host"] == "bücher.example"


def test_unset_is_absent_and_empty_is_empty() -> None:
    unset, empty, one, two = (row.fields for row in trap("tsv-sets.log"))
    assert not {"tags", "proxied"} & unset.keys()
    assert (empty["tags"], empty["proxied"], empty["host"]) == ([], [], "")
    assert "user_agent" not in empty
    assert one["proxied"] == ["VIA -> 10.0.0.9"]
    assert two["tags"] == ["HTTP::URI_SQLI", "HTTP::POST_SQLI"]
    assert two["proxied"] == ["VIA -> 10.0.0.9", "X -> -"]


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("tsv-decoded-uri.log", "uri", ["/i.php?id=1 UNION ALL SELECT 1", "/100%25"]),
        ("tsv-proxy.log", "uri", ["http://target.example/page", "target.example:443"]),
        ("tsv-answer-only.log", "query", [None, "", None]),
        ("tsv-icmp.log", "id.orig_p", [8, 3, 134]),
        ("tsv-new-header.log", "query", ["one.example", "two.example", "three.example"]),
        ("tsv-local-testnet.log", "local_orig", [True, None]),
    ],
)
def test_a_column_of_a_trap_has_these_values(name: str, column: str, expected: list[Value | None]) -> None:
    assert [row.fields.get(column) for row in trap(name)] == expected


def test_numbers_have_their_types() -> None:
    row = trap("tsv-stealth.log")[0]
    assert isinstance(row.fields["ts"], float)
    assert isinstance(row.fields["id.resp_p"], int)
    assert row.fields["conn_state"] == "SH"
    assert row.fields["history"] == "F"


def test_without_types_the_columns_that_matter_are_typed_all_the_same() -> None:
    row = trap("tsv-no-types.log")[0]
    assert isinstance(row.fields["id.resp_p"], int)
    assert isinstance(row.fields["answers"], list)


def test_types_of_an_old_header_are_not_those_of_new_fields() -> None:
    first = tsv("dns", {"ts": "time", "id.orig_p": "port", "query": "string"}, [["1.0", "53", "one.example"]])
    second = b"#fields\tts\tquery\tuid\n2.0\ttwo.example\tC1\n"
    reader = ZeekTsvReader(WANTED, "dns")
    outcome = read(reader, [first, second])
    assert not outcome.bad
    assert [row.fields["query"] for row in outcome.in_order] == ["one.example", "two.example"]


def test_empty_lines_with_crlf_are_no_rows() -> None:
    content = tsv("dns", {"ts": "time", "query": "string"}, [["1.0", "a.example"]]).replace(b"\n", b"\r\n")
    outcome = read(ZeekTsvReader(WANTED, "dns"), [content + b"\r\n\r\n"])
    assert not outcome.bad
    assert len(outcome.records) == 1


@pytest.mark.parametrize("cell", ["9" * 30, "9" * 6000, "1e400", "-", "1.5.6", ""])
def test_a_number_that_is_none_makes_the_row_unreadable_or_unset(cell: str) -> None:
    content = tsv("dns", {"ts": "time", "query": "string", "id.resp_p": "port"}, [["1.0", "a.example", cell]])
    outcome = read(ZeekTsvReader(WANTED, "dns"), [content])
    assert len(outcome.records) + len(outcome.bad) == 1
    assert bool(outcome.records) == (cell == "-")


@pytest.mark.parametrize("time", ["-1", "253402300800000", "1e300", "nan", "inf", "-inf", "", "x"])
def test_a_time_that_no_calendar_has_makes_the_row_unreadable(time: str) -> None:
    content = tsv("dns", {"ts": "time", "query": "string"}, [["1.0", "a.example"], [time, "b.example"]])
    outcome = read(ZeekTsvReader(WANTED, "dns"), [content])
    assert list(outcome.bad) == [9]
    assert outcome.bad[9].startswith("column ts: ")
