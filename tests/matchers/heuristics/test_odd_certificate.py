"""Certificates that are odd in several ways at once."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from matchers.engine import Engine
from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.build import matched, tsv
from tests.matchers.heuristics.questions import START, watched, watched_by
from trailhound.event import Event
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_NAME = "odd-certificate"
# Old Zeek has subject and issuer in ssl.log, recent ones in x509.log; EVE has all in one.
_WAYS = ("zeek-tsv", "zeek-json", "x509", "eve")
_SELF = {"subject": "CN=vps7.example.net", "issuer": "CN=vps7.example.net"}
_SIGNED = {"subject": "CN=shop.example.com", "issuer": "CN=R11,O=Let's Encrypt,C=US"}
_TOR = {"subject": "CN=www.xsyivzl6tkqb4gdw.com", "issuer": "CN=www.kq7zvbx2rtlwgh.net"}
_DAY = 86_400
_TYPES = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr"} | {
    "id.resp_p": "port",
    "cipher": "string",
    "server_name": "string",
    "established": "bool",
    "cert_chain_fps": "vector[string]",
    "subject": "string",
    "issuer": "string",
    "validation_status": "string",
}


def _seen(
    machine: Engine,
    way: str,
    certificate: Mapping[str, str],
    *,
    name: str = "",
    server: str = "192.0.2.9",
    port: int = 443,
    age: int = 30 * _DAY,
    status: str = "",
    number: int = 1,
) -> list[Event]:
    """Show a certificate that ends so many seconds after `START`."""
    ends = START + age
    zeek = {
        "ts": START,
        "uid": "C1",
        "id.orig_h": "10.0.0.7",
        "id.orig_p": 40_000,
        "id.resp_h": server,
        "id.resp_p": port,
        "cipher": "TLS_AES_128_GCM_SHA256",
        "server_name": name,
        "established": True,
        "validation_status": status,
    }
    if way == "eve":
        data = json.dumps(_event(certificate, name, server, port, ends)).encode() + b"\n"
        return _found(machine, "eve", data * number, "eve")
    if way == "x509":
        known = {
            "ts": START,
            "fingerprint": "ab" * 32,
            "certificate.serial": "01",
            "certificate.subject": certificate["subject"],
            "certificate.issuer": certificate["issuer"],
            "certificate.not_valid_before": START - 90 * _DAY,
            "certificate.not_valid_after": ends,
        }
        assert _found(machine, "zeek-json", json.dumps(known).encode() + b"\n", "x509") == []
        zeek["cert_chain_fps"] = ["ab" * 32]
    else:
        zeek |= certificate
    set_ = {key: value for key, value in zeek.items() if value != ""}
    if way != "zeek-tsv":
        return _found(machine, "zeek-json", (json.dumps(set_).encode() + b"\n") * number, "ssl")
    row = [{True: "T"}.get(set_.get(key, "-"), str(set_.get(key, "-"))) for key in _TYPES]  # type: ignore[call-overload]
    return _found(machine, way, tsv("ssl", _TYPES, [row] * number), "ssl")


def _event(certificate: Mapping[str, str], name: str, server: str, port: int, ends: int) -> dict[str, object]:
    return {
        "timestamp": datetime.fromtimestamp(START, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000"),
        "flow_id": 1,
        "event_type": "tls",
        "src_ip": "10.0.0.7",
        "src_port": 40_000,
        "dest_ip": server,
        "dest_port": port,
        "proto": "TCP",
        "tls": {
            "subject": certificate["subject"],
            "issuerdn": certificate["issuer"],
            "notbefore": "2025-01-01T00:00:00",
            "notafter": datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "version": "TLS 1.2",
            **({"sni": name} if name else {}),
        },
    }


def _found(machine: Engine, format_: str, data: bytes, log: str) -> list[Event]:
    events = matched(machine, format_, data, log).events
    assert machine.heuristics is not None
    assert machine.heuristics.failures == {}
    return events


@pytest.mark.parametrize("way", _WAYS)
def test_a_certificate_that_is_odd_in_several_ways_is_told_once(way: str) -> None:
    machine = watched(_NAME)
    (event,) = _seen(machine, way, _SELF, port=4433, number=3)
    said = "was shown an odd certificate by 192.0.2.9 (self-signed, abroad, no name, port)"
    assert event.message == f"10.0.0.7 {said}: suspicious certificate"
    assert (event.trail.kind, event.trail.value, event.trail.confidence) == (TrailKind.IPV4, "192.0.2.9", 70)
    assert event.severity is Severity.LOW
    assert [part["points"] for part in event.ecs["trailhound.parts"]] == [35, 20, 5, 10]
    assert _seen(machine, way, _SELF, port=4433) == []


@pytest.mark.parametrize("way", _WAYS)
def test_the_name_that_was_asked_for_is_told(way: str) -> None:
    (event,) = _seen(watched(_NAME), way, _SELF, name="cdn.example.org")
    assert (event.trail.kind, event.trail.value) == (TrailKind.DOMAIN, "cdn.example.org")
    assert "other name" in event.message


@pytest.mark.parametrize("way", ["x509", "eve"])
def test_an_expired_one_is_told_by_its_dates(way: str) -> None:
    (event,) = _seen(watched(_NAME), way, _SELF, name="vps7.example.net", age=-_DAY)
    assert "expired" in event.message


@pytest.mark.parametrize("way", _WAYS)
def test_generated_names_are_odd(way: str) -> None:
    (event,) = _seen(watched(_NAME), way, _TOR, name="www.example.org")
    assert event.severity is Severity.MEDIUM
    assert "odd name, odd issuer" in event.message


@pytest.mark.parametrize("way", _WAYS)
def test_near_misses_are_silent(way: str) -> None:
    for more in (
        {"name": "vps7.example.net"},
        {"name": "www.vps7.example.net"},
        {"server": "10.0.0.9", "port": 4433},
    ):
        assert _seen(watched(_NAME), way, _SELF, **more) == []
    assert _seen(watched(_NAME), way, _SIGNED, name="shop.example.com", port=4433, age=-_DAY) == []


def test_zeek_says_what_it_made_of_the_chain() -> None:
    nothing = {"subject": "", "issuer": ""}
    (event,) = _seen(watched(_NAME), "zeek-tsv", nothing, port=4433, status="self signed certificate")
    assert "self-signed" in event.message
    assert _seen(watched(_NAME), "zeek-tsv", nothing, port=4433, status="ok") == []
    assert _seen(watched(_NAME), "zeek-tsv", nothing, port=4433) == []


def test_what_is_whitelisted_or_muted_is_silent() -> None:
    assert _seen(watched(_NAME, allowed="192.0.2.9\n"), "eve", _SELF, port=4433) == []
    assert _seen(watched(_NAME, muted=Mutes([Mute(rule=_NAME)])), "eve", _SELF, port=4433) == []


def test_thresholds_are_the_sites() -> None:
    assert len(_seen(watched_by({_NAME: {"points": 50}}), "eve", _SELF, server="10.0.0.9", port=4433)) == 1


def test_state_is_bounded_in_a_storm() -> None:
    machine = watched(_NAME)
    lines = (
        {"ts": START, "id.orig_h": "10.0.0.7", "id.resp_h": f"192.0.{place % 250}.{place // 250}", "id.resp_p": place}
        | {"cipher": "x", "established": True, "subject": f"CN=s{place}", "issuer": f"CN=s{place}"}
        for place in range(30_000)
    )
    _found(machine, "zeek-json", b"".join(json.dumps(line).encode() + b"\n" for line in lines), "ssl")
    assert machine.heuristics is not None
    assert 0 < machine.heuristics.held()[_NAME] <= 100_000
