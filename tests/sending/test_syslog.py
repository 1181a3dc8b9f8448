import json
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme

from api.sending.outcome import Later, Refused
from api.sending.post import Ways
from api.sending.targets.syslog import SyslogTarget
from tests.sending.documents import attack, document
from tests.sending.receivers import Receiver, receiving, until
from trailhound.errors import SendError
from trailhound.sending import Syslog

HEADER = re.compile(rb"<(\d{1,3})>1 (\S+) (\S+) trailhound - event - (.*)", re.DOTALL)
EVENTS = [document(identity="one"), document(identity="two", message="über\nall\r\x00=|\\ \u2028"), attack()]


def target(port: int, ways: Ways, **settings: Any) -> SyslogTarget:
    return SyslogTarget(Syslog(**{"host": "127.0.0.1", "port": port, **settings}), ways)


def by_octets(data: bytes) -> list[bytes]:
    """Cut what came as RFC 6587 says: a length, a space, the message."""
    found = []
    while data:
        length, _, data = data.partition(b" ")
        assert len(data) >= int(length)
        found.append(data[: int(length)])
        data = data[int(length) :]
    return found


def texts(messages: list[bytes]) -> list[str]:
    heads = [HEADER.fullmatch(message) for message in messages]
    assert None not in heads
    return [head[4].decode() for head in heads if head is not None]


def whole(receiver: Receiver, count: int) -> list[bytes]:
    def came() -> bool:
        try:
            return len(by_octets(bytes(receiver.data))) == count
        except (AssertionError, ValueError):
            return False

    until(came, f"arrival of {count} messages")
    return by_octets(bytes(receiver.data))


def test_messages_are_those_of_rfc_5424_with_their_lengths(ways: Ways) -> None:
    with receiving() as receiver:
        sending = target(receiver.port, ways, form="json")
        assert sending.send(EVENTS) == 0
        sending.send([EVENTS[0]])
        messages = whole(receiver, 4)
        sending.close()
    head = HEADER.fullmatch(messages[0])
    assert head is not None
    assert int(head[1]) == 16 * 8 + 2
    assert head[2] == b"2025-10-01T00:00:00.000000Z"
    assert len(receiver.connections) == 1, "one connection for all"
    found = [json.loads(text) for text in texts(messages)]
    assert [one["event"]["id"] for one in found[:3]] == [one["event"]["id"] for one in EVENTS]
    assert "enrichments" not in found[0]["threat"]
    assert found[0]["threat"]["indicator"] == EVENTS[0]["threat"]["indicator"]


def test_priority_says_severity_and_facility(ways: Ways) -> None:
    with receiving() as receiver:
        sending = target(receiver.port, ways, facility=4)
        sending.send([attack()])
        (message,) = whole(receiver, 1)
        sending.close()
    assert message.startswith(b"<37>1 ")


def test_lines_have_no_line_ends_within(ways: Ways) -> None:
    for form in ("cef", "json"):
        with receiving() as receiver:
            sending = target(receiver.port, ways, framing="lines", form=form)
            sending.send(EVENTS)
            until(partial(_has_lines, receiver), "three lines")
            sending.close()
            lines = bytes(receiver.data).split(b"\n")
        assert len(lines) == 4
        assert len(texts(lines[:3])) == 3


def _has_lines(receiver: Receiver) -> bool:
    return receiver.data.count(b"\n") >= 3


def cef(event: Mapping[str, Any], ways: Ways) -> tuple[list[str], dict[str, str]]:
    """Send an event and read it as a SIEM would."""
    with receiving() as receiver:
        sending = target(receiver.port, ways)
        sending.send([event])
        (text,) = texts(whole(receiver, 1))
        sending.close()
    *header, extension = re.split(r"(?<!\\)(?:\\\\)*\|", text, maxsplit=7)
    pairs = re.findall(r"(\w+)=((?:\\.|[^\\=])*?)(?= \w+=|$)", extension)
    unescaped = {
        name: re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), value)
        for name, value in pairs
    }
    return header, unescaped


def test_cef_says_what_the_event_says(ways: Ways) -> None:
    header, pairs = cef(document(), ways)
    assert header[:3] == ["CEF:0", "Trailhound", "Trailhound"]
    assert header[4:] == ["domain", "emotet (malware)", "10"]
    assert pairs == {
        "externalId": document()["event"]["id"],
        "cat": "c2",
        "start": "1759276800000",
        "end": "1759276800000",
        "rt": "1759276801000",
        "cnt": "1",
        "deviceDirection": "1",
        "proto": "UDP",
        "app": "dns",
        "dvchost": "sensor-1",
        "msg": "192.168.1.10 asked for www.evil.example: emotet (malware)",
        "reason": "https://lists.example/emotet.txt",
        "src": "192.168.1.10",
        "spt": "53124",
        "dst": "192.168.1.1",
        "dpt": "53",
        "cs1Label": "trail",
        "cs1": "evil.example",
        "cs2Label": "observed",
        "cs2": "www.evil.example",
        "cs3Label": "feeds",
        "cs3": "maltrail, urlhaus",
        "cs4Label": "threat",
        "cs4": document()["trailhound"]["threat_id"],
        "cs5Label": "direction",
        "cs5": "outbound",
        "cn1Label": "confidence",
        "cn1": "80",
    }


