"""Flows as the logs that Zeek and Suricata would write of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from bench.traffic import Flow

Cell = str | int | float | bool | list[str] | None
Row = dict[str, Cell]
_ENDS = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr"} | {
    "id.resp_p": "port"
}
_TYPES: Mapping[str, Mapping[str, str]] = {
    "dns": _ENDS
    | {"proto": "enum", "trans_id": "count", "rtt": "interval", "query": "string", "qclass": "count"}
    | {"qclass_name": "string", "qtype": "count", "qtype_name": "string", "rcode": "count", "rcode_name": "string"}
    | {"AA": "bool", "TC": "bool", "RD": "bool", "RA": "bool", "Z": "count", "answers": "vector[string]"}
    | {"TTLs": "vector[interval]", "rejected": "bool"},
    "conn": _ENDS
    | {"proto": "enum", "service": "string", "duration": "interval", "orig_bytes": "count", "resp_bytes": "count"}
    | {"conn_state": "string", "local_orig": "bool", "local_resp": "bool", "missed_bytes": "count"}
    | {"history": "string", "orig_pkts": "count", "orig_ip_bytes": "count", "resp_pkts": "count"}
    | {"resp_ip_bytes": "count", "tunnel_parents": "set[string]"},
    "http": _ENDS
    | {"trans_depth": "count", "method": "string", "host": "string", "uri": "string", "referrer": "string"}
    | {"version": "string", "user_agent": "string", "origin": "string", "request_body_len": "count"}
    | {"response_body_len": "count", "status_code": "count", "status_msg": "string", "info_code": "count"}
    | {"info_msg": "string", "tags": "set[enum]", "username": "string", "password": "string"}
    | {"proxied": "set[string]", "orig_fuids": "vector[string]", "resp_fuids": "vector[string]"}
    | {"resp_mime_types": "vector[string]"},
}
LOGS = tuple(_TYPES)


def _ends(flow: Flow) -> Row:
    return {
        "ts": round(flow.time, 6),
        "uid": flow.uid,
        "id.orig_h": flow.client,
        "id.orig_p": flow.client_port,
        "id.resp_h": flow.server,
        "id.resp_p": flow.server_port,
    }


def _dns(flow: Flow) -> Row:
    said: Row = {
        "qclass": 1,
        "qclass_name": "C_INTERNET",
        "qtype": 1,
        "qtype_name": "A",
        "rcode": 0,
        "rcode_name": "NOERROR",
    }
    flags: Row = {"AA": False, "TC": False, "RD": True, "RA": True, "Z": 0, "rejected": False}
    asked: Row = {"proto": "udp", "trans_id": flow.number, "rtt": 0.012345, "query": flow.name}
    ends = _ends(flow) | {"id.resp_h": "10.0.0.53", "id.resp_p": 53}
    return {**ends, **asked, **said, **flags, "answers": flow.answers, "TTLs": ["60.000000"] * len(flow.answers)}


def _conn(flow: Flow) -> Row:
    sizes: Row = {"orig_bytes": flow.number, "resp_bytes": flow.number * 7, "missed_bytes": 0, "orig_pkts": 12}
    more: Row = {"orig_ip_bytes": flow.number + 600, "resp_pkts": 17, "resp_ip_bytes": flow.number * 7 + 900}
    state: Row = {"conn_state": "SF", "local_orig": True, "local_resp": False, "history": "ShADadFf"}
    return {**_ends(flow), "proto": "tcp", "service": "ssl", "duration": 1.234567, **sizes, **more, **state}


def _http(flow: Flow) -> Row:
    asked: Row = {"trans_depth": 1, "method": "GET", "host": flow.name, "uri": flow.path, "user_agent": flow.agent}
    referrer = f"http://{flow.name}/" if flow.number % 2 else None
    answered: Row = {"request_body_len": 0, "response_body_len": flow.number, "status_code": 200, "status_msg": "OK"}
    files: Row = {"resp_fuids": [f"F{flow.uid[1:18]}"], "resp_mime_types": ["text/html"]}
    return {**_ends(flow), **asked, "version": "1.1", "referrer": referrer, **answered, "tags": [], **files}


_ROWS: Mapping[str, Callable[[Flow], Row]] = {"dns": _dns, "conn": _conn, "http": _http}


def rows(log: str, flows: Iterable[Flow]) -> Iterator[Row]:
    """Give the rows of one log."""
    return map(_ROWS[log], flows)


def zeek_tsv(log: str, flows: Iterable[Flow]) -> bytes:
    return tsv(log, rows(log, flows))


def tsv(log: str, made: Iterable[Row]) -> bytes:
    """Write rows as Zeek does."""
    types = _TYPES[log]
    header = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
    header += f"#path\t{log}\n#fields\t" + "\t".join(types) + "\n#types\t" + "\t".join(types.values()) + "\n"
    lines = ("\t".join([_cell(row.get(name)) for name in types]) for row in made)
    return (header + "\n".join(lines) + "\n").encode()


def zeek_json(log: str, flows: Iterable[Flow]) -> bytes:
    return _lines({name: value for name, value in row.items() if value is not None} for row in rows(log, flows))


def _cell(value: Cell) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, list):
        return ",".join(value) or "(empty)"
    return f"{value:.6f}" if isinstance(value, float) else str(value)


def _lines(objects: Iterable[object]) -> bytes:
    return b"".join(msgspec.json.encode(item) + b"\n" for item in objects)


# What an office network's eve.json is made of, in parts of a hundred.
_MIX = ("flow",) * 45 + ("dns",) * 30 + ("tls",) * 12 + ("http",) * 8 + ("fileinfo",) * 3 + ("alert",) * 2


def eve(flows: Iterable[Flow]) -> bytes:
    return _lines(_events(flows))


def _events(flows: Iterable[Flow]) -> Iterator[object]:
    for place, flow in enumerate(flows):
        kind = _MIX[place * 37 % len(_MIX)]
        stamp = datetime.fromtimestamp(flow.time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
        yield {
            "timestamp": stamp,
            "flow_id": int(flow.uid[1:14], 16),
            "in_iface": "eth0",
            "event_type": kind,
            "src_ip": flow.client,
            "src_port": flow.client_port,
            "dest_ip": flow.server,
            "dest_port": flow.server_port,
            "proto": "UDP" if kind == "dns" else "TCP",
            **_PARTS[kind](flow, stamp),
        }


def _eve_flow(flow: Flow, stamp: str) -> dict[str, object]:
    sizes = {"pkts_toserver": 12, "pkts_toclient": 17, "bytes_toserver": flow.number, "bytes_toclient": flow.number * 7}
    tcp = {"tcp_flags": "1b", "tcp_flags_ts": "1b", "tcp_flags_tc": "1b", "syn": True, "fin": True, "state": "closed"}
    about = {**sizes, "start": stamp, "end": stamp, "age": 1, "state": "closed", "reason": "timeout", "alerted": False}
    return {"app_proto": "tls", "flow": about, "tcp": tcp}


def _eve_dns(flow: Flow, stamp: str) -> dict[str, object]:
    del stamp
    answers = [{"rrname": flow.name, "rrtype": "A", "ttl": 60, "rdata": answer} for answer in flow.answers]
    said = {"version": 2, "type": "answer", "id": flow.number, "flags": "8180", "qr": True, "rd": True, "ra": True}
    return {"dns": {**said, "rrname": flow.name, "rrtype": "A", "rcode": "NOERROR", "answers": answers}}


def _eve_tls(flow: Flow, stamp: str) -> dict[str, object]:
    del stamp
    fingerprint = ":".join(f"{ord(letter):02x}" for letter in flow.name[:20].ljust(20))
    valid = {
        "notbefore": "2025-10-01T00:00:00",
        "notafter": "2026-10-01T00:00:00",
        "version": "TLS 1.2",
        "serial": "0A:1B:2C",
    }
    about = {"subject": f"CN={flow.name}", "issuerdn": "C=US, O=Example, CN=Example CA", "fingerprint": fingerprint}
    return {
        "tls": {"sni": flow.name, "version": "TLS 1.2", **about, **valid, "ja3": {"hash": f"{len(flow.agent):032x}"}}
    }


def _eve_http(flow: Flow, stamp: str) -> dict[str, object]:
    del stamp
    asked = {"hostname": flow.name, "url": flow.path, "http_user_agent": flow.agent, "http_method": "GET"}
    answered = {"protocol": "HTTP/1.1", "status": 200, "length": flow.number, "http_content_type": "text/html"}
    return {"tx_id": 0, "http": {**asked, **answered}}


def _eve_fileinfo(flow: Flow, stamp: str) -> dict[str, object]:
    file = {"filename": flow.path, "size": flow.number, "state": "CLOSED", "stored": False, "sha256": flow.uid[1:] * 2}
    return {**_eve_http(flow, stamp), "app_proto": "http", "fileinfo": {**file, "md5": f"{flow.number:032x}"}}


def _eve_alert(flow: Flow, stamp: str) -> dict[str, object]:
    alert = {"action": "allowed", "gid": 1, "signature_id": 2_000_000, "rev": 1, "signature": "A POLICY rule"}
    return {**_eve_http(flow, stamp), "app_proto": "http", "alert": {**alert, "category": "Misc", "severity": 3}}


_PARTS: Mapping[str, Callable[[Flow, str], dict[str, object]]] = {
    "flow": _eve_flow,
    "dns": _eve_dns,
    "tls": _eve_tls,
    "http": _eve_http,
    "fileinfo": _eve_fileinfo,
    "alert": _eve_alert,
}
