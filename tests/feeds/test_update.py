"""Updates as a site has them: what comes, what goes, and what must not come in."""

import gzip
import json
import os
from pathlib import Path

import pytest

from feeds import build
from feeds.granary import Granary, Kept
from tests.feeds.supply import DAY, HOUR, NOW, Site, feed, names, site
from trailhound.errors import SettingsError
from trailhound.trail import TrailKind


def kept_of(made: Site) -> dict[str, Kept]:
    return Granary(made.settings.shelf_path).index()


@pytest.fixture
def alone(tmp_path: Path) -> Site:
    """A site with one feed, `list`, that had 100 names."""
    made = site(tmp_path, feed("list", **{"class": "c2"}, info="evil", expires="2d"))
    report = made.serve_one(names(100))
    assert (report.outcome, report.reason, report.trails, report.added) == ("new", "", 100, 100)
    made.later(HOUR)
    return made


def test_what_a_feed_gives_is_in_the_set(alone: Site) -> None:
    assert len(alone.values()) == 100
    found = alone.trail("n7.bad.example")
    assert found is not None
    assert (found.info, found.sources, found.confidence, found.first_seen) == ("evil", ("list",), 60, NOW)


def test_what_comes_and_goes(alone: Site) -> None:
    report = alone.serve_one(names(100, start=10))
    assert (report.outcome, report.added, report.removed, report.trails) == ("new", 10, 0, 100)
    assert len(alone.values()) == 110, "what is no longer listed has its grace"
    gone = alone.trail("n0.bad.example")
    assert gone is not None
    assert gone.expires == NOW + 2 * DAY
    alone.later(3 * DAY)
    report = alone.serve_one(names(101, start=10))
    assert (report.added, report.removed) == (1, 10)
    assert alone.trail("n0.bad.example") is None
    assert kept_of(alone)["list"].trails == 101


def test_a_feed_that_does_not_change_lets_go_too(alone: Site) -> None:
    alone.serve_one(names(100, start=10))
    alone.later(3 * DAY)
    report = alone.serve_one(names(100, start=10))
    assert (report.added, report.removed, report.trails) == (0, 10, 100)
    assert alone.trail("n0.bad.example") is None
    assert alone.trails.about.trails == 100


def test_an_update_without_news_compiles_nothing(alone: Site) -> None:
    before = alone.settings.trail_set_path.stat()
    update = alone.serve(list=names(100))
    assert update.compiled is None
    assert alone.settings.trail_set_path.stat().st_ino == before.st_ino


HTML = "<!DOCTYPE html><html><body><h1>Sign in</h1>www.login.example evil.example</body></html>"
WORSE = {
    "failed": (OSError("the server answered 500"), "500"),
    "empty": ("", "empty"),
    "comments": ("# nothing today\n", "empty"),
    "shrunk": (names(40), "shrank from 100 trails to 40"),
    "html": (HTML, "web page"),
    "html that begins late": (f"# list\n{HTML * 30}", "refused"),
    "nonsense": ("!! error\n" * 300, "refused"),
    "more nonsense than values": (names(100) + "?? no value\n" * 300, "changed shape"),
    "other kinds": (
        "".join(f"203.0.113.{number}\n" for number in range(100)),
        "changed shape: ipv4 where it had domain",
    ),
    "a long line": ("a" * 1_000_000, "refused"),
    "cut off gzip": (gzip.compress(names(100).encode())[:-20], ""),
    "gzip bomb": (gzip.compress(b"a" * 100_000_000), ""),
    "binary": (bytes(range(256)) * 100, ""),
}


@pytest.mark.parametrize("name", WORSE)
def test_what_got_worse_is_not_taken_up(alone: Site, name: str) -> None:
    content, expected = WORSE[name]
    before = alone.values()
    assert isinstance(content, str | bytes | Exception)
    report = alone.serve_one(content)
    assert report.outcome == "kept"
    assert expected in report.reason
    assert not report.well
    assert (report.trails, alone.values()) == (100, before)
    kept = kept_of(alone)["list"]
    assert alone.shelf.facts("list").error == report.reason
    if not isinstance(content, Exception):
        assert (kept.objection, kept.since) == (report.reason, alone.now)
    alone.later(HOUR)
    assert alone.serve_one(names(101)).well
    kept = kept_of(alone)["list"]
    assert (kept.objection, kept.since, alone.shelf.facts("list").error) == ("", 0, "")
    assert len(alone.values()) == 101


def test_a_feed_that_fails_for_long_loses_nothing(alone: Site) -> None:
    for _ in range(10):
        alone.later(3 * DAY)
        alone.serve_one(OSError("no route to host"))
    assert len(alone.values()) == 100
    assert kept_of(alone)["list"].seen == NOW


def test_a_person_may_take_up_what_shrank(alone: Site) -> None:
    assert alone.serve_one(names(40)).outcome == "kept"
    assert alone.serve_one(names(40), accept=True).outcome == "new"
    assert kept_of(alone)["list"].trails == 40