def test_ipv6_stands_where_cef_has_it(ways: Ways) -> None:
    _, pairs = cef(document(source_ip="2001:db8::7"), ways)
    assert (pairs["c6a2"], pairs["c6a2Label"]) == ("2001:db8::7", "Source IPv6 Address")
    assert "src" not in pairs


def test_nothing_of_an_event_can_become_a_field_or_a_message(ways: Ways) -> None:
    evil = "a=b src=8.8.8.8\n<13>1 - - - - - - forged | x \\ \x1b[2J"
    header, pairs = cef(document(message=evil, observed=evil), ways)
    assert pairs["src"] == "192.168.1.10"
    assert pairs["msg"] == evil.replace("\x1b", " ")
    assert pairs["cs2"] == pairs["msg"]
    from tests.stores.factory import make_trail

    header, _ = cef(document(trail=make_trail(info="name|9|src=1 \\")), ways)
    assert len(header) == 7


def test_datagrams(ways: Ways) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        sending = target(receiver.getsockname()[1], ways, transport="udp", form="json")
        sending.send(EVENTS)
        found = texts([receiver.recv(65_536) for _ in EVENTS])
        assert [json.loads(text)["event"]["id"] for text in found] == [one["event"]["id"] for one in EVENTS]
        with pytest.raises(Refused, match="do not fit into a datagram; use tcp"):
            sending.send([document(message="x" * 70_000)])
    sending.send([EVENTS[0]])
    time.sleep(0.1)  # That nobody listens comes back after the first one.
    with pytest.raises(Later, match="cannot be reached"):
        sending.send([EVENTS[0]])
    sending.close()


def test_a_receiver_that_was_killed_is_noticed_and_found_again(ways: Ways) -> None:
    with receiving() as first:
        sending = target(first.port, ways, form="json")
        sending.send([EVENTS[0]])
        whole(first, 1)
    with pytest.raises(Later, match="cannot be reached"):
        sending.send([EVENTS[1]])
    with pytest.raises(Later, match="cannot be reached: Connection refused"):
        sending.send([EVENTS[1]])
    with receiving(first.port) as again:
        sending.send([EVENTS[1]])
        (message,) = whole(again, 1)
        sending.close()
    assert json.loads(texts([message])[0])["event"]["id"] == EVENTS[1]["event"]["id"]


def test_a_receiver_that_hangs_is_given_up_in_time(ways: Ways) -> None:
    with receiving(reads=False) as receiver:
        sending = target(receiver.port, replace(ways, seconds=0.5), form="json")
        started = time.monotonic()
        with pytest.raises(Later, match=r"takes nothing|does not answer in time"):
            sending.send([document(message="x" * 10_000_000)])
        assert time.monotonic() - started < 10
        sending.close()


def issued(tmp_path: Path) -> tuple[trustme.CA, ssl.SSLContext]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return authority, context


def test_tls_is_checked_and_carries_messages(ways: Ways, tmp_path: Path) -> None:
    _, context = issued(tmp_path)
    trusting = replace(ways, ca_file=tmp_path / "ca.pem")
    with receiving(tls=context) as receiver:
        with pytest.raises(Later, match="its certificate is not trusted"):
            target(receiver.port, ways, transport="tls").send(EVENTS)
        sending = target(receiver.port, trusting, transport="tls", host="localhost", form="json")
        sending.send(EVENTS)
        sending.send(EVENTS)
        assert len(texts(whole(receiver, 6))) == 6
        sending.close()


def test_a_receiver_over_tls_that_hangs_up_is_noticed(ways: Ways, tmp_path: Path) -> None:
    _, context = issued(tmp_path)
    with receiving(tls=context) as receiver:
        sending = target(receiver.port, replace(ways, ca_file=tmp_path / "ca.pem"), transport="tls")
        sending.send(EVENTS)
        whole(receiver, 3)
    with pytest.raises(Later):
        sending.send(EVENTS)
    sending.close()


def test_a_receiver_may_ask_for_our_certificate(ways: Ways, tmp_path: Path) -> None:
    authority, context = issued(tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    ours = authority.issue_cert("sensor.example")
    ours.private_key_and_cert_chain_pem.write_to_path(tmp_path / "ours.pem")
    trusting = replace(ways, ca_file=tmp_path / "ca.pem")
    pair = {"client_cert": tmp_path / "ours.pem", "client_key": tmp_path / "ours.pem"}
    with receiving(tls=context) as receiver:
        sending = target(receiver.port, trusting, transport="tls", **pair)
        sending.send(EVENTS)
        assert len(whole(receiver, 3)) == 3
        sending.close()
    with pytest.raises(SendError, match="the certificate cannot be used"):
        target(1, trusting, transport="tls", client_cert=tmp_path / "no", client_key=tmp_path / "no")


def test_an_address_of_a_metadata_service_is_refused(ways: Ways) -> None:
    with pytest.raises(SendError, match=r"send\.reachable"):
        target(514, ways, host="169.254.169.254")


def test_a_name_that_is_none_is_waited_for(ways: Ways) -> None:
    with pytest.raises(Later, match=r"nowhere\.invalid cannot be resolved"):
        target(514, ways, host="nowhere.invalid").send(EVENTS)
