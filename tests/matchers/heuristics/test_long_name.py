"""Names with a part that is long and looks made by a machine."""

import hashlib
import json

import pytest

from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.build import matched, tsv
from tests.matchers.heuristics.questions import FORMATS, START, Question, found, watched, watched_by
from trailhound.trail import TrailKind

_NAME = "long-name"
_HEX = hashlib.sha256(b"payload").hexdigest()
_LONG = f"{_HEX[:62]}.example.com"


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "name",
    [
        _LONG,
        "mzxw6ytboi4dqnjvgm2tqmrqgq3tsojqhe.example.com",
        ".".join(f"some-words-of-text-{place}" for place in range(6)) + ".example.com",
        f"www.{_HEX[:50]}.shop.github.io",
    ],
    ids=["hexadecimal", "base 32", "many labels", "in the middle"],
)
def test_a_long_name_is_an_event_about_its_zone(format_: str, name: str) -> None:
    (event,) = found(watched(_NAME), format_, [Question(name)])
    assert (event.source_ip, event.trail.kind) == ("10.0.0.7", TrailKind.DOMAIN)
    assert event.trail.value in ("example.com", "shop.github.io")
    assert (event.observed, event.trail.info) == (name, "long domain")


_TLS = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr"} | {
    "id.resp_p": "port",
    "server_name": "string",
}


@pytest.mark.parametrize("log", ["ssl", "quic"])
def test_names_of_tls_servers_count_too(log: str) -> None:
    data = tsv(log, _TLS, [(f"{START}.0", "C1", "10.0.0.7", "40000", "192.0.2.1", "443", _LONG)])
    ends = {"src_ip": "10.0.0.7", "src_port": 40000, "dest_ip": "192.0.2.1", "dest_port": 443, "proto": "TCP"}
    event_type = "tls" if log == "ssl" else log
    eve = {"timestamp": "2026-01-05T08:00:00.000000+0000", "event_type": event_type, **ends, event_type: {"sni": _LONG}}
    for format_, content in (("zeek-tsv", data), ("eve", json.dumps(eve).encode() + b"\n")):
        (event,) = matched(watched(_NAME), format_, content, log).events
        assert event.role == "tls.client.server_name"
        assert "opened TLS to" in event.message


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "name",
    [
        f"{_HEX[:30]}.example.com",
        f"{_HEX[:40]}.example.com",
        f"{_HEX[:32]}.example.com",
        "smallbusinessonlinecommunity.example.com",
        "clickstream-killswitch-api-of-a-site-3f2a.example.com",
        f"{_HEX[:62]}.akamaihd.net",
        f"{_HEX[:62]}.lan",
        f"{_HEX[:62]}",
        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.zen.long-name-of-a-list.of-addresses.example.org",
        ".".join(["long"] * 21) + ".example.com",
    ],
    ids=[
        "one less",
        "SHA-1",
        "MD5",
        "words",
        "words with a number",
        "content network",
        "local",
        "one label",
        "reverse",
        "black list",
        "many short labels",
    ],
)
def test_near_misses_are_silent(format_: str, name: str) -> None:
    assert found(watched(_NAME), format_, [Question(name)]) == []


def test_a_zone_is_told_of_once_a_day_for_each_client() -> None:
    questions = [
        Question(f"{_HEX[: 40 + place % 20]}{place}x.example.com", place * 60, f"10.0.0.{place % 2}")
        for place in range(100)
    ]
    assert sorted(str(event.source_ip) for event in found(watched(_NAME), "zeek-tsv", questions)) == [
        "10.0.0.0",
        "10.0.0.1",
    ]


def test_what_is_whitelisted_or_muted_is_silent() -> None:
    assert found(watched(_NAME, allowed="example.com\n"), "zeek-tsv", [Question(_LONG)]) == []
    assert found(watched(_NAME, muted=Mutes([Mute(value=_LONG)])), "zeek-tsv", [Question(_LONG)]) == []


def test_thresholds_are_the_sites() -> None:
    assert found(watched_by({_NAME: {"label": 63}}), "zeek-tsv", [Question(_LONG)]) == []
