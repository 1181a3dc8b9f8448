"""Whatever cells logs hold: no heuristic fails, what they hold stays bounded, and no cell makes one slow."""

import json
from collections.abc import Iterable, Mapping, Sequence
from time import process_time
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from matchers.engine import Engine
from matchers.heuristics import chosen, registry
from matchers.heuristics.heuristic import Surroundings
from matchers.heuristics.running import Heuristics
from matchers.networks import HomeNetworks
from tests.fuzz.checks import TRAILS, check_events
from tests.fuzz.seeds import ENDS, event
from tests.fuzz.test_slowness import FACTOR, MOST, SHAPES, SHORT
from tests.matchers.build import engine, matched, tsv
from trailhound.event import Event
from trailhound.settings import HOME_NETWORKS

START, SLACK = 1_767_600_000, 300_000_000
MOST_HELD = 200_000  # Keys; each heuristic names its own bound, and none is above this.
LOGS: Mapping[str, Sequence[str]] = {
    log: tuple(dict.fromkeys(name for one in registry().values() for name in one.reads.get(log, ())))
    for log in dict.fromkeys(log for one in registry().values() for log in one.reads)
}
ADDRESSES = (
    "10.0.0.5",
    "10.0.0.6",
    "203.0.113.5",
    "198.51.100.7",
    "2001:db8::5",
    "fe80::1%eth0",
    "0.0.0.0",
    "::ffff:10.0.0.5",
)
CELLS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(ADDRESSES),
    st.sampled_from(
        [
            *(
                "-",
                "",
                "(empty)",
                "\\x2d",
                "\\xff\\xfe",
                "T",
                "F",
                "-1",
                "0",
                "22",
                "80",
                "nan",
                "inf",
                "1e308",
                "99999999999999999999",
            ),
            *(
                "a." * 30 + "evil.example",
                "x" * 63 + ".example.com",
                "/../../etc/passwd",
                "/%25%32%65%00",
                "${jndi:ldap://a/b}",
            ),
            *(
                "S0",
                "REJ",
                "SF",
                "RSTO",
                "OTH",
                "Sh",
                "ShADadFf",
                "tcp",
                "udp",
                "NXDOMAIN",
                "TXT",
                "NOERROR",
                "CN=a",
                "text/x-sh",
            ),
            *("1.parkingcrew.net", "203.0.113.5,198.51.100.7", "sinkhole.example", "Mozilla/4.0", "sqlmap/1.0", ","),
        ]
    ),
    st.from_regex(r"[a-z0-9.%/\\<>'\"=;(){}$-]{0,60}", fullmatch=True),
)
VALUES = st.one_of(
    CELLS,
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(),
    st.lists(CELLS, max_size=3),
    st.dictionaries(CELLS, CELLS, max_size=2),
)
# Most times are near each other, as those of a log are; some are from another world, and some are none.
TIMES = st.one_of(st.integers(0, 400), st.sampled_from([-(10**6), 10**7, -START, 10**11]))
EVENTS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "dns": {"dns": ("type", "rrname", "rrtype", "rcode", "answers", "queries", "grouped", "rdata", "id", "version")},
    "http": {
        "http": (
            "hostname",
            "url",
            "http_user_agent",
            "http_content_type",
            "status",
            "redirect",
            "http_refer",
            "length",
        ),
        "fileinfo": ("filename", "magic", "sha256"),
    },
    "flow": {
        "flow": ("state", "pkts_toserver", "bytes_toserver", "start", "end", "age"),
        "tcp": ("tcp_flags", "state"),
    },
    "tls": {"tls": ("sni", "subject", "issuerdn", "notbefore", "notafter", "fingerprint", "version", "chain")},
    "fileinfo": {"fileinfo": ("filename", "magic", "sha256", "size"), "http": ("hostname", "url")},
    "ssh": {"ssh": ("client", "server")},
    "rdp": {"rdp": ("event_type", "cookie", "tx_id")},
    "ftp": {"ftp": ("command", "command_data", "completion_code", "reply")},
    "krb5": {"krb5": ("msg_type", "cname", "error_code", "failed_request", "realm")},
    "smb": {"smb": ("command", "ntlmssp", "status", "session_id")},
    "quic": {"quic": ("sni", "version")},
}


def watched() -> Engine:
    machine = engine(TRAILS)
    everything = [name for name, one in registry().items() if not one.enabled]
    surroundings = Surroundings(HomeNetworks(HOME_NETWORKS), machine.rules, SLACK)
    machine.use(Heuristics(chosen([], everything, {}), surroundings))
    return machine


def look(machine: Engine, format_: str, data: bytes, log: str) -> list[Event]:
    """Read a log, and see that no heuristic failed or holds too much."""
    events = matched(machine, format_, data, log).events
    running = machine.heuristics
    assert running is not None
    assert running.failures == {}
    assert {name: held for name, held in running.held().items() if held > MOST_HELD} == {}
    check_events(event for event in events if "rule.name" not in event.ecs)
    for one in events:
        if "rule.name" in one.ecs:
            assert 0 <= one.trail.confidence <= 100
            assert one.start <= one.end
    return events


