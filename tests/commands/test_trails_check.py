"""`trailhound trails check` and `info`: why a value counts or not, trails of one's own, what a set takes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Ran, Trailhound

LISTS = """\
# trailhound: class=malware info="emotet" expires=2026-01-01
old.example
# trailhound: class=c2 info="emotet" expires=never confidence=80
evil.example
http://evil.example/gate.php
198.51.100.0/24
# trailhound: class=policy info="dynamic domain"
dyn.example
"""
OWN = """\
# trailhound: class=suspicious info="ticket 12" confidence=95 reference=https://tickets.example/12
evil.example
own.example
"""


class Site:
    """A settings file with lists, a list of one's own and a whitelist."""

    def __init__(self, trailhound: Trailhound, folder: Path, more: str = "") -> None:
        (folder / "lists.txt").write_text(LISTS, "utf-8")
        (folder / "own.txt").write_text(OWN, "utf-8")
        self.config = folder / "trailhound.toml"
        self.config.write_text(
            f'state_dir = "{folder / "state"}"\n[trails]\nstarter = false\nexpired_days = 36500\n'
            f'files = ["{folder / "lists.txt"}"]\ncustom = ["{folder / "own.txt"}"]\n{more}\n',
            "utf-8",
        )
        self._trailhound = trailhound

    def run(self, *arguments: object) -> Ran:
        return self._trailhound(*arguments, "-c", self.config)

    def check(self, *arguments: object) -> dict[str, Any]:
        (said,) = map(json.loads, self.run("trails", "check", "--json", *arguments).out.splitlines())
        assert isinstance(said, dict)
        return said


@pytest.fixture
def site(trailhound: Trailhound, tmp_path: Path) -> Site:
    return Site(trailhound, tmp_path)


def test_check_lists_every_key_in_order_and_marks_the_one_that_counts(site: Site) -> None:
    ran = site.run("trails", "check", "http://www.evil.example/gate.php?id=1")
    assert ran.status == 1
    lines = [line.strip() for line in ran.out.splitlines()]
    assert lines[2] == "as url.original, asked for in this order:"
    assert lines[3] == "- URL www.evil.example/gate.php?id=1"
    assert "* URL evil.example/gate.php: counts" in lines
    assert "- path /gate.php" in lines
    assert "* domain evil.example: counts" in lines


def test_check_says_the_same_keys_to_machines(site: Site) -> None:
    said = site.check("deep.evil.example")
    tried = [(one["key"], one["met"], one["counts"]) for one in said["tried"] if one["place"] == "dns.question.name"]
    assert tried == [
        ("domain deep.evil.example", False, False),
        ("domain evil.example", True, True),
        ("top-level domain example", False, False),
        ("wildcards (0)", False, False),
    ]
    (match,) = said["matches"]
    assert (match["custom"], match["sources"]) == (True, ["own", "lists"])
    assert (match["expires"], match["hidden"]) == (None, None)
    assert match["reference"] == "https://tickets.example/12"


def test_check_folds_the_networks_that_are_not_there(site: Site) -> None:
    out = site.run("trails", "check", "198.51.100.7").out
    assert "* network 198.51.100.0/24: counts" in out
    assert "- networks 198.51.100.6/31 to 198.51.100.0/25" in out
    assert out.count("network ") == 1
    assert out.count("networks ") == 2


def test_check_says_when_a_trail_expired(site: Site) -> None:
    ran = site.run("trails", "check", "old.example")
    assert ran.status == 0
    assert "domain old.example: expired 2026-01-01 23:59 UTC" in ran.out
    assert "does not count: expired 2026-01-01 23:59 UTC" in ran.out
    assert site.check("old.example")["matches"][0]["expires"] == "2026-01-01T23:59:59.000000Z"


def test_check_says_what_the_class_filter_leaves_out(trailhound: Trailhound, tmp_path: Path) -> None:
    site = Site(trailhound, tmp_path, 'ignore_classes = ["policy"]')
    ran = site.run("trails", "check", "mine.dyn.example")
    assert ran.status == 0
    assert "does not count: class filter: trails.ignore_classes has policy" in ran.out


def test_check_names_the_line_of_the_whitelist(trailhound: Trailhound, tmp_path: Path) -> None:
    (tmp_path / "white.txt").write_text("# ours\nevil.example\n", "utf-8")
    site = Site(trailhound, tmp_path, f'whitelist = ["{tmp_path / "white.txt"}"]')
    ran = site.run("trails", "check", "evil.example")
    assert ran.status == 0
    assert f"whitelisted by evil.example ({tmp_path / 'white.txt'}, line 2)" in ran.out


