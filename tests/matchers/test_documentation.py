"""What docs/matching.md says is so."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.eve_event import EVENTS
from matchers.detectors import DETECTORS
from matchers.observer import Observer, Probe
from matchers.observers import OBSERVERS
from tests.matchers.build import compiled, engine, met, record
from trailhound import canonical
from trailhound.record import Value
from trailhound.severity import STRONG_CONFIDENCE, WEAK_CONFIDENCE, Direction, severity
from trailhound.trail import DETECTED_KINDS, Trail, TrailClass, TrailKind

PAGE = (Path(__file__).parents[2] / "docs" / "matching.md").read_text("utf-8")
_TRAIL = re.compile(r"(?:(\S+) )?(\S+) (\S+)(?: \((.+)\))?")


@dataclass(slots=True)
class Example:
    """One example: trails, whitelist, a record, and what it meets."""

    trails: list[Trail] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    log: str = ""
    fields: dict[str, Value] = field(default_factory=dict)
    meets: list[str] = field(default_factory=list)


def examples() -> Iterator[Example]:
    for block in re.findall(r"```match\n(.*?)```", PAGE, re.DOTALL):
        for text in block.split("\n\n"):
            yield _example(text.strip().splitlines())


def _example(lines: Sequence[str]) -> Example:
    example = Example()
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "trail":
            example.trails.append(_trail(rest))
        elif word == "whitelist":
            example.allowed.append(rest)
        elif word == "->":
            example.meets += [rest] if rest else []
        else:
            example.log = word
            cells = [cell.partition("=") for cell in rest.split(" ")]
            example.fields = {name: int(value) if name.endswith("_p") else value for name, _, value in cells}
    return example


def _trail(text: str) -> Trail:
    found = _TRAIL.fullmatch(text)
    assert found is not None, text
    class_, kind, value, info = found.groups()
    indicator = canonical.indicator(TrailKind(kind), value)
    return Trail(*indicator, info or "test", TrailClass(class_ or "malware"), ("docs",))


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: f"{example.log} {example.fields}")
def test_an_example_meets_what_the_page_says(example: Example) -> None:
    assert example.trails
    assert example.log in OBSERVERS
    machine = engine(example.trails, "\n".join(example.allowed))
    assert met(machine, record(example.log, example.fields)) == example.meets


def test_there_are_examples_that_meet_and_that_do_not() -> None:
    found = list(examples())
    assert sum(bool(example.meets) for example in found) > 15
    assert sum(not example.meets for example in found) > 4


def test_a_host_trail_met_on_tls_is_worth_half_as_the_page_says() -> None:
    assert "with half its confidence" in PAGE
    trail = Trail(TrailKind.HTTP_HOST, "evil.example/", "x", TrailClass.C2, ("docs",), "", 80)
    rules = engine(compiled([trail])).rules
    (meeting,) = rules.meet(
        OBSERVERS["ssl"].observe(record("ssl", {"server_name": "evil.example"})), Direction.OUTBOUND
    )
    assert meeting.trail.confidence == 40


def rows(first: str) -> list[list[str]]:
    """Give the rows of the table whose header begins with a word."""
    lines = PAGE.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |")) + 2
    table = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def test_the_table_of_severities_is_the_rule() -> None:
    expected = []
    for class_ in TrailClass:
        cells = [
            severity(class_, 60, direction, answered=answered).label
            for direction in (Direction.INBOUND, Direction.OUTBOUND)
            for answered in (True, None, False)
        ]
        expected.append([class_.value, *cells])
    assert rows("class") == expected


def test_the_limits_of_confidence_are_the_rules_own() -> None:
    assert f"confidence of {STRONG_CONFIDENCE} or more" in PAGE
    assert f"less than {WEAK_CONFIDENCE}" in PAGE


NAMES = {TrailKind.DOMAIN, TrailKind.TLD, TrailKind.WILDCARD}
ADDRESSES = {TrailKind.IPV4, TrailKind.IPV6, TrailKind.CIDR, TrailKind.IP_PORT}
PROBED = {
    Probe.ADDRESS: ADDRESSES,
    Probe.NAME: NAMES,
    Probe.HOST: {*NAMES, TrailKind.HTTP_HOST},
    Probe.SUBJECT: NAMES,
    Probe.URL: NAMES,
    Probe.REFERRER: NAMES,
    Probe.PATH: {TrailKind.PATH, TrailKind.URL},
    Probe.AGENT: {TrailKind.USER_AGENT, TrailKind.USER_AGENT_REGEX},
    Probe.FORWARDED: ADDRESSES,
    Probe.EMAIL: {TrailKind.EMAIL},
}
HASHED = {
    "md5": {TrailKind.FILE_MD5},
    "sha1": {TrailKind.FILE_SHA1, TrailKind.CERT_SHA1},
    "sha256": {TrailKind.FILE_SHA256, TrailKind.CERT_SHA256},
    "fingerprint": {TrailKind.CERT_SHA1, TrailKind.CERT_SHA256},
    "cert_chain_fps": {TrailKind.CERT_SHA1, TrailKind.CERT_SHA256},
    "ja3": {TrailKind.JA3},
    "ja3s": {TrailKind.JA3S},
    "ja4": {TrailKind.JA4},
}


DETECTED = "[detections of others](#detections-of-others)"


def kinds(observer: Observer) -> set[TrailKind]:
    found: set[TrailKind] = set()
    for column, probe in observer.probes.items():
        found |= HASHED[column] if probe is Probe.HASH else PROBED[probe]
    return found


def test_every_kind_is_in_the_table_with_the_logs_that_look_for_it() -> None:
    table = {cells[0].strip("`"): cells[1] for cells in rows("kind")}
    assert list(table) == [kind.value for kind in TrailKind]
    for kind in TrailKind:
        logs = sorted(log for log, observer in OBSERVERS.items() if kind in kinds(observer))
        elsewhere = DETECTED if kind in DETECTED_KINDS else "logs of your own (`logs.custom`)"
        assert table[kind.value] == (", ".join(logs) or elsewhere), kind


def test_every_log_that_can_be_taken_in_is_in_the_table_and_in_the_example() -> None:
    table = {cells[0].strip("`"): cells[1] for cells in rows("name")}
    assert list(table) == list(DETECTORS)
    assert f"take_in = {json.dumps(list(DETECTORS))}" in PAGE


def test_every_event_of_suricata_is_named_with_its_log() -> None:
    said = " ".join(PAGE.split())
    for event_type, (log, _) in EVENTS.items():
        assert re.search(rf"`{event_type}` (is read )?as {log}\b", said), event_type
