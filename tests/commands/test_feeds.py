"""`trailhound feeds`, with a real server."""

import json
from pathlib import Path

import pytest

from feeds.shelf import Shelf
from tests.commands.conftest import Trailhound
from tests.commands.feeding import Site

NAMES = "".join(f"n{number}.bad.example\n" for number in range(30))


def test_update_puts_a_set_in_force_and_says_what_came(trailhound: Trailhound, site: Site) -> None:
    site.feed("one", "evil.example\nbad.example\n")
    ran = trailhound("feeds", "update", "-c", site.config)
    assert (ran.status, ran.out.splitlines()[0]) == (0, "one: 2 trails, 2 came, 0 went")
    assert ran.out.splitlines()[1].endswith("1 new; 2 trails in force")
    assert site.values() == {"evil.example", "bad.example"}
    again = trailhound("feeds", "update", "-c", site.config)
    assert again.status == 0
    assert "1 unchanged; the trail set is as it was" in again.out


def test_what_fails_keeps_its_old_copy_and_is_told(trailhound: Trailhound, site: Site) -> None:
    site.feed("one", NAMES)
    site.feed("two", "evil.example\n")
    assert trailhound("feeds", "update", "-c", site.config).status == 0
    site.give("one", "<html><body>Sign in</body></html>")
    site.give("two", "other.example\n")
    ran = trailhound("feeds", "update", "-c", site.config)
    assert ran.status == 1
    assert "one: kept its old copy of 30 trails: " in ran.out
    assert "a web page came in place of a list" in ran.out
    assert {"n0.bad.example", "other.example"} <= site.values()
    listed = trailhound("feeds", "list", "-c", site.config)
    assert "one: " in listed.out
    assert "a web page came in place of a list (since " in listed.out


def test_json_tells_of_each_feed_and_of_the_set(trailhound: Trailhound, site: Site) -> None:
    site.feed("one", "evil.example\nnot a value!\n")
    site.feed("two", "")
    ran = trailhound("feeds", "update", "-c", site.config, "--json")
    said = json.loads(ran.out)
    found = {feed["name"]: feed for feed in said["feeds"]}
    assert (found["one"]["outcome"], found["one"]["trails"]) == ("new", 1)
    assert (found["two"]["outcome"], ran.status) == ("missing", 1)
    assert "empty" in found["two"]["reason"]
    assert said["set"]["trails"] == 1


def test_a_shrunk_feed_is_taken_up_when_a_person_has_looked(trailhound: Trailhound, site: Site) -> None:
    site.feed("one", NAMES, expires="0")
    trailhound("feeds", "update", "-c", site.config)
    site.give("one", "evil.example\n")
    ran = trailhound("feeds", "update", "-c", site.config)
    assert (ran.status, "it shrank from 30 trails to 1" in ran.out) == (1, True)
    assert "evil.example" not in site.values()
    assert trailhound("feeds", "update", "--accept", "-c", site.config).status == 2
    assert trailhound("feeds", "update", "one", "--accept", "-c", site.config).status == 0
    assert site.values() == {"evil.example"}


def test_offline_asks_nobody(trailhound: Trailhound, site: Site) -> None:
    site.feed("one", "evil.example\n")
    trailhound("feeds", "update", "-c", site.config)
    site.give("one", "other.example\n")
    asked = len(site.place.requests)
    site.feeds["one"]["class"] = "c2"
    site.write()
    ran = trailhound("feeds", "update", "--offline", "-c", site.config)
    assert ran.status == 0
    assert len(site.place.requests) == asked
    assert site.values() == {"evil.example"}
    assert '"class": "c2"' in trailhound("trails", "check", "evil.example", "--json", "-c", site.config).out


def test_due_updates_only_what_is(trailhound: Trailhound, site: Site) -> None:
    site.feed("one", "evil.example\n")
    assert "1 new" in trailhound("feeds", "update", "--due", "-c", site.config).out
    site.feed("two", "other.example\n")
    asked = len(site.place.asked("/one.txt"))
    ran = trailhound("feeds", "update", "--due", "--json", "-c", site.config)
    assert [feed["name"] for feed in json.loads(ran.out)["feeds"]] == ["two"]
    assert len(site.place.asked("/one.txt")) == asked


