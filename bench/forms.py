"""Single records, told in Zeek's words, as each format writes them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

Row = Mapping[str, Any]
FORMATS = ("zeek-tsv", "zeek-json", "eve")
START = 1_767_600_000.0
_ENDS = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr"} | {
    "id.resp_p": "port"
}
TYPES: Mapping[str, Mapping[str, str]] = {
    "dns": _ENDS
    | {"proto": "enum", "trans_id": "count", "query": "string", "qtype": "count", "qtype_name": "string"}
    | {"rcode_name": "string", "answers": "vector[string]"},
    "conn": _ENDS | {"proto": "enum", "conn_state": "string", "resp_pkts": "count"},
    "http": _ENDS
    | {"trans_depth": "count", "method": "string", "host": "string", "uri": "string", "referrer": "string"}
    | {"user_agent": "string", "status_code": "count", "proxied": "set[string]"},
    "ssl": _ENDS
    | {"version": "string", "cipher": "string", "server_name": "string", "established": "bool"}
    | {"fingerprint": "string", "subject": "string", "ja3": "string", "ja3s": "string", "ja4": "string"},
    "quic": _ENDS | {"version": "string", "client_initial_dcid": "string", "server_name": "string"},
    "files": _ENDS | {"fuid": "string", "seen_bytes": "count", "md5": "string", "sha1": "string", "sha256": "string"},
}
# What every row of a log says unless told otherwise.
_USUAL: Mapping[str, Row] = {
    "dns": {"id.resp_h": "10.0.0.53", "id.resp_p": 53, "proto": "udp", "qtype": 1, "qtype_name": "A"},
    "conn": {"proto": "tcp", "conn_state": "SF", "resp_pkts": 5},
    "http": {"id.resp_p": 80, "trans_depth": 1, "method": "GET", "uri": "/", "status_code": 200},
    "ssl": {"version": "TLSv12", "cipher": "TLS_AES_128_GCM_SHA256", "established": True},
    "quic": {"version": "1", "client_initial_dcid": "c0ffee"},
    "files": {"fuid": "F1", "seen_bytes": 9},
}


def write(format_: str, log: str, rows: Iterable[Row]) -> bytes:
    """Write rows of one log in one format; each is a connection of its own."""
    whole = [_whole(log, number, row) for number, row in enumerate(rows)]
    if format_ == "zeek-tsv":
        return _tsv(log, whole)
    objects = whole if format_ == "zeek-json" else [_event(log, row) for row in whole]
    return b"".join(msgspec.json.encode(item) + b"\n" for item in objects)


def _whole(log: str, number: int, row: Row) -> dict[str, Any]:
    ends = {"ts": START + number, "uid": f"C{number}", "id.orig_h": "10.0.0.1", "id.orig_p": 40000}
    asked = {"trans_id": number % 65536} if log == "dns" else {}
    return {**ends, "id.resp_h": "192.0.2.1", "id.resp_p": 443, **_USUAL[log], **asked, **row}


def _tsv(log: str, rows: Sequence[Row]) -> bytes:
    types = TYPES[log]
    head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
    head += f"#path\t{log}\n#fields\t" + "\t".join(types) + "\n#types\t" + "\t".join(types.values()) + "\n"
    return (head + "".join("\t".join(_cell(row.get(name)) for name in types) + "\n" for row in rows)).encode()


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ",".join(item.replace(",", "\\x2c") for item in value) or "(empty)"
    if isinstance(value, bool):
        return "T" if value else "F"
    return f"{value:.6f}" if isinstance(value, float) else str(value).replace("\t", "\\x09")


def _event(log: str, row: Row) -> dict[str, Any]:
    stamp = datetime.fromtimestamp(row["ts"], UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
    type_, part = _PARTS[log](row, stamp)
    return {
        "timestamp": stamp,
        "flow_id": int(row["uid"][1:]) + 1,
        "event_type": type_,
        "src_ip": row["id.orig_h"],
        "src_port": row["id.orig_p"],
        "dest_ip": row["id.resp_h"],
        "dest_port": row["id.resp_p"],
        "proto": str(row.get("proto", "tcp")).upper(),
        type_: {name: value for name, value in part.items() if value is not None},
        **({"http": {"hostname": "files.test", "url": "/f"}} if log == "files" else {}),
    }


def _dns(row: Row, _: str) -> tuple[str, Row]:
    asked = {"id": row["trans_id"], "rrname": row.get("query"), "rrtype": row["qtype_name"]}
    if "answers" not in row:
        return "dns", {"type": "query", **asked}
    answers = [{"rrname": row.get("query"), "rrtype": "A", "rdata": answer} for answer in row["answers"]]
    return "dns", {"version": 2, "type": "answer", "rcode": "NOERROR", **asked, "answers": answers}


def _http(row: Row, _: str) -> tuple[str, Row]:
    forwarded = ",".join(item.partition(" -> ")[2] for item in row.get("proxied", ())) or None
    asked = {"hostname": row.get("host"), "url": row["uri"], "http_method": row["method"], "xff": forwarded}
    return "http", {
        **asked,
        "http_user_agent": row.get("user_agent"),
        "http_refer": row.get("referrer"),
        "status": row["status_code"],
    }


def _tls(row: Row, _: str) -> tuple[str, Row]:
    hashes = {name: {"hash": row[name]} for name in ("ja3", "ja3s") if name in row}
    names = {name: row.get(name) for name in ("subject", "fingerprint", "ja4")}
    return "tls", {"version": "TLS 1.2", "sni": row.get("server_name"), **names, **hashes}


def _quic(row: Row, _: str) -> tuple[str, Row]:
    return "quic", {"version": "1", "sni": row.get("server_name")}


def _flow(row: Row, stamp: str) -> tuple[str, Row]:
    replied = row["resp_pkts"] if row["conn_state"] == "SF" else 0
    return "flow", {"start": stamp, "pkts_toserver": 5, "pkts_toclient": replied}


def _file(row: Row, _: str) -> tuple[str, Row]:
    return "fileinfo", {"size": row["seen_bytes"], **{name: row.get(name) for name in ("md5", "sha1", "sha256")}}


_PARTS: Mapping[str, Callable[[Row, str], tuple[str, Row]]] = {
    "dns": _dns,
    "http": _http,
    "ssl": _tls,
    "quic": _quic,
    "conn": _flow,
    "files": _file,
}
