"""The requests of the reference system's captures: what it reports of them is found in all three formats."""

import json
from pathlib import Path

import pytest

from ingest.formats import HEAD, detect, open_log
from ingest.logtypes import log_of_file
from ingest.scan import find_files
from matchers.heuristics.requests.families import FAMILIES
from tests.matchers.build import matched
from tests.matchers.heuristics.questions import watched
from trailhound.event import Event

_NAMES = (
    "content-type",
    "web-scan",
    "user-agent",
    "obsolete-user-agent",
    "proxy-probe",
    "iot-download",
    "direct-download",
    "sinkhole-response",
    "seized-domain",
    *(family.name for family in FAMILIES),
)
_FORMATS = ("zeek_tsv", "zeek_json", "suricata")
_FOLDER = "maltrail_corpus"
_CAPTURE = "http_heuristics"


def _found(folder: Path, format_: str) -> list[Event]:
    machine, events = watched(*_NAMES), []
    for path in find_files([folder / format_]):
        with open_log(path) as stream:
            content = stream.read()
        kind = detect(content[:HEAD])
        if kind is not None:
            events += matched(machine, kind, content, log_of_file(path.name)).events
    assert machine.heuristics is not None
    assert machine.heuristics.failures == {}
    return [event for event in events if "rule.name" in event.ecs]


@pytest.mark.parametrize("format_", _FORMATS)
def test_all_that_is_expected_is_found(corpus: Path, format_: str) -> None:
    cases = json.loads((corpus / _FOLDER / "manifest.json").read_text())
    (expected,) = (case["expect"] for case in cases if case["name"] == _CAPTURE)
    # These captures hold no handshake, so no tool of logs sees a request in them; their twins do.
    told = [event.trail.info for event in _found(corpus / _FOLDER / f"{_CAPTURE}+handshake", format_)]
    assert {words: sum(words in title for title in told) for words in expected} == dict.fromkeys(expected, 1)
    assert len(told) == len(expected)


@pytest.mark.parametrize("format_", _FORMATS)
def test_other_captures_hold_nothing_of_the_kind(corpus: Path, format_: str) -> None:
    folders = [
        folder for folder in sorted((corpus / _FOLDER).iterdir()) if folder.is_dir() and _CAPTURE not in folder.name
    ]
    assert [event.message for folder in folders for event in _found(folder, format_)] == []
