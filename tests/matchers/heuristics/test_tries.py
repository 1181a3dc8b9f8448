"""What counts as a try, whatever stands in a log."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.formats import reader_of
from matchers.heuristics.tries import COLUMNS, Kind, Try, tries_of
from matchers.view import View
from tests.matchers.build import tsv
from tests.matchers.heuristics.connections import FORMATS, INTRUDER, VICTIM, Connection, log
from tests.matchers.heuristics.questions import START

_WANTED = {"conn": ("ts", *COLUMNS)}


def tries(format_: str, data: bytes) -> list[Try]:
    return [one for batch in reader_of(format_, _WANTED, "conn").feed(data) for one in tries_of(View(batch))]  # type: ignore[arg-type] # no line of these is bad


def test_all_formats_tell_the_same_of_like_connections() -> None:
    kinds = {"silent": Kind.TCP, "in use": None, "let go": Kind.TCP, "bare ack": None, "fin": Kind.STEALTH} | {
        "unheard": Kind.UDP,
        "answered": None,
        "null refused": Kind.STEALTH,
        "refused": Kind.TCP,
    }
    connections = [Connection(1000 + place, place, outcome) for place, outcome in enumerate(kinds)]
    expected = [
        (place, (START + place) * 1_000_000, INTRUDER, VICTIM, 1000 + place, kind)
        for place, kind in enumerate(kinds.values())
        if kind is not None
    ]
    for format_ in FORMATS:
        assert tries(format_, log(format_, connections)) == expected


def test_a_log_without_the_columns_has_none_and_one_without_packets_only_what_is_certain() -> None:
    names = ("ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "conn_state")
    rows = [
        (f"{START}.0", INTRUDER, "50000", VICTIM, "22", "tcp", state) for state in ("S0", "RSTO", "S1", "SF", "REJ")
    ]
    types = dict.fromkeys(names, "string")
    assert [row for row, *_ in tries("zeek-tsv", tsv("conn", types, rows))] == [0, 4]
    del types["id.resp_p"]
    assert tries("zeek-tsv", tsv("conn", types, [(*row[:4], *row[5:]) for row in rows])) == []


_ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=30), st.just("9" * 5000)
)
_STATES = st.sampled_from(["S0", "REJ", "OTH", "SH", "RSTO", "S1", "SF", ""])


@settings(deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"conn_state": _STATES, "proto": st.sampled_from(["tcp", "udp", "icmp", "TCP", ""])},
            optional=dict.fromkeys(("id.orig_p", "id.resp_p", "orig_pkts"), _ODD)
            | {name: st.text(max_size=50) for name in ("id.orig_h", "id.resp_h", "history", "orig_flags")},
        ),
        max_size=8,
    )
)
def test_odd_values_make_no_try_and_no_trouble(rows: list[dict[str, Any]]) -> None:
    data = b"".join(json.dumps({"ts": START + 0.5, **row}).encode() + b"\n" for row in rows)
    batches = [part for part in reader_of("zeek-json", _WANTED, "conn").feed(data) if hasattr(part, "log")]
    for _, time, source, target, port, kind in (one for batch in batches for one in tries_of(View(batch))):  # type: ignore[arg-type] # as above
        assert time == START * 1_000_000 + 500_000
        assert isinstance(source, str)
        assert isinstance(target, str)
        assert isinstance(port, int)
        assert kind in Kind
