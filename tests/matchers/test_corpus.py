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
from tests.matchers.build import counts, engine, matched
from trailhound.trail import Trail

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
