"""Logs of other detectors that are taken in: each record is an event of its own, in every format, counted once."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.logtypes import log_of_columns
from ingest.zeek_header import header_word, read_header
from matchers.detectors import DETECTORS
from matchers.engine import Engine
from matchers.exceptions import Exceptions, Exemption, whitelisted
from matchers.networks import HomeNetworks
from matchers.observers import custom
from matchers.standing import Standing
from matchers.whitelist import Entry, Whitelist, local, read
from tests.ingest.reading import WANTED
from tests.matchers.build import compiled, counts, matched, trail, tsv
from trailhound.event import Event, to_ecs
from trailhound.local_names import LOCAL_SUFFIXES
from trailhound.settings import HOME_NETWORKS
from trailhound.severity import RATED, Severity
from trailhound.trail import TrailClass, TrailKind
from trailhound.watching import Logs

SAMPLES = Path(__file__).parents[1] / "fixtures" / "detections"
PAGE = (Path(__file__).parents[2] / "docs" / "matching.md").read_text("utf-8")
NOW = datetime(2030, 1, 1, tzinfo=UTC)
EVERY = tuple(DETECTORS)
RECORDS = {"notice": 5, "intel": 14, "alert": 5}


def machine(
    taken_in: Iterable[str] = EVERY,
    *,
    entries: Iterable[Entry] = (),
    exempt: Iterable[Exemption] = (),
    standing: Standing | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    trails: Iterable[str] = (),
) -> Engine:
    excepted = tuple(exempt)
    return Engine(
        compiled(trail(TrailKind.DOMAIN, name) for name in (*trails, "nobody.asks.example")),
        Whitelist([*entries, *whitelisted(excepted, Path("exceptions.json"))]),
        HomeNetworks(HOME_NETWORKS),
        [custom(log, kinds) for log, kinds in (columns or {}).items()],
        exceptions=Exceptions(excepted),
        standing=standing,
        detectors=[DETECTORS[name] for name in taken_in],
    )


def content(log: str) -> Iterator[tuple[str, bytes]]:
    """Give the sample of a log in every format of its tool."""
    if log == "alert":
        yield "eve", (SAMPLES / "eve.json").read_bytes()
        return
    data = (SAMPLES / f"{log}.log").read_bytes()
    yield "zeek-tsv", data
    lines = data.splitlines()
    header = read_header([line for line in lines if line.startswith(b"#") and header_word(line)])
    rows = [header.typed(line) for line in lines if not line.startswith(b"#")]
    yield "zeek-json", b"".join(json.dumps({"_path": log, **row}).encode() + b"\n" for row in rows)
    flat = [{name.replace(".", "_"): value for name, value in row.items()} for row in rows]
    yield "zeek-json", b"".join(json.dumps({"@stream": log, **row}).encode() + b"\n" for row in flat)


def found(log: str, engine: Engine | None = None) -> list[Event]:
    """Give the events of a sample in the first of its formats."""
    format_, data = next(content(log))
    return matched(engine or machine(), format_, data, log).events


def by_trail(events: Iterable[Event]) -> dict[str, Event]:
    return {event.trail.value: event for event in events}


def test_the_words_of_the_setting_are_the_registry() -> None:
    (words, _) = get_args(Logs.model_fields["take_in"].annotation)
    assert get_args(words) == EVERY
    assert Logs().take_in == ()


@pytest.mark.parametrize("name", EVERY)
def test_every_record_of_a_log_that_is_taken_in_is_counted_once_in_every_format(name: str) -> None:
    log = DETECTORS[name].observer.log
    said = []
    for format_, data in content(log):
        stretch = matched(machine([name]), format_, data, "whatever")
        assert (stretch.records, stretch.bad_lines) == (RECORDS[log], [])
        assert sum(event.count for event in stretch.events) == RECORDS[log]
        for event in stretch.events:
            document = to_ecs(event)
            assert document["event"]["kind"] == "alert"
            assert document["event"]["dataset"] == f"{document['event']['module']}.{log}"
        assert len({event.id for event in stretch.events}) == len(stretch.events)
        said.append([(event.trail, event.count, event.severity, event.message) for event in stretch.events])
    assert all(one == said[0] for one in said)


@pytest.mark.parametrize("name", EVERY)
def test_a_log_that_is_not_taken_in_gives_nothing(name: str) -> None:
    log = DETECTORS[name].observer.log
    others = [other for other in EVERY if other != name]
    for format_, data in content(log):
        stretch = matched(machine(others), format_, data, log)
        assert stretch.events == []


@pytest.mark.parametrize("name", EVERY)
def test_a_log_that_is_taken_in_is_told_by_its_columns_and_its_file_is_named_as_it_says(name: str) -> None:
    detector = DETECTORS[name]
    assert (SAMPLES / detector.file).exists()
    if detector.observer.suricata is None:
        fields = next(line for line in (SAMPLES / detector.file).read_text().splitlines() if line.startswith("#fields"))
        assert log_of_columns(fields.split("\t")[1:], "misleading", WANTED) == detector.observer.log
        assert log_of_columns(fields.split("\t")[1:], "notice_alarm", WANTED) == "notice_alarm"


def test_a_notice_is_its_type_with_what_it_said() -> None:
    events = by_trail(found("notice"))
    event = events["SSL::Invalid_Server_Cert"]
    assert (event.count, event.end - event.start, event.severity) == (2, 60_000_000, Severity.MEDIUM)
    assert event.message == (
        "10.0.0.5 set off SSL::Invalid_Server_Cert: SSL certificate validation failed with (self signed certificate)"
    )
    document = to_ecs(event)
    assert document["rule"] == {
        "name": "SSL::Invalid_Server_Cert",
        "category": "SSL",
        "description": "SSL certificate validation failed with (self signed certificate)",
    }
    assert document["zeek"]["notice"]["sub"] == "CN=conn.example,O=Conn and Sons"
    assert document["zeek"]["session_id"] == "CNoticeA1"
    assert "threat" not in document
    assert events["HTTP::SQL_Injection_Attacker"].trail.class_ is TrailClass.EXPLOIT
    assert events["HTTP::SQL_Injection_Attacker"].severity is Severity.HIGH


def test_a_notice_without_a_connection_says_by_itself_who_is_meant() -> None:
    events = by_trail(found("notice"))
    scan = events["Scan::Address_Scan"]
    assert (scan.source_ip, scan.destination_ip, scan.destination_port) == ("198.51.100.7", None, 23)
    assert scan.trail.class_ is TrailClass.SCANNER
    loss = events["CaptureLoss::Too_Much_Loss"]
    assert (loss.source_ip, loss.destination_ip) == (None, None)
    assert loss.message.startswith("CaptureLoss::Too_Much_Loss: The capture loss script")


INTEL = {
    "evil.example": (TrailKind.DOMAIN, "dns.question.name"),
    "203.0.113.30": (TrailKind.IPV4, "destination.ip"),
    "2001:db8::7": (TrailKind.IPV6, "zeek.intel.seen.indicator"),
    "evil.example/gate.php?id=1": (TrailKind.URL, "url.original"),
    "ab" * 16: (TrailKind.FILE_MD5, "file.hash.md5"),
    "cd" * 20: (TrailKind.CERT_SHA1, "tls.server.hash.sha1"),
    "eve@evil.example": (TrailKind.EMAIL, "email.from.address"),
    "evilbot/1.0": (TrailKind.USER_AGENT, "user_agent.original"),
    "putty.exe": (TrailKind.FILE_NAME, "file.name"),
    "mallory": (TrailKind.USER_NAME, "zeek.intel.seen.indicator"),
    "a1:b2:c3:d4": (TrailKind.PUBKEY_HASH, "zeek.intel.seen.indicator"),
    "203.0.113.0/24": (TrailKind.CIDR, "zeek.intel.seen.indicator"),
    "not a hash": (TrailKind.OTHER, "zeek.intel.seen.indicator"),
    "4711": (TrailKind.OTHER, "zeek.intel.seen.indicator"),
}


def test_an_indicator_that_zeek_saw_is_the_trail_with_kind_and_place() -> None:
    assert {event.trail.value: (event.trail.kind, event.role) for event in found("intel")} == INTEL


def test_an_indicator_that_zeek_saw_stands_in_the_document_as_if_a_trail_had_been_met() -> None:
    event = by_trail(found("intel"))["evil.example"]
    document = to_ecs(event)
    assert event.message == "10.0.0.5 asked for evil.example: source1, source2"
    assert event.trail.sources == ("source1", "source2")
    assert event.trail.confidence == 65
    assert document["dns"]["question"]["name"] == "evil.example"
    assert document["threat"]["indicator"]["type"] == "domain-name"
    assert document["zeek"]["intel"]["seen"]["where"] == "DNS::IN_REQUEST"
    assert document["related"]["hosts"] == ["evil.example"]


def test_an_alert_is_its_signature_rated_as_suricata_rates_it() -> None:
    events = by_trail(found("alert"))
    event = events["LOCAL TLS to evil.example"]
    assert (event.count, event.severity, event.trail.class_) == (2, Severity.HIGH, TrailClass.MALWARE)
    assert event.trail.confidence == 90
    assert event.message == "10.0.0.5 set off LOCAL TLS to evil.example: A Network Trojan was detected"
    document = to_ecs(event)
    assert document["rule"] == {
        "id": "9000004",
        "name": "LOCAL TLS to evil.example",
        "category": "A Network Trojan was detected",
        "version": "2",
    }
    assert document["event"]["action"] == "allowed"
    assert events["SURICATA HTTP Host header ambiguous"].severity is Severity.LOW
    assert events["signature 9000010"].severity is Severity.MEDIUM
    blocked = events["LOCAL exploit"]
    assert (blocked.severity, blocked.answered, blocked.source_ip) == (Severity.MEDIUM, False, "198.51.100.8")


def test_what_an_alert_carries_meets_trails_beside_it() -> None:
    events = found("alert", machine(trails=["evil.example"]))
    assert counts(events)["10.0.0.5", "evil.example"] == 2
    assert counts(events)["10.0.0.5", "LOCAL TLS to evil.example"] == 2


def test_what_suricata_blocked_is_not_answered_for_trails_either() -> None:
    data = (SAMPLES / "eve.json").read_bytes()
    for action, answered in (("allowed", None), ("blocked", False)):
        changed = data.replace(b'"allowed"', f'"{action}"'.encode())
        events = by_trail(matched(machine([], trails=["evil.example"]), "eve", changed, "eve").events)
        assert events["evil.example"].answered is answered


MACHINE = machine()


def alert(**says: object) -> Event:
    line = {
        "timestamp": "2023-11-14T22:13:20.000000+0000",
        "event_type": "alert",
        "src_ip": "10.0.0.5",
        "dest_ip": "203.0.113.30",
        "alert": {"signature": "A signature", "category": "Misc activity", **says},
    }
    (event,) = matched(MACHINE, "eve", json.dumps(line).encode() + b"\n", "eve").events
    return event


@pytest.mark.parametrize(
    ("says", "severity"),
    [
        ({"severity": 1}, Severity.HIGH),
        ({"severity": 2}, Severity.MEDIUM),
        ({"severity": 3}, Severity.LOW),
        ({"severity": 4}, Severity.LOW),
        ({"severity": 3, "metadata": {"signature_severity": ["Critical"]}}, Severity.CRITICAL),
        ({"severity": 1, "metadata": {"signature_severity": ["Informational"]}}, Severity.LOW),
        ({"severity": 1, "metadata": {"signature_severity": "Minor"}}, Severity.MEDIUM),
        ({"severity": 1, "metadata": {"confidence": ["Low"]}}, Severity.MEDIUM),
        ({"severity": 1, "action": "blocked"}, Severity.MEDIUM),
        # Neither says anything that is known: the class decides.
        ({"severity": 200, "metadata": {"signature_severity": []}}, Severity.LOW),
        ({"metadata": ["odd"], "category": "Domain Observed Used for C2 Detected"}, Severity.CRITICAL),
    ],
)
def test_an_alert_is_as_severe_as_its_signature_says(says: dict[str, object], severity: Severity) -> None:
    assert alert(**says).severity is severity


def test_the_page_has_the_levels_of_signatures() -> None:
    for word, level in RATED.items():
        said = f"`severity` {word}" if isinstance(word, int) else f"`signature_severity` {word.capitalize()}"
        assert f"| {said} | {level.label} |" in PAGE


def exempt(*, value: str = "", trail: str = "", source: str = "") -> Exemption:
    return Exemption(1, "a test", "me", NOW, value, trail, source)


def test_an_exception_hides_a_rule_by_its_name_for_all_or_for_one_source() -> None:
    for_all = machine(exempt=[exempt(trail="SSL::Invalid_Server_Cert")])
    for_one = machine(exempt=[exempt(trail="SSL::Invalid_Server_Cert", source="10.0.0.0/24")])
    for_another = machine(exempt=[exempt(trail="SSL::Invalid_Server_Cert", source="10.9.0.0/24")])
    assert "SSL::Invalid_Server_Cert" not in by_trail(found("notice", for_all))
    assert "SSL::Invalid_Server_Cert" not in by_trail(found("notice", for_one))
    assert "SSL::Invalid_Server_Cert" in by_trail(found("notice", for_another))
    assert len(found("notice", for_all)) == 3


@pytest.mark.parametrize("address", ["10.0.0.5", "203.0.113.0/24"])
def test_an_address_that_the_site_whitelists_hides_what_fires_on_it(address: str) -> None:
    signature = "LOCAL TLS to evil.example"
    assert signature not in by_trail(found("alert", machine(entries=read(address, "ours"))))
    assert signature not in by_trail(found("alert", machine(exempt=[exempt(value=address)])))
    assert "LOCAL exploit" in by_trail(found("alert", machine(entries=read(address, "ours"))))


def test_an_address_that_comes_whitelisted_does_not_hide_what_fires_on_it() -> None:
    listed = read("203.0.113.30", "built in", built_in=True)
    assert "LOCAL TLS to evil.example" in by_trail(found("alert", machine(entries=listed)))


@pytest.mark.parametrize(
    ("entries", "hidden"),
    [
        (read("evil.example", "ours"), {"evil.example"}),
        (read("example", "ours"), set()),
        (read("203.0.113.30", "ours", built_in=True), {"203.0.113.30"}),
        ([Entry("example", "", "ours", below=True)], {"evil.example", "evil.example/gate.php?id=1"}),
    ],
)
def test_the_whitelist_hides_an_indicator_as_it_would_hide_a_trail(entries: Iterable[Entry], hidden: set[str]) -> None:
    seen = by_trail(found("intel", machine(entries=list(entries))))
    assert INTEL.keys() - seen.keys() == hidden


def test_a_class_that_the_site_ignores_is_ignored_here_too() -> None:
    standing = Standing(ignored=frozenset({TrailClass.SUSPICIOUS}), min_confidence=55)
    assert found("notice", machine(standing=standing)) == []
    assert set(by_trail(found("intel", machine(standing=standing)))) == {"evil.example"}


def test_an_indicator_under_a_local_suffix_does_not_count() -> None:
    columns = {"ts": "time", "seen.indicator": "string", "seen.indicator_type": "enum"}
    rows = [["1.0", name, "Intel::DOMAIN"] for name in ("a.printer.local", "a.printer.example")]
    data = tsv("intel", columns, rows)
    events = matched(machine(entries=local(LOCAL_SUFFIXES)), "zeek-tsv", data, "intel").events
    assert [event.trail.value for event in events] == ["a.printer.example"]


def test_columns_that_the_site_describes_are_looked_at_beside() -> None:
    engine = machine(columns={"notice": {"sub": "name"}}, trails=["evil.example"])
    columns = {"ts": "time", "note": "enum", "msg": "string", "actions": "set[enum]", "sub": "string"}
    data = tsv("notice", columns, [["1.0", "Ours::Thing", "hm", "Notice::ACTION_LOG", "www.evil.example"]])
    events = matched(engine, "zeek-tsv", data, "notice").events
    assert [event.trail.value for event in events] == ["evil.example", "Ours::Thing"]
    assert to_ecs(events[1])["rule"]["name"] == "Ours::Thing"


def test_a_record_that_does_not_say_what_it_is_about_gives_nothing() -> None:
    columns = {"ts": "time", "note": "enum", "msg": "string", "actions": "set[enum]"}
    stretch = matched(machine(), "zeek-tsv", tsv("notice", columns, [["1.0", "-", "hm", "-"]]), "notice")
    assert (stretch.records, stretch.events, stretch.bad_lines) == (1, [], [])
    columns = {"ts": "time", "seen.indicator": "string", "seen.indicator_type": "enum"}
    stretch = matched(machine(), "zeek-tsv", tsv("intel", columns, [["1.0", "-", "Intel::ADDR"]]), "intel")
    assert (stretch.records, stretch.events, stretch.bad_lines) == (1, [], [])


def test_a_rule_is_named_in_full_only_as_far_as_stores_go() -> None:
    event = alert(signature="x" * 100_000)
    assert len(event.trail.value) == 2048


ODD = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.lists(st.text(max_size=5), max_size=3),
    st.sampled_from(["10.0.0.5", "evil.example", "Intel::ADDR", "Intel::URL", "Intel::SUBNET", "a.lan", "http://x/y"]),
)
COLUMNS = {
    "notice": ("note", "msg", "sub", "src", "dst", "p", "id.orig_h", "id.resp_p", "actions", "uid"),
    "intel": ("seen.indicator", "seen.indicator_type", "seen.where", "sources", "matched", "id.orig_h", "id.resp_h"),
}


@given(
    st.sampled_from(tuple(COLUMNS)).flatmap(
        lambda log: st.fixed_dictionaries({"_path": st.just(log)}, optional=dict.fromkeys(COLUMNS[log], ODD))
    )
)
def test_whatever_a_record_holds_it_is_read_and_can_be_written(row: dict[str, Any]) -> None:
    stretch = matched(MACHINE, "zeek-json", json.dumps({"ts": 1.0, **row}).encode() + b"\n", row["_path"])
    # A number where every log has text is a bad line, as in all logs.
    assert stretch.records + len(stretch.bad_lines) == 1
    for event in stretch.events:
        assert orjson.loads(orjson.dumps(to_ecs(event)))["trailhound"]["count"] == 1


@given(st.dictionaries(st.sampled_from(["signature_severity", "confidence", "x"]), ODD), ODD)
def test_whatever_the_metadata_of_a_signature_holds_the_alert_is_an_event(metadata: dict[str, Any], other: Any) -> None:
    assert alert(metadata=metadata).trail.value == "A signature"
    assert alert(metadata=other).trail.value == "A signature"
