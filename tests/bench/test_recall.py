from pathlib import Path

import pytest

from bench.cases import KINDS
from bench.forms import FORMATS
from bench.recall import cases_of, engine_of, scores, table, trails_of
from trailhound.trail import TrailKind

LIST = """\
evil.example
hidden.onion
203.0.113.5
2001:db8::5
198.51.100.0/25
203.0.113.6:8443
bad.example/gate/seven.php
http://host.example
/panel7/gate.php?id=
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "static" / "malware"
    folder.mkdir(parents=True)
    (folder / "family.txt").write_text(LIST, "utf-8")
    (folder / "stranger.txt").write_text("other.example\n", "utf-8")
    return tmp_path


@pytest.mark.parametrize("format_", FORMATS)
def test_every_kind_is_found_and_no_near_miss_is(archive: Path, format_: str) -> None:
    trails = trails_of(archive, ["family"])
    found = scores(engine_of(trails), cases_of(trails, 10), format_)
    assert {kind for _, kind in found} == set(KINDS)
    for score in found.values():
        assert score.wrong == []
        assert score.found == score.planted > 0
        assert score.near > 0


def test_what_an_engine_does_not_know_is_told_as_missed(archive: Path) -> None:
    trails = trails_of(archive, ["family"])
    cases = cases_of(trails, 10)
    known = [trail for trail in trails if trail.kind is not TrailKind.URL]
    score = scores(engine_of(known), cases, "eve")["family", TrailKind.URL]
    assert (score.found, score.planted) == (0, 1)
    assert score.wrong[0].startswith("missed: eve http bad.example/gate/seven.php")


def test_what_an_engine_should_not_know_is_told_as_a_false_alarm(archive: Path) -> None:
    trails = trails_of(archive, ["family"])
    cases = [case for case in cases_of(trails, 10) if case.trail.kind is TrailKind.DOMAIN]
    everything = trails_of(archive, ["family", "stranger"])
    assert [trail.info for trail in everything].count("stranger") == 1
    swapped = [case for case in cases if not case.planted]
    score = scores(
        engine_of(trails),
        [type(case)(case.trail, "dns", {"query": "evil.example"}, planted=False) for case in swapped],
        "zeek-json",
    )
    assert all(part.alarms == part.near for part in score.values())


def test_the_table_has_a_row_for_each_family_and_kind(archive: Path) -> None:
    trails = trails_of(archive, ["family", "stranger"])
    engine, cases = engine_of(trails), cases_of(trails, 10)
    rows = list(table(trails, [scores(engine, cases, format_) for format_ in FORMATS]))
    assert len(rows) == 2 + len(KINDS) + 1
    assert all(row.count("100.0% / 100.0%") == len(FORMATS) for row in rows[2:])
