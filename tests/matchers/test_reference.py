"""Every rule of Maltrail's with what becomes of it here: the table of `reference_rules`, run, and shown in the docs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.forms import FORMATS, write
from feeds.entry import Refused
from feeds.files import read_trails
from tests.matchers.build import engine, matched
from tests.matchers.reference_rules import MALWARE, RULES, Rule
from trailhound.event import Event
from trailhound.trail import Trail

PAGE = (Path(__file__).parents[2] / "docs" / "matching.md").read_text("utf-8")
HEAD = "| about | Maltrail | here |"


def listed(rule: Rule, folder: Path) -> list[Trail]:
    """Write the lists of a rule and read them as trails are always read."""
    files = {MALWARE: rule.trails} if isinstance(rule.trails, str) else rule.trails
    for name, text in files.items():
        path = folder / "static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n", "utf-8")
    entries = list(read_trails(folder))
    return [entry for entry in entries if not isinstance(entry, Refused)]


def said(event: Event) -> Mapping[str, Any]:
    return {
        "info": event.trail.info,
        "class": event.trail.class_.value,
        "reference": event.trail.reference,
        "direction": event.direction.value,
        "answered": event.answered,
        "count": event.count,
        "destination_port": event.destination_port,
    }


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.maltrail)
def test_a_rule_holds_as_the_table_says(rule: Rule, format_: str, tmp_path: Path) -> None:
    machine = engine(listed(rule, tmp_path), rule.allowed)
    stretch = matched(machine, format_, write(format_, rule.log, rule.rows), rule.log)
    assert (stretch.records, stretch.bad_lines) == (len(rule.rows), [])
    assert [event.trail.value for event in stretch.events] == list(rule.meets)
    if rule.also:
        found = said(stretch.events[0])
        assert {name: found[name] for name in rule.also} == dict(rule.also)


def table() -> list[str]:
    return [f"| {rule.about} | {rule.maltrail} | {rule.here} |" for rule in RULES]


def test_the_page_shows_the_table() -> None:
    lines = PAGE.splitlines()
    start = lines.index(HEAD) + 2
    assert lines[start : start + len(RULES) + 1] == [*table(), ""]


def test_every_rule_is_the_same_or_better_and_says_why() -> None:
    for rule in RULES:
        assert rule.here.startswith(("same", "better: ")), rule


def test_each_part_of_the_rules_is_there() -> None:
    parts = {"keys", "lists", "cleaning", "wildcards", "whitelist", "names", "dns", "addresses", "requests"}
    assert {rule.about for rule in RULES} == parts | {"encrypted", "direction", "counts"}
