"""Log-ins of EVE: what the loop looks at is what the whole event says, and both are in Zeek's words."""

import json
from pathlib import Path

import pytest

from ingest.batch import BadLine
from ingest.eve import EveReader
from ingest.eve_glance import COLUMNS
from trailhound.record import Batch, Record

LOGINS = Path(__file__).parents[1] / "fixtures" / "suricata" / "eve-logins.json"


def _batches(data: bytes) -> list[Batch]:
    parts = list(EveReader({}, "eve").feed(data))
    return [part for part in parts if not isinstance(part, BadLine)]


def _records() -> list[Record]:
    return [batch.record(row) for batch in _batches(LOGINS.read_bytes()) for row in range(len(batch))]


def test_log_ins_are_told_in_zeeks_words() -> None:
    told = {
        (one.log, one.text("username") or one.text("client") or one.text("cookie"), one.fields.get("success"))
        for one in _records()
    }
    assert told == {
        ("rdp", "jdoe", None),
        ("ftp", None, None),
        ("ntlm", None, None),
        ("ntlm", "jdoe", False),
        ("kerberos", "jdoe/EXAMPLE.COM", False),
        ("kerberos", "jdoe/EXAMPLE.COM", True),
    }
    assert [one.number("reply_code") for one in _records() if one.log == "ftp"] == [530]


def test_the_client_is_the_source_whichever_side_wrote_the_event() -> None:
    assert {(one.source, one.destination) for one in _records()} == {("10.0.0.7", "192.0.2.9")}


@pytest.mark.parametrize("is_swapped", [False, True])
@pytest.mark.parametrize("status", ["STATUS_SUCCESS", "STATUS_LOGON_FAILURE", "STATUS_MORE_PROCESSING_REQUIRED", None])
@pytest.mark.parametrize("command", ["SMB2_COMMAND_SESSION_SETUP", "SMB2_COMMAND_CREATE"])
def test_a_glance_at_smb_sees_what_its_record_has(command: str, status: str | None, *, is_swapped: bool) -> None:
    near, far = ("10.0.0.7", 50_000), ("10.0.0.9", 445)
    source, target = (far, near) if is_swapped else (near, far)
    event = {
        "timestamp": "2026-01-05T08:00:00.000000+0000",
        "event_type": "smb",
        "src_ip": source[0],
        "src_port": source[1],
        "dest_ip": target[0],
        "dest_port": target[1],
        "proto": "TCP",
        "smb": {"command": command, "status": status, "ntlmssp": {"user": "jdoe", "domain": "X", "host": "WS7"}},
    }
    (batch,) = _batches(json.dumps(event).encode() + b"\n")
    fields = batch.record(0).fields
    for name in COLUMNS["smb"]:
        assert list(batch.column(name) or ()) == [fields.get(name)], name
    assert fields["id.orig_h"] == "10.0.0.7"
