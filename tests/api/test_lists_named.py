"""Lists with names: by which rules somebody stands on them, and for how long."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from api.access.people import Key
from api.access.principal import Scope
from api.app import attach
from stores.contract import Store
from stores.desk.contract import Author, Cleared, Decision, DecisionScope, Desk, Verdict
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from tests.api.trails import DictLookup
from tests.stores.factory import HOUR, make_attack, make_event, make_trail
from trailhound.listing import Lists, NamedList
from trailhound.settings import Api, Settings
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailClass, TrailKind

DAY = 24 * HOUR
ME = Author("me", "127.0.0.1", NOW)
NUMBERS = itertools.count(1)
Ask = Callable[..., list[str]]


@pytest.fixture
def listed(made: FastAPI, tmp_path: Path, store: Store) -> Ask:
    """Give what stands on a list of such settings."""

    def ask(trails: DictLookup | None = None, **rule: Any) -> list[str]:
        lists = Lists(named={"mine": NamedList(**{"holds": "ipv4", **rule})})
        settings = Settings(state_dir=tmp_path, lists=lists)
        attach(made, settings, store, trails or DictLookup([]), clock=lambda: NOW)
        return AppClient(made).anonymous.get("/lists/mine.txt").text.split()

    return ask


def attack(source: str, **changes: Any) -> Any:
    return make_attack(**{"source_ip": source, "start": NOW - HOUR, **changes})


def call(trail: str, kind: TrailKind = TrailKind.DOMAIN, class_: TrailClass = TrailClass.C2, **changes: Any) -> Any:
    trail_ = make_trail(kind=kind, value=trail, class_=class_)
    return make_event(**{"trail": trail_, "start": NOW - HOUR, "identity": trail, **changes})


def test_the_lists_that_are_there_by_themselves(client: AppClient, store: Store) -> None:
    store.append([attack("45.155.205.1"), attack("2a00:1450::1"), call("evil.example")])
    store.append([call("45.155.205.9", TrailKind.IPV4), call("45.155.205.8:8080", TrailKind.IP_PORT)])
    assert client.get("/lists/attackers.txt").text == "45.155.205.1\n"
    assert client.get("/lists/attackers6.txt").text == "2a00:1450::1\n"
    assert sorted(client.get("/lists/c2.txt").text.split()) == ["45.155.205.8", "45.155.205.9"]
    assert client.get("/lists/c2-domains.txt").text == "evil.example\n"
    assert client.get("/blacklist/attackers").text == client.get("/lists/attackers.txt").text


def test_a_list_of_ones_own_takes_the_place_of_one_that_is_there(listed: Ask) -> None:
    assert set(Lists(named={"c2": NamedList(holds="ipv6")}).all) == {"attackers", "attackers6", "c2", "c2-domains"}
    assert Lists(named={"c2": NamedList(holds="ipv6")}).all["c2"].holds == "ipv6"


def test_class_severity_and_count_decide(listed: Ask, store: Store) -> None:
    scanner = make_trail(kind=TrailKind.IPV4, value="45.155.205.1", class_=TrailClass.SCANNER)
    store.append([attack("45.155.205.1", trail=scanner, severity=Severity.LOW, count=1)])
    store.append([attack("45.155.205.2", severity=Severity.MEDIUM, count=50)])
    store.append([attack("45.155.205.3", severity=Severity.HIGH, count=5)])
    assert listed() == ["45.155.205.3", "45.155.205.2", "45.155.205.1"]
    assert listed(classes=["scanner"]) == ["45.155.205.1"]
    assert listed(min_severity="medium") == ["45.155.205.3", "45.155.205.2"]
    assert listed(min_count=6) == ["45.155.205.2"]
    assert listed(limit=1) == ["45.155.205.3"]
    assert listed(limit=1, exclude=["45.155.205.3"]) == ["45.155.205.2"]
    assert listed(exclude=["45.155.205.2/31"]) == ["45.155.205.1"]


def test_confidence_is_that_of_the_trails_in_force(listed: Ask, store: Store) -> None:
    trails = DictLookup(
        [make_trail(kind=TrailKind.IPV4, value=f"45.155.205.{n}", confidence=n * 30) for n in (1, 2, 3)]
    )
    store.append([attack(f"45.155.205.{n}") for n in (1, 2, 3, 4)])
    assert sorted(listed(trails, min_confidence=60)) == ["45.155.205.2", "45.155.205.3"]
    # What the trails do not know is as sure as what says nothing of itself.
    assert sorted(listed(trails, min_confidence=50)) == ["45.155.205.2", "45.155.205.3", "45.155.205.4"]


def test_who_comes_again_stays_longer(listed: Ask, store: Store) -> None:
    last = NOW - 30 * HOUR
    for address, days in (("45.155.205.1", 1), ("45.155.205.2", 2), ("45.155.205.3", 3)):
        store.append([attack(address, start=last - day * DAY, identity=f"{address} {day}") for day in range(days)])
    assert listed(hours=31) == ["45.155.205.1", "45.155.205.2", "45.155.205.3"]
    # Two days: 2 times 24 hours; three: 4 times.
    assert listed(hours=24) == ["45.155.205.2", "45.155.205.3"]
    assert listed(hours=8) == ["45.155.205.3"]
    assert listed(hours=7) == []
    # Nothing counts, and nobody stays, for longer than this.
    assert listed(hours=24, within_hours=29) == []
    assert listed(hours=24, within_hours=31) == []


def test_a_name_that_is_called_again_stays_longer(listed: Ask, store: Store) -> None:
    last = NOW - 30 * HOUR
    store.append([call("once.example", start=last, identity="once")])
    store.append([call("twice.example", start=last - day * DAY, identity=f"twice {day}") for day in (0, 1)])
    assert listed(holds="domain", hours=24) == ["twice.example"]
    assert listed(holds="domain", hours=31) == ["once.example", "twice.example"]


def test_names_that_are_spared_are_left_out(listed: Ask, store: Store) -> None:
    store.append([call(name) for name in ("evil.example", "www.evil.example", "other.example", "good.other.example")])
    assert sorted(listed(holds="domain", exclude=["evil.example"])) == ["good.other.example", "other.example"]
    assert "good.other.example" not in listed(holds="domain", exclude=["good.other.example"])


def test_only_what_inner_hosts_called_is_on_a_list_of_what_they_called(listed: Ask, store: Store) -> None:
    outward = {"holds": "ipv4", "direction": "outbound"}
    store.append([attack("45.155.205.1"), call("45.155.205.2", TrailKind.IPV4, direction=Direction.INBOUND)])
    store.append([call("45.155.205.3", TrailKind.IPV4, TrailClass.SUSPICIOUS), call("10.1.1.1", TrailKind.IPV4)])
    store.append([call("45.155.205.4", TrailKind.IPV4), call("2a00:1450::1", TrailKind.IPV6)])
    assert listed(**outward) == ["45.155.205.4"]
    assert listed(**{**outward, "holds": "ipv6"}) == ["2a00:1450::1"]
    assert sorted(listed(**outward, classes=["c2", "suspicious"])) == ["45.155.205.3", "45.155.205.4"]


def decide(desk: Desk, verdict: Verdict, value: str, ends: int | None = None) -> Decision:
    scope = DecisionScope.RANGE if "/" in value else DecisionScope.ADDRESS
    scope = scope if value[0].isdigit() or ":" in value else DecisionScope.DOMAIN
    return desk.add_decision(
        Decision(f"{next(NUMBERS):016x}", verdict, scope, value, "because", "me", NOW - 1, ends), ME
    )


def test_what_people_decided_counts_most(client: AppClient, app: FastAPI, filled: Store) -> None:
    desk: Desk = app.state.desk
    before = client.get("/fail2ban").text
    decide(desk, Verdict.BLOCK, "80.1.1.1", NOW + HOUR)
    decide(desk, Verdict.BLOCK, "80.2.0.0/16")
    decide(desk, Verdict.BLOCK, "bad.example")
    decide(desk, Verdict.BLOCK, "192.168.1.1")
    allowed = decide(desk, Verdict.ALLOW, "45.155.205.0/24")
    assert client.get("/lists/attackers.txt").text == "80.1.1.1\n80.2.0.0/16\n80.94.92.10\n"
    assert client.get("/lists/c2-domains.txt").text.split()[0] == "bad.example"
    # Scripts that ask for the classic list know addresses only.
    assert client.get("/fail2ban").text == "80.1.1.1\n80.94.92.10\n"
    desk.lift_decision(allowed.id, allowed.version, ME)
    assert "45.155.205.233" in client.get("/fail2ban").text
    app.state.clock = lambda: NOW + HOUR
    assert client.get("/fail2ban").text == before


@pytest.mark.parametrize(
    ("blocked", "parts"),
    [
        ("80.94.92.0/24", ["80.94.92.0/25", "80.94.92.128/26", "80.94.92.192/27", "80.94.92.224/28"]),
        ("192.168.0.0/15", ["192.169.0.0/16"]),
        ("10.1.0.0/16", []),
    ],
)
def test_of_a_range_only_what_may_be_blocked_is(
    client: AppClient, app: FastAPI, blocked: str, parts: list[str]
) -> None:
    decide(app.state.desk, Verdict.ALLOW, "80.94.92.240/28")
    decide(app.state.desk, Verdict.BLOCK, blocked)
    assert client.get("/lists/attackers.txt").text.split() == parts


def test_a_cleared_host_comes_back_for_something_new_only(client: AppClient, app: FastAPI, filled: Store) -> None:
    cleared = Cleared("45.155.205.233", "reinstalled", "me", NOW - HOUR)
    app.state.desk.clear(cleared, replace(ME, at=NOW - HOUR))
    assert client.get("/fail2ban").text == "80.94.92.10\n"
    filled.append([attack("45.155.205.233", start=NOW - HOUR + 1)])
    assert set(client.get("/fail2ban").text.split()) == {"80.94.92.10", "45.155.205.233"}


def test_a_list_may_have_networks_of_its_own(made: FastAPI, tmp_path: Path, filled: Store) -> None:
    lists = Lists(
        named={
            "partners": NamedList(holds="ipv4", networks=("198.51.100.0/24", "2001:db8::/32")),
            "nobodys": NamedList(holds="ipv4", networks=()),
        }
    )
    settings = Settings(state_dir=tmp_path, lists=lists)
    attach(made, settings, filled, DictLookup([]), clock=lambda: NOW)
    anonymous = AppClient(made).anonymous
    for address, is_known in (("198.51.100.7", True), ("2001:db8::7", True), ("127.0.0.1", False)):
        client = anonymous.at(address)
        assert client.get("/lists/partners.txt").status_code == (200 if is_known else 404)
        refused(client.get("/lists/nobodys.txt"), 404)
    # Whether there is such a list, a stranger does not learn.
    nothing = anonymous.at("203.0.113.9").get("/lists-no-more")
    for page in ("nobodys.txt", "partners.json", "no-such.txt", "nobodys.nonsense", "x%0ay.txt", "attackers.txt?a=b"):
        answer = anonymous.at("203.0.113.9").get(f"/lists/{page}")
        assert (answer.status_code, answer.content, answer.headers) == (404, nothing.content, nothing.headers)
    assert AppClient(made).get("/lists/nobodys.txt").status_code == 200


def test_a_key_without_the_scope_is_told_of_no_list(app: FastAPI, filled: Store) -> None:
    secret, _ = app.state.accounts.add_key(Key("", "reader", frozenset({Scope.READ})))
    client = AppClient(app, "198.51.100.7", key=secret)
    refused(client.get("/lists/attackers.txt"), 404)
    refused(client.get("/fail2ban"), 404)


def test_a_key_for_some_networks_is_told_of_what_attacked_these(app: FastAPI, store: Store) -> None:
    store.append([attack("45.155.205.1", destination_ip="10.1.0.5"), attack("45.155.205.2", destination_ip="10.2.0.5")])
    secret, _ = app.state.accounts.add_key(Key("", "branch", frozenset({Scope.LISTS}), networks=("10.1.0.0/16",)))
    branch = AppClient(app, "198.51.100.7", key=secret)
    for page in ("/fail2ban", "/lists/attackers.txt", "/blacklist/attackers"):
        assert branch.get(page).text == "45.155.205.1\n"
        assert len(AppClient(app).get(page).text.split()) == 2


def test_reasons_are_told_to_those_who_may_see_all_trails(app: FastAPI, filled: Store) -> None:
    assert "mass scanner" in AppClient(app).get("/lists/attackers.json").text
    unknown = AppClient(app).anonymous.get("/lists/attackers.json")
    assert unknown.status_code == 200
    assert "mass scanner" not in unknown.text


def test_a_name_or_a_form_that_is_none_is_refused(client: AppClient) -> None:
    assert "there are attackers, attackers6, c2, c2-domains" in refused(client.get("/lists/mine.txt"), 404)["detail"]
    assert "holds domain" in refused(client.get("/lists/c2-domains.ipset"), 404)["detail"]
    refused(client.get("/lists/attackers.hosts"), 404)
    refused(client.get("/lists/attackers.exe"), 422)
    refused(client.get("/lists/attackers"), 404)
    refused(client.get("/lists/attackers.txt", {"family": "4"}), 422)


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"holds": "both"},
        {"holds": "domain", "direction": "inbound"},
        {"holds": "ipv4", "exclude": ["no such/thing"]},
        {"holds": "ipv4", "networks": ["here"]},
        {"holds": "ipv4", "min_confidence": 101},
        {"holds": "ipv4", "regex": ".*"},
    ],
)
def test_a_rule_that_makes_no_sense_is_no_setting(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NamedList(**rule)


@pytest.mark.parametrize("name", ["", "A", "a b", "a.b", "-a", "a-", "1a", "a" * 25, "a\n", "../a"])
def test_a_list_has_a_plain_name(name: str) -> None:
    with pytest.raises(ValidationError):
        Lists(named={name: NamedList(holds="ipv4")})


@pytest.mark.parametrize("bouncers", [("no-such",), ("c2-domains",)])
def test_bouncers_are_given_lists_of_addresses(bouncers: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        Lists(bouncers=bouncers)


def test_a_long_list_is_made_ahead(
    made: FastAPI, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.lists.kept.SMALL", 1)
    attach(made, Settings(state_dir=tmp_path, api=Api()), store, DictLookup([]), clock=lambda: NOW)
    client = AppClient(made)
    store.append([attack("45.155.205.1"), attack("45.155.205.2")])
    first = client.get("/fail2ban")
    assert len(first.text.split()) == 2
    # What arrives later comes onto it a little later; whoever is cleared is off at once.
    store.append([attack("45.155.205.3")])
    made.state.desk.clear(Cleared("45.155.205.1", "reinstalled", "me", NOW), ME)
    assert client.get("/fail2ban").text == "45.155.205.2\n"
    monkeypatch.setattr("api.lists.kept._PATIENCE", 0)
    monkeypatch.setattr("api.lists.kept._SHARE", 0)
    assert set(client.get("/fail2ban").text.split()) == {"45.155.205.2", "45.155.205.3"}
    made.state.lists.close()