def test_a_mistyped_name_is_answered_with_the_nearest(trailhound: Trailhound, site: Site) -> None:
    for command in (("update", "opnphish"), ("diff", "opnphish"), ("enable", "opnphish"), ("disable", "opnphish")):
        ran = trailhound("feeds", *command, "-c", site.config)
        assert (ran.status, ran.err) == (2, "trailhound: 'opnphish' is no feed; did you mean openphish?\n")


def test_a_feed_that_is_off_is_not_updated_by_name(trailhound: Trailhound, site: Site) -> None:
    ran = trailhound("feeds", "update", "openphish", "-c", site.config)
    assert ran.status == 2
    assert "`trailhound feeds enable openphish` switches it on" in ran.err


def test_switching_off_and_on_counts_at_once_and_writes_to_no_file_of_the_user(
    trailhound: Trailhound, site: Site
) -> None:
    site.feed("one", "evil.example\n")
    site.feed("two", "other.example\n")
    trailhound("feeds", "update", "-c", site.config)
    before = site.feeds_file.read_bytes(), site.config.read_bytes()
    off = trailhound("feeds", "disable", "one", "-c", site.config)
    assert off.out == "one: off; 1 trails in force\n"
    assert site.values() == {"other.example"}
    listed = json.loads(trailhound("feeds", "list", "--all", "--json", "-c", site.config).out)
    assert [(one["enabled"], one["switched"]) for one in listed if one["name"] == "one"] == [(False, True)]
    asked = len(site.place.asked("/one.txt"))
    trailhound("feeds", "update", "-c", site.config)
    assert len(site.place.asked("/one.txt")) == asked
    on = trailhound("feeds", "enable", "one", "-c", site.config)
    assert on.out.endswith("2 trails in force\n")
    assert site.values() == {"evil.example", "other.example"}
    assert (site.feeds_file.read_bytes(), site.config.read_bytes()) == before


def test_diff_shows_what_came_and_what_went(trailhound: Trailhound, site: Site) -> None:
    site.feed("one", "evil.example\nold.example\n", expires="0")
    assert trailhound("feeds", "diff", "one", "-c", site.config).status == 2
    trailhound("feeds", "update", "-c", site.config)
    site.give("one", "evil.example\nnew.example\n")
    trailhound("feeds", "update", "-c", site.config)
    said = trailhound("feeds", "diff", "one", "-c", site.config).out.splitlines()
    assert said[0] == "one: 2 came, 1 went"
    assert said[1:] == ["+ evil.example", "+ new.example", "- old.example"]
    found = json.loads(trailhound("feeds", "diff", "one", "--json", "--since", "1h", "-c", site.config).out)
    assert [one["value"] for one in found["went"]] == ["old.example"]
    later = json.loads(trailhound("feeds", "diff", "one", "--json", "--since", "2099-01-01", "-c", site.config).out)
    assert (later["came"], later["went"]) == ([], [])
    assert trailhound("feeds", "diff", "one", "--since", "yesterday", "-c", site.config).status == 2


def test_list_tells_age_size_licence_and_when_it_is_due(trailhound: Trailhound, site: Site) -> None:
    site.feed("one", "evil.example\n", licence="CC0", interval="12h")
    site.settle(update=True)
    trailhound("feeds", "update", "-c", site.config)
    lines = trailhound("feeds", "list", "-c", site.config).out.splitlines()
    row = next(line for line in lines if line.strip().startswith("one "))
    assert "well" in row
    assert "+1 -0" in row
    assert "0.0 kB" in row
    assert "in 12 h" in row or "in 13 h" in row
    assert "CC0" in row
    (one,) = json.loads(trailhound("feeds", "list", "--json", "-c", site.config).out)
    assert (one["name"], one["trails"], one["error"], one["stale"]) == ("one", 1, "", False)
    assert 0 <= one["age"] < 60
    assert one["due"] >= one["tried"] + 12 * 3600