def test_check_asks_for_a_source_when_exceptions_hold_for_some(site: Site) -> None:
    site.run("trails", "compile")
    site.run("whitelist", "add", "--trail", "evil.example", "--source", "10.0.5.0/24", "--reason", "malware lab")
    assert site.run("trails", "check", "evil.example").status == 1
    inside = site.run("trails", "check", "evil.example", "--source", "10.0.5.7")
    assert inside.status == 0
    assert ": malware lab" in inside.out
    assert site.run("trails", "check", "evil.example", "--source", "10.0.6.7").status == 1
    wrong = site.run("trails", "check", "evil.example", "--source", "somebody")
    assert wrong.status == 2
    assert "--source: an address was expected" in wrong.err


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("co.uk", "domain co.uk: a public suffix"),
        ("10.0.0.1", "ipv4 10.0.0.1: a private address"),
        ("two words", "'two words' is no address, name, URL, path, hash or pattern (unless the list says kind="),
        ("/index.html", "path /index.html: a path that every site has"),
    ],
)
def test_check_says_why_a_list_could_not_have_the_value(site: Site, value: str, reason: str) -> None:
    ran = site.run("trails", "check", value)
    assert ran.status == 0
    assert f"refused when a list has it: {reason}" in ran.out
    assert any(reason in said for said in site.check(value)["refused"])


def test_a_value_that_lists_may_have_is_not_called_refused(site: Site) -> None:
    assert site.check("evil.example")["refused"] == []


def test_compile_counts_what_is_ones_own_and_what_expired(site: Site, tmp_path: Path) -> None:
    ran = site.run("trails", "compile")
    assert "2 are your own" in ran.out
    assert "1 have expired and are kept for records of before, up to 36500 days" in ran.out
    said = json.loads(site.run("trails", "compile", "--json").out)
    assert (said["trails"], said["custom"], said["expired"], said["refused"]) == (6, 2, 1, 0)
    (tmp_path / "more.txt").write_text("more.example\n", "utf-8")
    said = json.loads(site.run("trails", "compile", "--custom", tmp_path / "more.txt", "--json").out)
    assert (said["trails"], said["custom"]) == (6, 1)


def test_compile_refuses_what_expired_too_long_ago_and_reports_it(site: Site, tmp_path: Path) -> None:
    site.config.write_text(site.config.read_text("utf-8").replace("36500", "0"), "utf-8")
    report = tmp_path / "refused.ndjson"
    said = json.loads(site.run("trails", "compile", "--json", "--report", report).out)
    assert (said["trails"], said["expired"], said["refused"]) == (5, 0, 1)
    entry = json.loads(report.read_text("utf-8"))
    assert (entry["line"], entry["value"]) == (2, "old.example")
    assert entry["reason"] == "expired 2026-01-01, too long ago to be kept"


def test_a_set_is_made_anew_when_expired_trails_are_to_be_kept_longer(site: Site) -> None:
    assert site.check("old.example")["matches"]
    site.config.write_text(site.config.read_text("utf-8").replace("36500", "1"), "utf-8")
    assert not site.check("old.example")["matches"]


def test_info_counts_what_is_ones_own_and_what_expired_and_tells_what_it_takes(site: Site) -> None:
    said = json.loads(site.run("trails", "info", "--json").out)
    assert (said["trails"], said["custom"], said["expired"]) == (6, 2, 1)
    memory = said["memory"]
    assert set(memory["sections"]) == {"keys", "facts", "rows", "offsets", "texts", "blocks", "hosts", "paths"}
    assert memory["bytes_a_trail"] == pytest.approx(said["bytes"] / 6, abs=0.01)
    assert memory["resident"] >= said["bytes"]
    assert memory["own"] == 0
    out = site.run("trails", "info").out
    assert "2 are your own, 1 have expired" in out
    assert "bytes a trail" in out
    assert "section of the file" in out


def test_the_page_on_matching_shows_what_check_says(trailhound: Trailhound, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "matching.md").read_text("utf-8")
    _, _, rest = page.partition("$ trailhound trails check ")
    value, _, shown = rest.partition("```")[0].partition("\n")
    own = "# trailhound: class=c2 info=emotet confidence=80 reference=https://tickets.example/4711\n"
    (tmp_path / "incidents.txt").write_text(f"{own}http://{value.removeprefix('http://www.')}\n", "utf-8")
    theirs = "# trailhound: info=emotet class=malware confidence=60 expires=2026-01-01\n"
    (tmp_path / "maltrail.txt").write_text(f"{theirs}evil.example\n", "utf-8")
    config = tmp_path / "trailhound.toml"
    config.write_text(
        f'state_dir = "{tmp_path / "state"}"\n[trails]\nstarter = false\nexpired_days = 36500\n'
        f'files = ["{tmp_path / "maltrail.txt"}"]\ncustom = ["{tmp_path / "incidents.txt"}"]\n',
        "utf-8",
    )
    assert trailhound("trails", "check", value, "-c", config).out == shown
