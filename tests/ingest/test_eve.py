"""Suricata's EVE in Zeek's words."""

import json
from typing import Any

import pytest

from ingest.eve import EveReader
from tests.ingest.reading import WANTED, Outcome, read, trap
from trailhound.record import MICROSECONDS, Record

NOON = "2026-03-01T12:00:00.000000+0000"


def events(*items: dict[str, Any] | bytes) -> Outcome:
    lines = [
        item if isinstance(item, bytes) else json.dumps({"timestamp": NOON, "flow_id": 1, **item}).encode()
        for item in items
    ]
    return read(EveReader(WANTED, ""), [b"\n".join((*lines, b""))])


def only(item: dict[str, Any]) -> Record:
    (record,) = events(item).in_order
    return record


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_the_client_of_a_look_up_is_its_source_in_every_version(version: str) -> None:
    rows = trap(f"eve-dns-{version}.json")
    assert {row.source for row in rows} == {"192.168.7.21"}
    assert {row.destination for row in rows} == {"192.168.7.1"}
    assert {row.number("id.resp_p") for row in rows} == {53}


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_every_answer_is_read_in_every_version(version: str) -> None:
    answers = [answer for row in trap(f"eve-dns-{version}.json") for answer in row.texts("answers")]
    assert set(answers) == {"edge.one.example", "198.51.100.9"}


def test_answers_that_are_only_grouped_are_read() -> None:
    grouped = {"A": ["198.51.100.9"], "CNAME": ["edge.one.example"], "SRV": [{"target": "x"}], "MX": "odd"}
    dns = {"type": "answer", "id": 1, "rrname": "one.example", "grouped": grouped}
    assert only({"event_type": "dns", "dns": dns}).texts("answers") == ["198.51.100.9", "edge.one.example"]


def test_a_flow_is_of_the_time_when_it_began() -> None:
    began = {row.time % (60 * MICROSECONDS) for row in trap("eve-flow.json")}
    assert began == {100_000}


def test_a_flow_that_nobody_answered_has_no_state_of_an_answered_one() -> None:
    flow = {"start": NOON, "pkts_toserver": 3, "pkts_toclient": 0}
    states = ("syn_sent", "established", "closed")
    rows = [
        only({"event_type": "flow", "proto": "TCP", "flow": flow, "tcp": {"state": state}}).text("conn_state")
        for state in states
    ]
    assert rows == ["S0", "OTH", "OTH"]


@pytest.mark.parametrize(
    ("session", "packets", "state"),
    [
        ({"state": "syn_sent", "tcp_flags_ts": "02", "tcp_flags_tc": "00"}, 0, "S0"),
        ({"state": "closed", "tcp_flags_ts": "02", "tcp_flags_tc": "14"}, 1, "REJ"),
        ({"state": "closed", "tcp_flags_ts": "06", "tcp_flags_tc": "12"}, 1, "RSTO"),
        ({"state": "closed", "tcp_flags_ts": "06", "tcp_flags_tc": "00"}, 0, "RSTOS0"),
        ({"state": "closed", "tcp_flags_ts": "1a", "tcp_flags_tc": "16"}, 1, "RSTR"),
        ({"state": "closed", "tcp_flags_ts": "1b", "tcp_flags_tc": "1b"}, 9, "SF"),
        ({"state": "closed", "tcp_flags_ts": "zz", "tcp_flags_tc": "9" * 99}, 9, "SF"),
        ({"state": "syn_recv", "tcp_flags_ts": "02", "tcp_flags_tc": "12"}, 1, "S1"),
        ({"tcp_flags_ts": "00", "tcp_flags_tc": "00"}, 1, "OTH"),
        (None, 1, "SF"),
        (None, 0, "S0"),
    ],
)
def test_what_became_of_a_flow_is_told_in_zeeks_words(session: dict[str, str] | None, packets: int, state: str) -> None:
    flow = {"start": NOON, "pkts_toserver": 1, "pkts_toclient": packets}
    proto = {"proto": "UDP"} if session is None else {"proto": "TCP", "tcp": session}
    row = only({"event_type": "flow", "flow": flow, **proto})
    assert (row.text("conn_state"), row.text("orig_flags")) == (state, (session or {}).get("tcp_flags_ts"))


def test_the_client_of_a_transfer_is_its_source_though_the_server_sent_the_file() -> None:
    (row,) = trap("eve-fileinfo.json")
    assert (row.source, row.destination) == ("192.168.7.21", "198.51.100.80")
    assert (row.number("id.orig_p"), row.number("id.resp_p")) == (40005, 80)
    assert len(row.text("sha256") or "") == 64


def test_an_alert_carries_the_values_of_its_traffic() -> None:
    query, decoder = trap("eve-alert.json")
    assert query.texts("queries") == ["one.example"]
    assert query.number("trans_id") == 4711
    assert query.text("signature") == "TRAP"
    assert decoder.source is None


def test_an_alert_of_version_3_knows_its_look_up() -> None:
    dns = {"version": 3, "id": 7, "queries": [{"rrname": "one.example"}]}
    row = only({"event_type": "alert", "alert": {"signature": "s"}, "dns": dns})
    assert (row.number("trans_id"), row.texts("queries")) == (7, ["one.example"])


def test_the_port_of_a_host_stands_in_the_host_as_zeek_has_it() -> None:
    http = {"hostname": "a.example", "http_port": 8080, "url": "/x"}
    assert only({"event_type": "http", "http": http}).text("host") == "a.example:8080"


def test_the_time_zone_of_a_sensor_is_heeded() -> None:
    assert {row.time // MICROSECONDS % 60 for row in trap("eve-zone.json")} == {1}


def test_an_event_of_no_interest_may_have_our_names_with_other_types() -> None:
    outcome = events({"event_type": "engine", "dns": "text", "proto": 6}, b"  ", {"event_type": "dns", "dns": 5})
    assert not outcome.records
    assert list(outcome.bad) == [3]


@pytest.mark.parametrize("time", [None, 5, "soon", "1969-12-31T23:59:59+0000", "9999-12-31T23:59:59-1200", "", "0"])
def test_a_time_that_is_none_makes_the_line_unreadable(time: object) -> None:
    outcome = events({"event_type": "dns"}, {"event_type": "dns", "timestamp": time})
    assert list(outcome.records) == [1]
    assert list(outcome.bad) == [2]


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    line = json.dumps({"timestamp": NOON, "event_type": "dns"}).encode()
    assert not events(b"\xef\xbb\xbf" + line).bad
