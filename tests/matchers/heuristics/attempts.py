"""Attempts to log in, as Zeek and Suricata write them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from matchers.engine import Engine
from tests.matchers.build import matched, tsv
from trailhound.event import Event

START = 1_767_600_000
FORMATS = ("zeek-tsv", "zeek-json", "eve")
_ENDS = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr"} | {
    "id.resp_p": "port"
}
_COLUMNS = {
    "ssh": {"version": "count", "auth_success": "bool", "auth_attempts": "count", "direction": "enum"},
    "rdp": {"cookie": "string", "result": "string", "security_protocol": "string"},
    "ftp": {"user": "string", "command": "string", "reply_code": "count", "reply_msg": "string"},
    "ntlm": {"username": "string", "domainname": "string", "server_nb_computer_name": "string", "success": "bool"},
    "kerberos": {"request_type": "string", "client": "string", "success": "bool", "error_msg": "string"},
}
PORTS = {"ssh": 22, "rdp": 3389, "ftp": 21, "ntlm": 445, "kerberos": 88}
# Suricata says nothing of log-ins over SSH, and of FTP not who it was.
SHOWN = [(format_, log) for format_ in FORMATS for log in PORTS if (format_, log) != ("eve", "ssh")]


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to log in, by default one that fails. `time` is seconds after `START`; `is_good` of None is unseen."""

    log: str
    time: float = 0
    source: str = "10.0.0.7"
    target: str = "10.0.0.9"
    port: int = 40_000
    user: str = "jdoe"
    is_good: bool | None = False
    attempts: int = 1


def failures(log: str, number: int, *, step: float = 1, start: float = 0, source: str = "10.0.0.7") -> list[Attempt]:
    return [Attempt(log, start + step * n, source, port=40_000 + n) for n in range(number)]


def found(machine: Engine, format_: str, attempts: Sequence[Attempt]) -> list[Event]:
    """Give what heuristics found, and look that none failed."""
    log = attempts[0].log
    events = matched(machine, format_, written(format_, attempts), log).events
    assert machine.heuristics is not None
    assert machine.heuristics.failures == {}
    return [event for event in events if "rule.name" in event.ecs]


def written(format_: str, attempts: Sequence[Attempt]) -> bytes:
    log = attempts[0].log
    if format_ == "eve":
        return _lines(map(_event, attempts))
    if format_ == "zeek-json":
        return _lines(map(_object, attempts))
    types = _ENDS | _COLUMNS[log]
    rows = [{name: _cell(value) for name, value in _object(attempt).items()} for attempt in attempts]
    return tsv(log, types, [[row.get(name, "-") for name in types] for row in rows])


def _lines(objects: Iterable[object]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


def _cell(value: object) -> str:
    return {True: "T", False: "F"}[value] if isinstance(value, bool) else str(value)


def _object(attempt: Attempt) -> dict[str, object]:
    ends: dict[str, object] = {
        "ts": START + attempt.time,
        "uid": f"C{attempt.port}",
        "id.orig_h": attempt.source,
        "id.orig_p": attempt.port,
        "id.resp_h": attempt.target,
        "id.resp_p": PORTS[attempt.log],
    }
    return ends | {name: value for name, value in _said(attempt) if value is not None}


def _said(attempt: Attempt) -> Iterator[tuple[str, object]]:
    good, user = attempt.is_good, attempt.user
    match attempt.log:
        case "ssh":
            yield from {"version": 2, "direction": "INTERNAL", "auth_success": good}.items()
            yield "auth_attempts", attempt.attempts
        case "rdp":
            yield from {"cookie": user, "result": "encrypted", "security_protocol": "HYBRID"}.items()
        case "ftp":
            yield from {
                "user": user,
                "command": "PASS",
                "reply_code": 230 if good else 530 if good is False else 331,
            }.items()
        case "ntlm":
            yield from {"username": user, "domainname": "EXAMPLE", "success": good}.items()
            yield "server_nb_computer_name", "FILES"
        case _:
            error = None if good else "KDC_ERR_PREAUTH_REQUIRED" if good is None else "KDC_ERR_PREAUTH_FAILED"
            yield from {"request_type": "AS", "client": f"{user}/EXAMPLE.COM", "success": bool(good)}.items()
            yield "error_msg", error


def _event(attempt: Attempt) -> dict[str, object]:
    type_ = {"ntlm": "smb", "kerberos": "krb5"}.get(attempt.log, attempt.log)
    return {
        "timestamp": datetime.fromtimestamp(START + attempt.time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000"),
        "flow_id": attempt.port,
        "event_type": type_,
        "src_ip": attempt.source,
        "src_port": attempt.port,
        "dest_ip": attempt.target,
        "dest_port": PORTS[attempt.log],
        "proto": "TCP",
        type_: _of_suricata(attempt),
    }


def _of_suricata(attempt: Attempt) -> dict[str, object]:
    good, user = attempt.is_good, attempt.user
    match attempt.log:
        case "rdp":
            return {"event_type": "initial_request", "cookie": user}
        case "ftp":
            return {"command": "PASS", "completion_code": ["230" if good else "530" if good is False else "331"]}
        case "ntlm":
            status = {True: "STATUS_SUCCESS", False: "STATUS_LOGON_FAILURE", None: "STATUS_MORE_PROCESSING_REQUIRED"}
            ntlmssp = {"user": user, "domain": "EXAMPLE", "host": "WS7"}
            return {"command": "SMB2_COMMAND_SESSION_SETUP", "status": status[good], "ntlmssp": ntlmssp}
        case _:
            said: dict[str, object] = {"cname": user, "realm": "EXAMPLE.COM", "sname": "krbtgt/EXAMPLE.COM"}
            if good:
                return {**said, "msg_type": "KRB_AS_REP"}
            error = "KDC_ERR_PREAUTH_REQUIRED" if good is None else "KDC_ERR_PREAUTH_FAILED"
            return {**said, "msg_type": "KRB_ERROR", "failed_request": "KRB_AS_REQ", "error_code": error}