def rows(
    cells: st.SearchStrategy[Any], log: str, times: st.SearchStrategy[Any] = TIMES
) -> st.SearchStrategy[list[tuple[Any, list[Any]]]]:
    return st.lists(
        st.tuples(times, st.lists(cells, min_size=len(LOGS[log]), max_size=len(LOGS[log]))), min_size=1, max_size=40
    )


# Examples are small; to shrink one further takes minutes and tells no more.
QUICK = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("log", LOGS)
@QUICK
@given(st.data())
def test_no_cell_of_zeeks_tsv_makes_one_fail(log: str, data: st.DataObject) -> None:
    types = {**ENDS, **dict.fromkeys((name for name in LOGS[log] if name not in ENDS), "string")}
    lines = []
    for time, cells in data.draw(rows(CELLS, log)):
        told = dict(zip(LOGS[log], cells, strict=True)) | {"ts": f"{START + time}.000000"}
        lines.append([str(told.get(name, "-")).translate({9: "_", 10: "_", 13: "_"}) for name in types])
    look(watched(), "zeek-tsv", tsv(log, types, lines), log)


@pytest.mark.parametrize("log", LOGS)
@QUICK
@given(st.data())
def test_no_value_of_zeeks_json_makes_one_fail(log: str, data: st.DataObject) -> None:
    objects = [
        {**dict(zip(LOGS[log], cells, strict=True)), "ts": START + time if isinstance(time, int) else time, "uid": "C1"}
        for time, cells in data.draw(rows(VALUES, log, st.one_of(TIMES, TIMES, TIMES, VALUES)))
    ]
    look(watched(), "zeek-json", written(objects), log)


@pytest.mark.parametrize("kind", EVENTS)
@QUICK
@given(st.data())
def test_no_value_of_eve_makes_one_fail(kind: str, data: st.DataObject) -> None:
    parts = {part: st.dictionaries(st.sampled_from(names), VALUES) for part, names in EVENTS[kind].items()}
    shape = st.fixed_dictionaries({**parts, "src_ip": st.sampled_from(ADDRESSES), "dest_port": st.integers(0, 65535)})
    events = data.draw(
        st.lists(st.one_of(shape, st.dictionaries(st.sampled_from([*parts]), VALUES)), min_size=1, max_size=30)
    )
    look(watched(), "eve", b"".join(event(kind, **{"app_proto": "x", **one}) for one in events), "eve")


def test_a_flow_whose_start_is_none_does_not_hide_the_others() -> None:
    flows = [{"start": "2026-01-05T12:00:00.000001+0000", "pkts_toserver": 1, "pkts_toclient": 0, "state": "new"}] * 30
    flows[7] = {**flows[7], "start": "10.0.0.5"}
    tcp = {"state": "syn_sent", "tcp_flags_ts": "02", "tcp_flags_tc": "00"}
    data = b"".join(event("flow", flow=flow, tcp=tcp, dest_port=1000 + place) for place, flow in enumerate(flows))
    found = {one.ecs.get("rule.name") for one in look(watched(), "eve", data, "eve")}
    assert "port-scan" in found


def written(objects: Iterable[object]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in objects)


@pytest.mark.parametrize("log", ["http", "dns", "ssl", "x509", "quic", "ftp", "ntlm", "kerberos"])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_cell_makes_one_slow(log: str, shape: str) -> None:
    make = SHAPES[shape]
    texts = [name for name in LOGS[log] if not name.startswith("id.")]

    def cost(size: int) -> float:
        told = {
            **dict.fromkeys(texts, make(size)),
            "id.orig_h": "10.0.0.5",
            "id.resp_h": "203.0.113.5",
            "ts": START,
            "uid": "C",
        }
        data, costs = written([told]), []
        for _ in range(2):
            machine = watched()
            begun = process_time()
            look(machine, "zeek-json", data, log)
            costs.append(process_time() - begun)
        return min(costs)

    long = cost(SHORT * FACTOR)
    if long > 0.05:  # Otherwise it is so quick that there is nothing to compare.
        short = cost(SHORT)
        assert long <= MOST * max(short, 0.0002), (short, long)


def test_a_storm_of_made_up_addresses_fills_no_memory() -> None:
    machine = watched()
    types = {**ENDS, **dict.fromkeys((name for name in LOGS["conn"] if name not in ENDS), "string")}
    for batch in range(4):
        lines = []
        for place in range(50_000):
            number = batch * 50_000 + place
            source = f"{11 + number % 89}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            told = {"ts": f"{START + number / 10_000:.6f}", "uid": "C", "id.orig_h": source, "id.orig_p": "40000"}
            told |= {"id.resp_h": "10.0.0.9", "id.resp_p": str(number * 7 % 65536), "proto": "tcp", "conn_state": "S0"}
            told |= {"history": "S", "orig_pkts": "1"}
            lines.append([told.get(name, "-") for name in types])
        look(machine, "zeek-tsv", tsv("conn", types, lines), "conn")
