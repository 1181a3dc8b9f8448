import json
from pathlib import Path
from typing import Any

import pytest

from feeds import life, warninglists
from feeds.exclusion import Exclusion
from feeds.harvest import Harvest
from matchers.gather import Gathering
from matchers.trailset import value_of
from tests.feeds.supply import NOW, feed
from trailhound.canonical import readings
from trailhound.errors import SourceError
from trailhound.trail import Trail, TrailClass

MD5 = "0cc175b9c0f1b6a831c399e269772661"


def listed(type_: str, entries: list[str], *attributes: str) -> bytes:
    said: dict[str, Any] = {"name": "well known", "version": 1, "description": "", "type": type_, "list": entries}
    return json.dumps({**said, "matching_attributes": list(attributes)}).encode()


def harvest(*values: str) -> Harvest:
    gathering = Gathering()
    for value in values:
        kind, canonical = readings(value)[0]
        gathering.add(Trail(kind, canonical, "evil", TrailClass.C2, ("list",)))
    return life.merge(None, gathering, NOW, feed("list"))[0]


def kept_out(content: bytes, *values: str) -> list[str]:
    warning_list, refused = warninglists.parse(content, "a test")
    assert refused == []
    grown = harvest(*values)
    found = Exclusion(lists=[warning_list]).of(grown)
    assert set(found.values()) <= {"on the warning list well known"}
    return sorted(value_of(grown.keys[place]) for place in found)


def test_strings_keep_out_exactly_themselves() -> None:
    content = listed("string", ["good.example", "198.51.100.1", MD5], "domain", "ip-dst", "md5")
    values = ("good.example", "x.good.example", "198.51.100.1", "198.51.100.10", "http://good.example/a", MD5)
    assert kept_out(content, *values) == [MD5, "198.51.100.1", "good.example"]


@pytest.mark.parametrize("more", [0, 100])
def test_host_names_keep_out_what_is_below_unless_strangers_live_there(more: int) -> None:
    content = listed("hostname", [".good.example", "duckdns.org"], "hostname", "domain")
    values = ("good.example", "a.good.example", "notgood.example", "example.net", "duckdns.org", "evil.duckdns.org")
    many = [f"n{number}.bad.example" for number in range(more)]
    assert kept_out(content, *values, *many) == ["a.good.example", "duckdns.org", "good.example"]


def test_networks_keep_out_addresses_ports_and_networks() -> None:
    content = listed("cidr", ["198.51.100.0/25", "2001:db8:1::/48"], "ip-src", "ip-dst")
    values = ("198.51.100.1", "198.51.100.200", "198.51.100.1:80", "198.51.0.0/16", "http://198.51.100.1/a")
    expected = ["198.51.0.0/16", "198.51.100.1", "198.51.100.1:80", "2001:db8:1::5"]
    assert kept_out(content, *values, "2001:db8:1::5", "2001:db8:2::5") == expected


def test_parts_and_patterns_are_looked_for_in_values_of_their_kinds() -> None:
    values = ("Update.Good.example", "http://good.example/update.good", "bad.example")
    assert kept_out(listed("substring", ["UPDATE.good"], "domain"), *values) == ["update.good.example"]
    assert kept_out(listed("regex", [r"/^update\.[a-z]+\.example$/i"], "domain"), *values) == ["update.good.example"]


@pytest.mark.parametrize(
    ("type_", "entry", "reason"),
    [
        ("substring", "77", "too many values"),
        ("substring", "example", "nobody knows"),
        ("regex", ".*", "nobody knows"),
        ("regex", "(unclosed", "RE2"),
        ("regex", "", "nobody knows"),
        ("cidr", "0.0.0.0/0", "wider"),
        ("cidr", "::/0", "wider"),
        ("cidr", "nonsense", "no address"),
        ("string", "0.0.0.0/0", "wider"),
        ("hostname", "com", "no name"),
        ("hostname", "77", "no name"),
    ],
)
def test_an_entry_that_would_keep_out_half_of_everything_is_not_used(type_: str, entry: str, reason: str) -> None:
    warning_list, refused = warninglists.parse(listed(type_, [entry]), "a test")
    assert [item.line for item in refused if reason in item.reason] == [1]
    assert len(warning_list) == 0


def test_a_public_suffix_keeps_out_only_itself() -> None:
    assert kept_out(listed("hostname", ["github.io"]), "github.io", "evil.github.io") == ["github.io"]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"name": "x", "type": "other", "list": []}', b"\xff"])
def test_what_is_no_warning_list_is_an_error(content: bytes) -> None:
    with pytest.raises(SourceError, match="no warning list"):
        warninglists.parse(content, "a test")


def test_lists_are_found_among_files_and_what_is_none_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_bytes(listed("string", ["good.example"]))
    (tmp_path / "other.json").write_bytes(b"{}")
    found = list(warninglists.of_files("lists", sorted(tmp_path.iterdir())))
    assert [(one.name, len(one)) for one in found] == [("well known", 1)]
