"""`trailhound feeds test`: a look at a list before it is a feed."""

import json

import pytest

from tests.commands.conftest import Trailhound
from tests.commands.feeding import Site
from tests.feeds.fetching.server import body


def test_it_shows_trails_and_refusals_and_keeps_nothing(trailhound: Trailhound, site: Site) -> None:
    site.place.answers["/c2.csv"] = body(b"id,host,family\n1,evil.example,emotet\n2,,qakbot\n3,10.0.0.1,emotet\n")
    url = site.place.url("/c2.csv")
    ran = trailhound(
        "feeds", "test", url, "-f", "csv", "-o", "value=host", "-o", "info=family", "-k", "class=c2", "-c", site.config
    )
    assert ran.status == 0
    lines = ran.out.splitlines()
    assert lines[0] == "65 bytes: 1 trails (1 domain)"
    assert lines[1] == "  domain evil.example: emotet, c2, confidence 50"
    assert "10.0.0.1" in ran.out
    assert not (site.root / "state").exists()


def test_options_are_read_as_the_format_wants_them(trailhound: Trailhound, site: Site) -> None:
    site.place.answers["/list.tsv"] = body(b"192.0.2.77\t9\n198.51.100.7\t2\n203.0.113.9\t8\n")
    options = ["-o", "value=1", "-o", "delimiter=\t", "-o", 'at_least={"2": 5}', "-k", "confidence=80"]
    ran = trailhound("feeds", "test", site.place.url("/list.tsv"), "-f", "csv", *options, "--json", "-c", site.config)
    said = json.loads(ran.out)
    assert "198.51.100.7" not in {one["value"] for one in said["first"]}
    assert {one["confidence"] for one in said["first"]} == {80}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-f", "cvs"), "did you mean csv?"),
        (("-f", "csv", "-o", "valeu=1"), "valeu"),
        (("-o", "value"), "KEY=VALUE was expected"),
        (("-k", "class=evil"), "class = 'evil'; expected one of"),
    ],
)
def test_what_is_mistyped_is_said(trailhound: Trailhound, site: Site, arguments: tuple[str, ...], words: str) -> None:
    ran = trailhound("feeds", "test", site.place.url("/x.txt"), *arguments, "-c", site.config)
    assert ran.status == 2
    assert words in ran.err
    assert site.place.requests == []


def test_a_list_that_cannot_be_had_is_trouble_and_one_without_trails_is_not(trailhound: Trailhound, site: Site) -> None:
    site.place.answers["/none.txt"] = body(b"# nothing today\n")
    assert trailhound("feeds", "test", site.place.url("/none.txt"), "-c", site.config).status == 1
    ran = trailhound("feeds", "test", site.place.url("/gone.txt"), "-c", site.config)
    assert ran.status == 2
    assert "404" in ran.err
