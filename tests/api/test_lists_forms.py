"""The forms of lists."""

import json
import re
from typing import get_args

import pytest
from fastapi import FastAPI

from api.lists.forms import FORMS
from api.routes.lists import FormWord
from stores.contract import Store
from stores.desk.contract import Author, Decision, DecisionScope, Verdict
from tests.api.client import AppClient
from tests.api.conftest import NOW
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from trailhound.severity import Severity
from trailhound.trail import TrailClass, TrailKind

NASTY = 'x"; drop $table #\n\\ [rest] é'


@pytest.fixture
def plenty(app: FastAPI, store: Store) -> Store:
    """Hold two attackers (one with a nasty name of its threat), an IPv6 one, a name; a range is decided."""
    nasty = make_trail(kind=TrailKind.IPV4, value="80.94.92.10", info=NASTY, class_=TrailClass.ATTACKER)
    store.append(
        [
            make_attack(start=NOW - HOUR, severity=Severity.HIGH),
            make_attack(source_ip="80.94.92.10", trail=nasty, start=NOW - HOUR, severity=Severity.LOW),
            make_attack(source_ip="2a00:1450::1", start=NOW - HOUR),
            make_event(start=NOW - HOUR),
        ]
    )
    decision = Decision(
        "0" * 16, Verdict.BLOCK, DecisionScope.RANGE, "80.2.0.0/16", "all of them", "me", START, NOW + HOUR
    )
    app.state.desk.add_decision(decision, Author("me", "", START))
    return store


ADDRESSES = ("80.2.0.0/16", "45.155.205.233", "80.94.92.10")
EXPECTED = {
    "txt": "80.2.0.0/16\n45.155.205.233\n80.94.92.10\n",
    "pf": "# Trailhound: attackers\n80.2.0.0/16\n45.155.205.233\n80.94.92.10\n",
    "edl": "80.2.0.0/16 all of them\n45.155.205.233 mass scanner\n80.94.92.10 x drop table rest\n",
    "ipset": (
        "create th-attackers hash:net family inet maxelem 10000000 -exist\n"
        "create th-attackers-new hash:net family inet maxelem 10000000 -exist\n"
        "flush th-attackers-new\n"
        "add th-attackers-new 80.2.0.0/16 -exist\n"
        "add th-attackers-new 45.155.205.233 -exist\n"
        "add th-attackers-new 80.94.92.10 -exist\n"
        "swap th-attackers-new th-attackers\n"
        "destroy th-attackers-new\n"
    ),
    "nft": (
        "table inet trailhound {\n\tset attackers {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\tauto-merge\n\t}\n}\n"
        "flush set inet trailhound attackers\n"
        "add element inet trailhound attackers { 80.2.0.0/16, 45.155.205.233, 80.94.92.10 }\n"
    ),
    "mikrotik": (
        '/ip firewall address-list\nremove [find list="trailhound-attackers"]\n'
        'add list="trailhound-attackers" address=80.2.0.0/16 comment="all of them"\n'
        'add list="trailhound-attackers" address=45.155.205.233 comment="mass scanner"\n'
        'add list="trailhound-attackers" address=80.94.92.10 comment="x drop table rest"\n'
    ),
}


@pytest.mark.parametrize("form", EXPECTED)
def test_a_list_of_addresses(client: AppClient, plenty: Store, form: str) -> None:
    answer = client.get(f"/lists/attackers.{form}")
    assert answer.text == EXPECTED[form]
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-list-count"] == "3"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("txt", "evil.example\n"),
        ("edl", "evil.example\n"),
        ("hosts", "0.0.0.0 evil.example\n"),
        ("dnsmasq", "address=/evil.example/\n"),
    ],
)
def test_a_list_of_names(client: AppClient, plenty: Store, form: str, expected: str) -> None:
    assert client.get(f"/lists/c2-domains.{form}").text == expected


def test_a_zone_says_names_and_addresses_and_its_serial_grows_with_them(client: AppClient, plenty: Store) -> None:
    names, addresses = (client.get(f"/lists/{name}.rpz").text for name in ("c2-domains", "attackers"))
    assert "$ORIGIN c2-domains.rpz.trailhound.\n" in names
    assert names.endswith("evil.example CNAME .\n*.evil.example CNAME .\n")
    assert addresses.endswith(
        "16.0.0.2.80.rpz-ip CNAME .\n32.233.205.155.45.rpz-ip CNAME .\n32.10.92.94.80.rpz-ip CNAME .\n"
    )
    assert client.get("/lists/c2-domains.rpz").text == names
    plenty.append([make_event(start=NOW - HOUR, trail=make_trail(value="worse.example"), identity="new")])
    serials = [
        int(found[1])
        for text in (names, client.get("/lists/c2-domains.rpz").text)
        if (found := re.search(r"root\.localhost\. (\d+)", text))
    ]
    assert serials[1] > serials[0]


def test_all_that_is_known_of_an_entry(client: AppClient, plenty: Store) -> None:
    answer = client.get("/lists/attackers.json")
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert found["name"] == "attackers"
    assert [entry["value"] for entry in found["entries"]] == list(ADDRESSES)
    decided, attacker, nasty = found["entries"]
    assert (decided["decided"], decided["reason"], decided["until"]) == (
        True,
        "all of them",
        "2025-10-01T04:00:00.000000Z",
    )
    assert (attacker["decided"], attacker["severity"], attacker["until"]) == (
        False,
        "high",
        "2025-10-02T02:00:00.000000Z",
    )
    assert nasty["reason"] == NASTY


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_list_is_well_formed(client: AppClient, form: str) -> None:
    name = "attackers" if FORMS[form].of_addresses else "c2-domains"
    answer = client.get(f"/lists/{name}.{form}")
    assert (answer.status_code, answer.headers["x-list-count"]) == (200, "0")
    if form in ("txt", "edl", "hosts", "dnsmasq"):
        assert answer.content == b""
    if form == "json":
        assert json.loads(answer.content)["entries"] == []


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_sent_again_only_when_it_changed(client: AppClient, plenty: Store, form: str) -> None:
    name = "attackers" if FORMS[form].of_addresses else "c2-domains"
    tag = client.get(f"/lists/{name}.{form}").headers["etag"]
    again = client.get(f"/lists/{name}.{form}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["x-list-count"] in ("1", "3")
    plenty.append([make_attack(source_ip="45.155.205.1", start=NOW - HOUR)])
    plenty.append([make_event(start=NOW - HOUR, trail=make_trail(value="worse.example"), identity="new")])
    assert client.get(f"/lists/{name}.{form}", headers={"If-None-Match": tag}).status_code == 200


def test_the_document_names_all_forms() -> None:
    assert list(FORMS) == list(get_args(FormWord))


def test_a_long_list_goes_to_nft_in_pieces(client: AppClient, store: Store) -> None:
    store.append([make_attack(source_ip=f"45.{n // 250}.{n % 250}.1", start=NOW - HOUR) for n in range(5001)])
    lines = client.get("/lists/attackers.nft").text.splitlines()
    assert [line.count(".1,") + line.count(".1 ") for line in lines if line.startswith("add element")] == [5000, 1]
