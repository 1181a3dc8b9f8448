"""Small true logs of each format that meet trails of `tests.fuzz.checks`, for fuzzers to start from."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.matchers.build import tsv

ENDS = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr"} | {
    "id.resp_p": "port"
}
TYPES: Mapping[str, Mapping[str, str]] = {
    "dns": ENDS | {"trans_id": "count", "query": "string", "qtype": "count", "answers": "vector[string]"},
    "conn": ENDS | {"proto": "enum", "conn_state": "string", "duration": "interval", "resp_pkts": "count"},
    "http": ENDS
    | {"trans_depth": "count", "method": "string", "host": "string", "uri": "string", "referrer": "string"}
    | {"user_agent": "string", "status_code": "count", "proxied": "set[string]"},
    "ssl": ENDS
    | {"version": "string", "cipher": "string", "server_name": "string", "established": "bool"}
    | {"cert_chain_fps": "vector[string]", "subject": "string", "ja3": "string"},
}
AT = ("1767600000.5", "C1", "10.0.0.1", "40000", "203.0.113.5", "443")
FORWARDED = "X-FORWARDED-FOR -> 203.0.113.5"
CELLS: Mapping[str, Sequence[str]] = {
    "dns": ("7", "www.evil.example", "1", "203.0.113.5,alias.evil.example"),
    "conn": ("tcp", "SF", "1.5", "3"),
    "http": ("1", "GET", "url.example:80", "/Bad/path?x=1", "http://evil.example/", "EvilBot/1.0", "200", FORWARDED),
    "ssl": ("TLSv12", "TLS_X", "host.example", "T", "b2" * 32, "CN=*.evil.example,O=x", "c3" * 16),
}


def event(type_: str, **more: Any) -> bytes:
    ends = {"src_ip": "10.0.0.1", "src_port": 40000, "dest_ip": "203.0.113.5", "dest_port": 443, "proto": "TCP"}
    whole = {"timestamp": "2026-01-05T12:00:00.000001+0000", "event_type": type_, "flow_id": 7, **ends, **more}
    return json.dumps(whole).encode() + b"\n"


def _eve() -> list[bytes]:
    http = {"hostname": "url.example", "url": "/bad/path?x=1", "http_user_agent": "evilbot/1.0", "status": 200}
    tls = {"sni": "host.example", "subject": "CN=evil.example", "fingerprint": ":".join(["a1"] * 20)}
    return [
        event("dns", dns={"type": "query", "id": 7, "rrname": "www.evil.example", "rrtype": "A"}),
        event("dns", dns={"type": "answer", "rrname": "x.y", "answers": [{"rrtype": "A", "rdata": "203.0.113.5"}]}),
        event("http", http=http),
        event("tls", tls={**tls, "ja3": {"hash": "c3" * 16}}),
        event("quic", quic={"sni": "evil.example"}),
        event("flow", flow={"start": "2026-01-05T12:00:00.000001+0000", "pkts_toclient": 3}),
        event("fileinfo", fileinfo={"md5": "c3" * 16, "sha256": "b2" * 32}, http=http),
        event("alert", alert={"signature": "x"}, http=http, tls=tls),
    ]


def _json(log: str) -> bytes:
    row = dict(zip(TYPES[log], (*AT, *CELLS[log]), strict=True))
    typed = {name: _typed(TYPES[log][name], cell) for name, cell in row.items()}
    return json.dumps(typed).encode() + b"\n"


def _typed(type_: str, cell: str) -> Any:
    if "[" in type_:
        return cell.split(",")
    if type_ in ("count", "port"):
        return int(cell)
    return float(cell) if type_ in ("time", "interval") else cell == "T" if type_ == "bool" else cell


SEEDS: Sequence[tuple[str, bytes]] = (
    *(("zeek-tsv", tsv(log, types, [(*AT, *CELLS[log])])) for log, types in TYPES.items()),
    *(("zeek-json", _json(log)) for log in TYPES),
    *(("eve", line) for line in _eve()),
)
