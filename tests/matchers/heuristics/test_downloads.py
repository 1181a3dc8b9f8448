"""Programs that are fetched by name, and programs for small devices."""

import json

import pytest

from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.build import tsv
from tests.matchers.heuristics.exchanges import ABROAD, FORMATS, HOME, Exchange, found, found_by_sensor, log
from tests.matchers.heuristics.questions import START, watched
from trailhound.trail import TrailKind

_DIRECT, _DEVICE = "direct-download", "iot-download"
_FILES = {"ts": "time", "fuid": "string", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port"} | {
    "id.resp_h": "addr",
    "id.resp_p": "port",
    "source": "string",
    "mime_type": "string",
    "filename": "string",
    "sha256": "string",
}
_DIGEST = "ab" * 32


def _files(format_: str, mime: str, file: str = "F1") -> bytes:
    if format_ == "eve":
        event = {
            "timestamp": "2026-01-05T08:00:01.000000+0000",
            "flow_id": 0,
            "event_type": "fileinfo",
            "src_ip": ABROAD,
            "src_port": 80,
            "dest_ip": HOME,
            "dest_port": 40_000,
            "app_proto": "http",
            "fileinfo": {"filename": "/a.exe", "magic": mime, "sha256": _DIGEST, "size": 1},
        }
        return json.dumps(event).encode() + b"\n"
    ends = {"id.orig_h": HOME, "id.orig_p": 40_000, "id.resp_h": ABROAD, "id.resp_p": 80}
    row = {"ts": START + 1.0, "fuid": file, "uid": "C0", **ends, "source": "HTTP", "mime_type": mime, "sha256": _DIGEST}
    if format_ == "zeek-json":
        return json.dumps(row).encode() + b"\n"
    return tsv("files", _FILES, [[str(row.get(name, "-")) for name in _FILES]])


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    ("exchange", "score", "label"),
    [
        (Exchange("/setup.exe"), 35, "low"),
        (Exchange("/a/b.PS1?12"), 35, "low"),
        (Exchange("/a.exe", status=404), 10, "low"),
        (Exchange("/a.exe", status=200, mime="text/html"), 15, "low"),
        (Exchange("/a.exe", status=200, mime="application/x-dosexec"), 75, "medium"),
        (Exchange("/a.exe", host=ABROAD, status=200, mime="application/x-dosexec"), 85, "high"),
    ],
)
def test_what_it_is_raises_or_lowers_the_score(format_: str, exchange: Exchange, score: int, label: str) -> None:
    (event,) = found(watched(_DIRECT), format_, [exchange])
    assert (event.ecs["trailhound.score"], event.severity.label) == (score, label)
    extension = exchange.uri.partition("?")[0].rpartition(".")[2].lower()
    assert event.trail.info == f"direct .{extension} download (suspicious)"
    assert event.trail.kind is TrailKind.URL


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "exchange",
    [
        Exchange("/installer-setup.exe"),
        Exchange("/a.exe?id=1"),
        Exchange("/cgi-bin/a.exe"),
        Exchange("/pub/softpaq/sp1.exe"),
        Exchange("/a.exe", server="10.0.0.9"),
        Exchange("/a.exec"),
        Exchange("/exe"),
        Exchange("/a.exe", client="198.51.100.9", status=404),
    ],
)
def test_near_misses_of_a_direct_download(format_: str, exchange: Exchange) -> None:
    assert found(watched(_DIRECT), format_, [exchange]) == []


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("is_first", [True, False])
def test_the_log_of_files_confirms_it_whichever_comes_first(format_: str, is_first: bool) -> None:  # noqa: FBT001
    machine = watched(_DIRECT)
    mime = "PE32 executable (GUI) Intel 80386" if format_ == "eve" else "application/x-dosexec"
    parts = [("http", log(format_, [Exchange("/a.exe", file="F1")])), ("files", _files(format_, mime))]
    if is_first:
        parts.reverse()
    events = [event for name, data in parts for event in found_by_sensor(machine, "one", name, format_, data)]
    assert [event.ecs["trailhound.score"] for event in events] == ([70] if is_first else [35, 70])
    assert f"SHA256 {_DIGEST}" in str(events[-1].ecs["trailhound.parts"])
    assert {(event.trail.value, event.severity.label) for event in events[-1:]} == {("www.example.com/a.exe", "medium")}


def test_other_files_confirm_nothing() -> None:
    machine = watched(_DIRECT)
    asked = log("zeek-tsv", [Exchange("/a.exe", file="F1")])
    assert len(found_by_sensor(machine, "one", "http", "zeek-tsv", asked)) == 1
    for mime, file in (("application/x-dosexec", "F2"), ("text/plain", "F1")):
        assert found_by_sensor(machine, "one", "files", "zeek-tsv", _files("zeek-tsv", mime, file)) == []


def test_hosts_below_a_whitelisted_name_hand_out_programs_in_peace() -> None:
    assert found(watched(_DIRECT, allowed="example.com\n"), "zeek-tsv", [Exchange("/a.exe")]) == []


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("uri", ["/mirai.x86", "/bins/arm7", "/a-mips", "/8UsA.sh", "/bin.mpsl?1", "/d/x86_64"])
def test_programs_for_small_devices(format_: str, uri: str) -> None:
    (event,) = found(watched(_DEVICE), format_, [Exchange(uri, host=ABROAD, status=200)])
    assert (event.trail.info, event.severity.label) == ("potential iot-malware download", "high")
    assert event.ecs["trailhound.score"] == 85


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "exchange",
    [
        Exchange("/mirai.x86"),
        Exchange("/harm", host=ABROAD),
        Exchange("/x86/index.html", host=ABROAD),
        Exchange("/a.x86", host="10.0.0.9", server="10.0.0.9"),
        Exchange("/start.sh", host=ABROAD, client="198.51.100.9", status=404),
    ],
)
def test_near_misses_of_programs_for_small_devices(format_: str, exchange: Exchange) -> None:
    assert found(watched(_DEVICE), format_, [exchange]) == []


@pytest.mark.parametrize(("name", "uri"), [(_DIRECT, "/a.exe"), (_DEVICE, "/a.x86")])
def test_two_sensors_mutes_and_the_whitelist(name: str, uri: str) -> None:
    asked = [Exchange(uri, host=ABROAD)]
    machine = watched(name)
    assert len(found_by_sensor(machine, "one", "http", "eve", log("eve", asked))) == 1
    assert found_by_sensor(machine, "two", "http", "zeek-tsv", log("zeek-tsv", asked)) == []
    assert found(watched(name, muted=Mutes([Mute(rule=name)])), "zeek-tsv", asked) == []
    assert found(watched(name, allowed=f"{ABROAD}\n"), "zeek-tsv", asked) == []


@pytest.mark.parametrize(("name", "uri"), [(_DIRECT, "/{}.exe"), (_DEVICE, "/{}.x86")])
def test_state_is_bounded_in_a_storm(name: str, uri: str) -> None:
    machine = watched(name)
    storm = [Exchange(uri.format(number), host=ABROAD, file=f"F{number}") for number in range(40_000)]
    found(machine, "zeek-tsv", storm)
    assert machine.heuristics is not None
    assert 0 < machine.heuristics.held()[name] <= 51_000
