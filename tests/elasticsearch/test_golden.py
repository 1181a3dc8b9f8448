"""Elastic's own golden documents beside ours, and the table of deliberate differences in the documentation."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.elasticsearch.golden import LOGS, Pair, flat, indicators, pairs
from tests.elasticsearch.schema import ecs_fields
from tests.house.tree import text

_CODE = re.compile(r"`([^`]+)`")


@pytest.fixture(scope="module")
def found(corpus: Path) -> list[Pair]:
    return [*pairs(corpus), *indicators(corpus)]


def table(heading: str) -> list[str]:
    """Give the fields in the first column of the table under a heading of the page."""
    section = text("docs/elasticsearch.md").partition(f"### {heading}\n")[2].partition("\n#")[0]
    rows = [row for row in section.splitlines() if row.startswith("| `")]
    assert rows, heading
    return [name for row in rows for name in _CODE.findall(row.split("|")[1])]


def compared(found: list[Pair]) -> Iterator[tuple[str, Any, Any]]:
    """Give each field that Elastic fills, what it says and what each event of ours says; None when nothing."""
    for pair in found:
        for document in pair.documents:
            ours = flat(document)
            yield from ((name, said, ours.get(name)) for name, said in pair.golden.items() if said not in ("", [], {}))


def is_same(name: str, theirs: Any, ours: Any) -> bool:
    known = ecs_fields().get(name)
    if known is not None and known.type == "date":
        # Theirs are cut to the millisecond.
        return abs(datetime.fromisoformat(theirs) - datetime.fromisoformat(ours)) < timedelta(milliseconds=1)
    return bool(theirs == ours)


def test_every_line_that_is_matched_makes_an_event(found: list[Pair]) -> None:
    assert {pair.folder for pair in found} == {*LOGS, "ti.threatfox", "ti.misp"}
    assert [pair.golden["event.original"] for pair in found if not pair.documents] == []


def test_what_both_say_is_the_same_but_for_the_table(found: list[Pair]) -> None:
    both = [(name, theirs, ours) for name, theirs, ours in compared(found) if ours is not None]
    differing = {name for name, theirs, ours in both if not is_same(name, theirs, ours)}
    assert differing == set(table("What Trailhound says otherwise"))
    agreeing = {name for name, _, _ in both} - differing
    assert {"destination.ip", "dns.question.name", "url.domain", "rule.name", "user_agent.original"} <= agreeing
    assert len(agreeing) > 30


def test_what_only_elastic_says_stands_in_the_table(found: list[Pair]) -> None:
    patterns = table("What only Elastic's integrations say")
    missing = {name for name, _, ours in compared(found) if ours is None}
    assert [name for name in sorted(missing) if not any(fnmatchcase(name, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in missing)] == []