def test_how_much_a_feed_may_shrink_is_a_setting(alone: Site) -> None:
    alone.settle(feeds={"min_ratio": 0.3})
    assert alone.serve_one(names(40)).outcome == "new"
    assert alone.serve_one("").outcome == "kept"


def test_a_small_feed_may_do_as_it_likes_but_not_be_empty(tmp_path: Path) -> None:
    small = site(tmp_path, feed("list"))
    small.serve_one(names(4))
    assert small.serve_one(names(1)).outcome == "new"
    assert small.serve_one("# none\n").outcome == "kept"


def test_the_content_of_another_feed_is_not_taken_up(tmp_path: Path) -> None:
    two = site(tmp_path, feed("mine"), feed("other"), feed("mirror", group="mine"))
    mine, other = names(100), names(100, suffix="worse.example")
    two.serve(mine=mine, other=other, mirror=other)
    reports = two.serve(mine=other).feeds
    assert [report.reason for report in reports] == ["it has the content of other and none of its own"]
    assert two.serve(mine=names(100, start=95)).well, "a list that moved on has something of its own"


POISON = {
    "0.0.0.0/0": ("0.0.0.0/0", TrailKind.CIDR),
    "::/0": ("::/0", TrailKind.CIDR),
    "com": ("com", TrailKind.TLD),
    "co.uk": ("co.uk", TrailKind.DOMAIN),
    "google.com": ("google.com", TrailKind.DOMAIN),
    "bbc.co.uk": ("bbc.co.uk", TrailKind.DOMAIN),
    "8.8.8.8": ("8.8.8.8", TrailKind.IPV4),
    "8.8.8.8:53": ("8.8.8.8:53", TrailKind.IP_PORT),
    "8.8.8.0/24": ("8.8.8.0/24", TrailKind.CIDR),
    "10.1.2.3": ("10.1.2.3", TrailKind.IPV4),
    "203.0.113.77": ("203.0.113.77", TrailKind.IPV4),
    "203.0.0.0/16": ("203.0.0.0/16", TrailKind.CIDR),
    "http://203.0.113.77/login": ("203.0.113.77/login", TrailKind.URL),
    "[2001:db8:77::1]:443": ("[2001:db8:77::1]:443", TrailKind.IP_PORT),
    "104.16.1.1": ("104.16.1.1", TrailKind.IPV4),
    "104.16.1.1:443": ("104.16.1.1:443", TrailKind.IP_PORT),
    "http://104.16.1.1/": ("104.16.1.1/", TrailKind.HTTP_HOST),
    "2606:4700::1111": ("2606:4700::1111", TrailKind.IPV6),
}


@pytest.mark.parametrize("line", POISON)
@pytest.mark.parametrize("more", [0, 25_000])
def test_poison_among_good_trails_does_not_get_in(tmp_path: Path, line: str, more: int) -> None:
    poisoned = site(tmp_path, feed("list", **{"class": "c2"}))
    poisoned.settle(networks={"home": ["10.0.0.0/8", "203.0.113.0/24", "2001:db8:77::/48"]})
    many = "".join(f"198.{51 + number // 65_536}.{number // 256 % 256}.{number % 256}\n" for number in range(more))
    poisoned.serve_one(f"{line}\n{names(30)}198.51.200.1\nhttp://104.16.1.1/gate.php\n{many}")
    value, kind = POISON[line]
    assert poisoned.trail(value, kind) is None
    assert len(poisoned.values()) >= 32 + more - 1, "nothing else is lost"
    assert poisoned.trail("104.16.1.1/gate.php", TrailKind.URL) is not None


def test_the_resolver_of_this_host_does_not_get_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feeds.exclusion.resolvers", lambda: ["198.51.100.53"])
    poisoned = site(tmp_path, feed("list", **{"class": "c2"}))
    poisoned.serve_one("198.51.100.53\n198.51.100.54\n")
    assert poisoned.values() == {"198.51.100.54"}
    poisoned.settle(feeds={"spare_resolvers": False})
    poisoned.serve_one("198.51.100.53\n198.51.100.54\n")
    assert poisoned.values() == {"198.51.100.53", "198.51.100.54"}


def test_delivery_networks_may_be_let_in_and_sinkholes_there_are(tmp_path: Path) -> None:
    hosted = site(tmp_path, feed("list", **{"class": "c2"}), feed("holes", **{"class": "sinkhole"}))
    hosted.serve(list="104.16.1.1\n", holes="104.16.1.2\n")
    assert hosted.values() == {"104.16.1.2"}
    hosted.settle(feeds={"spare_delivery": False})
    hosted.serve(list="104.16.1.1\n")
    assert hosted.values() == {"104.16.1.1", "104.16.1.2"}


