"""Every observer of the registry reads its samples, and finds a trail in each column that it claims to look at."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from ingest.eve_event import EVENTS
from ingest.zeek_header import header_word, read_header
from matchers.observer import Observer, Probe
from matchers.observers import OBSERVERS
from matchers.observers.http import forwarded_addresses
from matchers.observers.ssl import common_name
from tests.ingest.reading import TRAPS, read_file
from tests.matchers.build import engine, matched
from trailhound import canonical
from trailhound.record import Record
from trailhound.trail import Trail, TrailClass, TrailKind

ROOT = Path(__file__).parents[2]
LOGINS = ROOT / "tests" / "fixtures"
ZEEK = {
    path.stem: path
    for folder in (ROOT / "trailhound" / "sample" / "zeek", LOGINS / "zeek")
    for path in sorted(folder.glob("*.log"))
}
EVE = (
    ROOT / "trailhound" / "sample" / "suricata" / "eve.json",
    TRAPS / "eve-tls.json",
    TRAPS / "eve-quic.json",
    LOGINS / "suricata" / "eve-logins.json",
)
# Columns that no sample fills: packages of Zeek's write them, or only one of the two tools has them.
UNFILLED = {
    "zeek": {
        "http": {"proxied", "referrer"},
        "ssl": {"fingerprint", "ja3", "ja3s", "ja4", "subject"},
        "quic": {"ja3", "ja3s", "ja4"},
    },
    "suricata": {
        "http": {"proxied", "referrer"},
        "ssl": {"cert_chain_fps"},
        "quic": {"ja3s"},
        "alert": {"proxied", "referrer"},
    },
}
HASHES = {"md5": TrailKind.FILE_MD5, "sha1": TrailKind.FILE_SHA1, "sha256": TrailKind.FILE_SHA256}
HASHES |= {"ja3": TrailKind.JA3, "ja3s": TrailKind.JA3S, "ja4": TrailKind.JA4}
CERTIFICATES = {40: TrailKind.CERT_SHA1, 64: TrailKind.CERT_SHA256}


def of_host(text: str) -> tuple[TrailKind, str]:
    host = canonical.host_port(canonical.split_url(text)[1])[0]
    return (TrailKind.IPV4 if canonical.address(host) else TrailKind.DOMAIN), host


def aimed(probe: Probe, column: str, text: str) -> tuple[TrailKind, str] | None:
    """Say which trail is for a value of a column, None when this value is for none."""
    match probe:
        case Probe.ADDRESS:
            return TrailKind.IPV4, text
        case Probe.NAME | Probe.HOST | Probe.URL | Probe.REFERRER:
            return of_host(text.removeprefix("*."))
        case Probe.PATH:
            path = text.partition("?")[0]
            return (TrailKind.PATH, path) if len(path) > 4 and path[0] == "/" else None
        case Probe.AGENT:
            return TrailKind.USER_AGENT, text
        case Probe.SUBJECT:
            name = common_name(text)
            return (TrailKind.DOMAIN, name) if name and canonical.name(name) else None
        case Probe.FORWARDED:
            return TrailKind.IPV4, forwarded_addresses(text)[0]
        case _:
            return HASHES.get(column) or CERTIFICATES[len(canonical.digest(text) or "")], text


def is_certificate(record: Record) -> bool:
    return "x509" in (record.text("mime_type") or "")


@cache
def records(module: str) -> tuple[Record, ...]:
    files = EVE if module == "suricata" else tuple(ZEEK.values())
    return tuple(record for file in files if (found := read_file(file)) for record in found.in_order)


def content(module: str, log: str) -> Iterator[tuple[str, bytes]]:
    """Give the samples of a log in each format of its tool."""
    if module == "suricata":
        kind = f'"event_type":"{OBSERVERS[log].suricata}"'.encode()
        lines = [line for file in EVE for line in file.read_bytes().splitlines() if kind in line.replace(b": ", b":")]
        yield "eve", b"\n".join((*lines, b""))
        return
    data = ZEEK[log].read_bytes()
    yield "zeek-tsv", data
    lines = data.splitlines()
    header = read_header([line for line in lines if line.startswith(b"#") and header_word(line)])
    rows = [{"_path": log, **header.typed(line)} for line in lines if not line.startswith(b"#")]
    yield "zeek-json", b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def claims() -> Iterator[tuple[str, str, str]]:
    for observer in OBSERVERS.values():
        modules = ["zeek"] if observer.log in ZEEK else []
        modules += ["suricata"] if observer.suricata else []
        for module in modules:
            unfilled = UNFILLED[module].get(observer.log, set())
            yield from ((module, observer.log, column) for column in observer.probes if column not in unfilled)


@pytest.mark.parametrize("observer", OBSERVERS.values(), ids=OBSERVERS.keys())
def test_an_observer_has_a_sample_of_every_tool_it_speaks_for(observer: Observer) -> None:
    if observer.suricata is not None:
        assert EVENTS[observer.suricata][0] == observer.log
        assert any(record.log == observer.log for record in records("suricata"))
    if observer.log != "alert":  # Zeek has no such log.
        assert any(record.log == observer.log for record in records("zeek"))


def test_every_translated_event_has_an_observer() -> None:
    assert {log for log, _ in EVENTS.values()} <= OBSERVERS.keys()
    assert {observer.suricata for observer in OBSERVERS.values()} - {None} == EVENTS.keys()


@pytest.mark.parametrize(("module", "log", "column"), list(claims()))
def test_a_trail_for_a_value_of_a_column_is_found_there(module: str, log: str, column: str) -> None:
    probe = OBSERVERS[log].probes[column]
    # A certificate is a file to Zeek, but its hash is a certificate's.
    samples = [record for record in records(module) if record.log == log and not is_certificate(record)]
    texts = [text for record in samples for text in record.texts(column)]
    found = next(filter(None, (aimed(probe, column, text) for text in texts if text)))
    indicator = canonical.indicator(*found)
    trail = Trail(indicator.kind, indicator.value, "sample", TrailClass.C2, ("test",))
    for format_, data in content(module, log):
        events = matched(engine([trail]), format_, data, log).events
        assert {event.trail.value for event in events} == {indicator.value}, format_


def test_the_columns_that_no_sample_fills_are_in_fact_empty() -> None:
    for module, logs in UNFILLED.items():
        for log, columns in logs.items():
            for column in columns:
                assert not any(record.texts(column) for record in records(module) if record.log == log), (log, column)


SYNTHETIC: Mapping[str, Mapping[str, object]] = {
    "http": {"referrer": "http://u@evil.example/", "proxied": ["X-FORWARDED-FOR -> 203.0.113.5"]},
    "ssl": {"fingerprint": "ab" * 20, "ja3": "ab" * 16, "ja3s": "ab" * 16, "subject": "CN=evil.example"},
    "quic": {"ja3": "ab" * 16, "ja3s": "ab" * 16},
}


@pytest.mark.parametrize(
    ("log", "column", "value"), [(log, *item) for log, columns in SYNTHETIC.items() for item in columns.items()]
)
def test_a_trail_is_found_in_a_column_that_no_sample_fills(log: str, column: str, value: object) -> None:
    (text,) = value if isinstance(value, list) else (value,)
    found = aimed(OBSERVERS[log].probes[column], column, str(text))
    assert found is not None
    indicator = canonical.indicator(*found)
    trail = Trail(indicator.kind, indicator.value, "x", TrailClass.C2, ("test",))
    row = {"_path": log, "ts": 1.0, "id.orig_h": "10.0.0.1", "host": "a.example", column: value}
    stretch = matched(engine([trail]), "zeek-json", json.dumps(row).encode() + b"\n", log)
    assert [event.trail.value for event in stretch.events] == [indicator.value]