def test_a_key_of_a_feed_is_not_shown(trailhound: Trailhound, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_KEY", "s3cr3t-value")
    site.feed("one", "", headers={"Auth": "{secret}"}, secret="OUR_KEY", url="http://localhost:1/{secret}/x")
    ran = trailhound("feeds", "update", "--json", "-c", site.config)
    listed = trailhound("feeds", "list", "--json", "-c", site.config)
    assert ran.status == 1
    assert "s3cr3t-value" not in ran.out + ran.err + listed.out + listed.err


def test_what_one_site_exports_another_imports(trailhound: Trailhound, site: Site, tmp_path: Path) -> None:
    site.feed("one", "evil.example\n")
    site.feed("two", NAMES)
    trailhound("feeds", "update", "-c", site.config)
    ran = trailhound("feeds", "export", tmp_path / "stick", "-c", site.config)
    assert (ran.status, ran.out) == (0, f"2 feeds in {tmp_path / 'stick'}\n")
    asked = len(site.place.requests)
    other = ("-c", site.config, "--state", tmp_path / "other")
    ran = trailhound("feeds", "import", tmp_path / "stick", *other)
    assert (ran.status, "2 new; 31 trails in force" in ran.out) == (0, True)
    assert len(site.place.requests) == asked
    assert Shelf(tmp_path / "other" / "feeds").names() == ["one", "two"]


def test_downloaded_files_are_imported_and_judged(trailhound: Trailhound, site: Site, tmp_path: Path) -> None:
    site.feed("one", "")
    site.feed("two", "")
    site.feed("three", "", enabled=False)
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "one.txt").write_text("evil.example\n")
    (folder / "two.txt").write_text("<html></html>")
    (folder / "three.txt").write_text("off.example\n")
    (folder / "holiday.jpg").write_bytes(b"")
    ran = trailhound("feeds", "import", folder, "-c", site.config)
    assert ran.status == 1
    assert "two: nothing is there yet: " in ran.out
    assert "holiday.jpg belongs to no feed, and was left alone" in ran.out
    assert "three is off, and was left alone" in ran.out
    assert site.values() == {"evil.example"}
    assert trailhound("feeds", "import", tmp_path / "nowhere", "-c", site.config).status == 2


def test_where_the_set_comes_from_elsewhere_feeds_are_refused(
    trailhound: Trailhound, site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRAILHOUND_TRAILS__SET", str(tmp_path / "my.set"))
    ran = trailhound("feeds", "update", "-c", site.config)
    assert ran.status == 2
    assert ran.err.startswith("trailhound: trails.set: the trail set comes from there")


def test_two_updates_at_once_are_refused_in_words(trailhound: Trailhound, site: Site) -> None:
    site.feed("one", "evil.example\n")
    with Shelf(site.settings.shelf_path).alone():
        ran = trailhound("feeds", "update", "-c", site.config)
        switched = trailhound("feeds", "disable", "one", "-c", site.config)
    assert ran.status == 2
    assert "feeds are being updated already" in ran.err
    assert switched.status == 0
    assert "it counts from the next update on" in switched.out


def test_a_wrong_file_of_feeds_is_named_with_feed_and_key(trailhound: Trailhound, site: Site) -> None:
    site.feed("one", "", intervall="1h")
    ran = trailhound("feeds", "list", "-c", site.config)
    assert ran.status == 2
    assert f"{site.feeds_file}: [one] intervall is no key" in ran.err
    assert "did you mean interval?" in ran.err


@pytest.mark.parametrize("command", ["update", "list", "diff", "enable", "disable", "test", "import", "export", "docs"])
def test_every_command_has_help_with_an_example(trailhound: Trailhound, command: str) -> None:
    ran = trailhound("feeds", command, "--help")
    assert ran.status == 0
    assert f"trailhound feeds {command}" in ran.out
