"""The captures of the reference system, in all three formats: what it finds by trails, we find."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from feeds.files import read_trails
from ingest.formats import HEAD, detect, open_log
from ingest.logtypes import log_of_file
from ingest.scan import find_files
from matchers.engine import Engine
from tests.matchers.build import counts, engine, matched, taking_in
from trailhound.trail import Trail, TrailKind

FORMATS = ("zeek_tsv", "zeek_json", "suricata")
CLEAN = ("clean_tcp", "ack_sweep_no_fp", "dns_exhaustion", "whitelisted")
# What it reports without a trail: heuristics.
_HEURISTIC = re.compile(r"potential|excessive|direct |user agent|\(test\)$")
# What it calls otherwise than the trail itself.
_NAMES = {
    "sinkholed by testsink": "198.51.100.90",
    "parked site": "198.51.100.91",
    "dga1234.wildcard-test.com": r"dga[0-9]+\.wildcard-test\.com",
    "malicious-login.php": "/malicious-login.php",
    "evil-url.example": "evil-url.example/bad/path",
}
# Its HTTP host heuristic names a host that is on no list.
_NO_TRAIL = frozenset({"hostcheck.example"})
# These captures hold no handshake, so no tool of logs sees a request or a name in them; their twins do.
_NEED_HANDSHAKE = frozenset({"http_trails", "tls_sni", "dns_responses"})


def machine(folder: Path) -> Engine:
    entries = [entry for entry in read_trails(folder / "trails.csv") if isinstance(entry, Trail)]
    return engine(entries, "update.microsoft.com\n")


def found(folder: Path, format_: str, corpus: Path) -> Counter[tuple[str | None, str]]:
    total: Counter[tuple[str | None, str]] = Counter()
    running = machine(corpus)
    for path in find_files([folder / format_]):
        with open_log(path) as stream:
            content = stream.read()
        kind = detect(content[:HEAD])
        if kind is not None:
            total += counts(matched(running, kind, content, log_of_file(path.name)).events)
    return total


def expectations(folder: Path) -> dict[str, list[str]]:
    listed = json.loads((folder / "manifest.json").read_text())
    return {case["name"]: list(filter(None, map(_trail, case["expect"]))) for case in listed}


def _trail(expected: str) -> str | None:
    if expected in _NAMES:
        return _NAMES[expected]
    if expected in _NO_TRAIL or _HEURISTIC.search(expected):
        return None
    # What stands in parentheses is seen, but no part of the trail.
    return re.sub(r"\([^)]*\)\.?|\.\([^)]*\)", "", expected).strip(".")


def test_the_reference_systems_findings_by_trails_are_ours(corpus: Path) -> None:
    folder = corpus / "maltrail_corpus"
    for name, expected in expectations(folder).items():
        case = folder / (f"{name}+handshake" if name in _NEED_HANDSHAKE else name)
        for format_ in FORMATS:
            trails = {trail for _, trail in found(case, format_, folder)}
            assert set(expected) <= trails, (case.name, format_)


@pytest.mark.parametrize("name", CLEAN)
def test_clean_captures_are_silent(corpus: Path, name: str) -> None:
    for format_ in FORMATS:
        assert not found(corpus / "maltrail_corpus" / name, format_, corpus / "maltrail_corpus")


# Suricata takes two equal SYNs for one flow, Zeek for two connections.
_COUNTED_OTHERWISE = frozenset({"duplicate_syn"})


def test_the_same_traffic_gives_the_same_threats_and_counts_in_every_format(corpus: Path) -> None:
    folder = corpus / "maltrail_corpus"
    for case in sorted(path for path in folder.iterdir() if path.is_dir()):
        tsv, json_, eve = (found(case, format_, folder) for format_ in FORMATS)
        assert tsv == json_, case.name
        if case.name in _NEED_HANDSHAKE:
            continue  # Suricata reads what it did not see begin, Zeek does not.
        assert set(eve) == set(tsv), case.name
        if case.name not in _COUNTED_OTHERWISE:
            assert eve == tsv, case.name


def test_every_alert_of_the_captures_is_an_event_where_alerts_are_taken_in(corpus: Path) -> None:
    total = 0
    for path in sorted((corpus / "maltrail_corpus").glob("*/suricata/eve.json")):
        content = path.read_bytes()
        alerts = [event for event in map(json.loads, content.splitlines()) if event["event_type"] == "alert"]
        events = matched(taking_in("suricata-alert"), "eve", content, "eve").events
        signatures: Counter[str] = Counter()
        for event in events:
            signatures[event.trail.value] += event.count
        assert signatures == Counter(alert["alert"]["signature"] for alert in alerts), path
        total += len(alerts)
    assert total > 40


def test_every_notice_of_real_logs_is_an_event_where_notices_are_taken_in(corpus: Path) -> None:
    notes: Counter[str] = Counter()
    machine = taking_in("zeek-notice")
    for path in sorted((corpus / "zeek_logs").rglob("*notice*.log*")):
        with open_log(path) as stream:
            content = stream.read()
        kind = detect(content[:HEAD])
        if kind is not None:
            stretch = matched(machine, kind, content, log_of_file(path.name))
            assert sum(event.count for event in stretch.events) == stretch.records, path
            for event in stretch.events:
                notes[event.trail.value] += event.count
    assert notes["SSL::Invalid_Server_Cert"] > 100
    assert notes["Scan::Address_Scan"] == 12
    assert notes["TeamCymruMalwareHashRegistry::Match"] == 2


def test_what_zeek_itself_matched_is_read_as_the_indicator_that_its_file_has(corpus: Path) -> None:
    total = 0
    for path in sorted((corpus / "derived" / "zeek_intel_pairs").glob("*/expected*intel.log")):
        files = sorted(path.parent.glob("intel*.dat"))
        listed = {entry.value for file in files for entry in read_trails(file) if isinstance(entry, Trail)}
        refused = " ".join(file.read_text("utf-8") for file in files)  # Names of files are no trails.
        content = path.read_bytes().replace(b"XXXXXXXXXX.XXXXXX", b"1700000000.000000")  # Zeek's tests blank times out.
        stretch = matched(taking_in("zeek-intel"), "zeek-tsv", content, "intel")
        assert stretch.bad_lines == []
        for event in stretch.events:
            total += event.count
            assert event.trail.value in listed or event.trail.value in refused, path
            assert event.trail.kind is not TrailKind.OTHER
    assert total > 10
