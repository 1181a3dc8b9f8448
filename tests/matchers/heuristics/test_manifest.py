"""The captures of the reference system with all heuristics at work: what it reports is told, and nothing else is."""

import json
from pathlib import Path

import pytest

from feeds.files import read_trails
from ingest.formats import HEAD, detect, open_log
from ingest.logtypes import log_of_file
from ingest.scan import find_files
from matchers.findings import SOURCE
from matchers.heuristics import registry
from tests.matchers.build import matched
from tests.matchers.heuristics.questions import watched
from tests.matchers.test_corpus import _HEURISTIC
from trailhound.trail import Trail

FORMATS = ("zeek_tsv", "zeek_json", "suricata")
# These captures hold no handshake, so no tool of logs sees a request in them; their twins do.
WITHOUT_HANDSHAKE = frozenset({"http_heuristics", "dns_responses", "dns_nxdomain_flood", "http_trails", "tls_sni"})
# What is expected as a trail, which heuristics report in the words of the reference system.
TURNED = frozenset({"sinkholed by testsink", "parked site"})


def told(corpus: Path, case: str, format_: str) -> list[str]:
    trails = [entry for entry in read_trails(corpus / "trails.csv") if isinstance(entry, Trail)]
    machine = watched(
        *(name for name, one in registry().items() if one.enabled), trails=trails, allowed="update.microsoft.com\n"
    )
    events = []
    for path in find_files([corpus / case / format_]):
        with open_log(path) as stream:
            content = stream.read()
        kind = detect(content[:HEAD])
        if kind is not None:
            events += matched(machine, kind, content, log_of_file(path.name)).events
    assert machine.heuristics is not None
    assert machine.heuristics.failures == {}
    return sorted(event.trail.info for event in events if SOURCE in event.trail.sources)


def expected(corpus: Path) -> dict[str, list[str]]:
    return {
        case["name"]: [
            one for one in case["expect"] if one in TURNED or (_HEURISTIC.search(one) and "(test)" not in one)
        ]
        for case in json.loads((corpus / "manifest.json").read_text())
    }


@pytest.mark.parametrize("format_", FORMATS)
def test_what_the_reference_system_reports_is_told_and_nothing_else(corpus: Path, format_: str) -> None:
    folder = corpus / "maltrail_corpus"
    for case, words in expected(folder).items():
        name = f"{case}+handshake" if case in WITHOUT_HANDSHAKE else case
        titles = told(folder, name, format_)
        assert [one for one in words if not any(one in title for title in titles)] == [], (name, titles)
        assert [title for title in titles if not any(one in title for one in words)] == [], name