def test_what_is_off_counts_no_longer_and_comes_back(tmp_path: Path) -> None:
    two = site(tmp_path, feed("first"), feed("second"))
    two.serve(first="a.example\n", second="b.example\n")
    two.feeds["first"] = feed("first", enabled=False)
    two.serve()
    assert two.values() == {"b.example"}
    two.feeds["first"] = feed("first")
    two.serve()
    assert two.values() == {"a.example", "b.example"}
    del two.feeds["second"]
    two.serve()
    assert two.values() == {"a.example"}
    assert list(kept_of(two)) == ["first"]


def test_a_feed_that_is_described_anew_is_read_anew(alone: Site) -> None:
    alone.feeds["list"] = feed("list", **{"class": "phishing"}, info="lure")
    update = alone.serve()
    assert update.compiled is not None
    found = alone.trail("n7.bad.example")
    assert found is not None
    assert (found.info, found.class_.value, found.first_seen) == ("lure", "phishing", NOW)


def test_a_lost_harvest_is_made_again_of_the_copy(alone: Site) -> None:
    kept = kept_of(alone)["list"]
    (alone.settings.shelf_path / "list" / kept.file).unlink()
    (alone.settings.shelf_path / "harvests.json").unlink()
    alone.serve()
    assert len(alone.values()) == 100


def test_a_name_that_no_feed_has_is_an_error(alone: Site) -> None:
    with pytest.raises(SettingsError, match="other is no feed"):
        alone.serve(other="")


def warning_list(*entries: str) -> str:
    said = {"name": "well known", "type": "hostname", "matching_attributes": ["domain"], "list": entries}
    return json.dumps(said)


def test_warning_lists_are_fetched_like_feeds_and_keep_trails_out(tmp_path: Path) -> None:
    made = site(tmp_path, feed("list"), feed("known", format="misp-warninglist"))
    made.serve(list="good.example\nevil.example\n", known=warning_list("good.example", "other.example"))
    assert made.values() == {"evil.example"}
    kept = kept_of(made)["known"]
    assert (kept.warning_list, kept.trails) == (True, 2)
    update = made.serve(known=warning_list("evil.example", "other.example"))
    assert made.values() == {"good.example"}
    assert update.merged is not None
    assert update.merged.kept_out == {"on the warning list well known": 1}


@pytest.mark.parametrize("content", ["", "{}", HTML, '{"name": "x", "type": "string", "list": []}', OSError("away")])
def test_a_warning_list_that_got_worse_is_not_taken_up(tmp_path: Path, content: str | Exception) -> None:
    made = site(tmp_path, feed("list"), feed("known", format="misp-warninglist"))
    made.serve(list="good.example\nevil.example\n", known=warning_list("good.example", "other.example"))
    (report,) = made.serve(known=content).feeds
    assert report.outcome == "kept"
    made.serve(list="good.example\nevil.example\nnew.example\n")
    assert made.values() == {"evil.example", "new.example"}


def test_only_one_process_compiles_what_changed(alone: Site) -> None:
    built = build.compile_own(alone.settings, anew=False)
    assert built is None, "the update has compiled it already"
    assert build.is_current(alone.settings)
    alone.settle(networks={"home": ["203.0.113.0/24"]})
    assert not build.is_current(alone.settings)
    assert build.compile_own(alone.settings, anew=False) is not None


def test_the_same_updates_give_the_same_bytes(tmp_path: Path) -> None:
    sets = []
    for order in (("one", "two"), ("two", "one")):
        made = site(tmp_path / order[0], feed("one", **{"class": "c2"}), feed("two", **{"class": "malware"}))
        lists = {"one": names(50), "two": names(50, start=30)}
        for name in order:
            made.serve(**{name: lists[name]})
        sets.append(made.trails.about.checksum)
    assert sets[0] == sets[1]


@pytest.mark.skipif(not os.environ.get("TRAILHOUND_CORPUS"), reason="TRAILHOUND_CORPUS names no folder of real lists")
def test_a_real_list_is_replayed_day_by_day(tmp_path: Path) -> None:
    """Take the addresses of ipsum by how many lists have them, as if each were what it listed on one day."""
    source = Path(os.environ["TRAILHOUND_CORPUS"], "feeds", "stamparm+ipsum", "ipsum.txt").read_text()
    rows = [line.split() for line in source.splitlines() if not line.startswith("#")]
    days = [[row[0] for row in rows if int(row[1]) in levels] for levels in ({2, 3, 4, 5}, {2, 3, 4}, {2, 3, 5, 6})]
    made = site(tmp_path, feed("ipsum", expires="36h"))
    shown: list[set[str]] = []
    for day in days:
        made.serve(ipsum="\n".join(day))
        shown.append({trail.value for trail in made.trails})
        made.later(DAY)
    never = set().union(*days) - set().union(*shown)  # In delivery networks and the like.
    first, second, third = (set(day) - never for day in days)
    assert min(map(len, (first - second, second - third, third - second))) > 100
    assert shown == [first, first | second, second | third], "what is no longer listed has one day of grace"
    (report,) = made.serve(ipsum="\n".join(days[2])).feeds
    assert (report.outcome, report.removed) == ("unchanged", len(second - third))
    assert {trail.value for trail in made.trails} == third
