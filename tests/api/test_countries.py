import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from api.access.people import Key
from api.access.principal import Scope
from api.app import attach
from api.by_country import CountryCounts, by_country
from api.countries import LOOK_SECONDS, MAX_BYTES, Countries
from stores.contract import Query, Store
from tests.api import mmdb
from tests.api.client import AppClient
from tests.api.conftest import NOW
from tests.api.trails import DictLookup
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from trailhound.geography import Geography
from trailhound.settings import Settings
from trailhound.severity import Direction
from trailhound.trail import TrailKind

ATTACKER = "45.155.205.233"
C2 = "8.8.8.200"


class Hand:
    """A clock that stands until it is put on."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time

    def on(self, seconds: float = LOOK_SECONDS) -> None:
        self.time += seconds


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return mmdb.write(tmp_path / "countries.mmdb")


@pytest.fixture
def located(made: FastAPI, settings: Settings, database: Path, filled: Store, trails: DictLookup) -> AppClient:
    """Give a server with a database of countries, and calls to a public C2 beside what the store holds."""
    called = make_trail(kind=TrailKind.IPV4, value=C2)
    filled.append(
        [
            make_event(identity=f"call-{source}", source_ip=source, destination_ip=C2, trail=called, count=3)
            for source in ("192.168.1.10", "192.168.1.77")
        ]
    )
    with_countries = settings.model_copy(update={"countries": Geography(database=database)})
    attach(made, with_countries, filled, trails, clock=lambda: NOW)
    return AppClient(made)


@pytest.mark.parametrize("kind", mmdb.FORMS)
@pytest.mark.parametrize("ip_version", [4, 6])
def test_databases_of_all_who_give_them_away_are_read(tmp_path: Path, kind: str, ip_version: int) -> None:
    countries = Countries(mmdb.write(tmp_path / "any.mmdb", kind=kind, ip_version=ip_version))
    assert [countries.of(one) for one in (ATTACKER, "80.94.92.10", C2)] == ["NL", "RO", "US"]
    assert countries.of("2001:67c:1::1") == ("FR" if ip_version == 6 else None)
    assert countries.of("1.2.3.4") is None
    assert countries.of("9.9.9.9") is None, "ZZ is no country"
    assert countries.problem is None


@pytest.mark.parametrize("text", ["", "evil.example", "192.168.1.1", "1.2.3", "::1%lo", "45.155.205.233 ", "\0", None])
def test_what_is_no_public_address_has_no_country(database: Path, text: str | None) -> None:
    countries = Countries(database)
    assert countries.of(text) is None
    assert countries.problem is None


def test_without_a_database_there_are_no_countries_and_no_problem(client: AppClient, filled: Store) -> None:
    found = client.json("/api/v1/countries")
    assert (found["countries"], found["total"], found["enabled"], found["problem"]) == ([], 0, False, None)
    assert {threat["country"] for threat in client.json("/api/v1/threats")["threats"]} == {None}
    assert client.json("/api/v1/health")["warnings"] == []


def test_a_database_is_read_anew_when_it_changes(database: Path, hand: Hand) -> None:
    countries = Countries(database, hand)
    assert countries.of(ATTACKER) == "NL"
    before = countries.version
    mmdb.write(database, {"45.155.205.0/24": "SE"})
    assert countries.of(ATTACKER) == "NL", "it is not looked at with every question"
    hand.on()
    assert countries.of(ATTACKER) == "SE"
    assert countries.version != before


def test_a_database_that_comes_later_is_taken(tmp_path: Path, hand: Hand) -> None:
    countries = Countries(tmp_path / "late.mmdb", hand)
    assert countries.of(ATTACKER) is None
    assert "late.mmdb: it cannot be read: No such file" in str(countries.problem)
    mmdb.write(tmp_path / "late.mmdb")
    hand.on()
    assert countries.of(ATTACKER) == "NL"
    assert countries.problem is None


def _cut(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _empty(_whole: bytes) -> bytes:
    return b""


def _other(_whole: bytes) -> bytes:
    return b"<html>Your licence has ended</html>" * 50


def _only_metadata(whole: bytes) -> bytes:
    return whole[whole.rindex(b"\xab\xcd\xefMaxMind.com") :]


@pytest.mark.parametrize("spoil", [_cut, _empty, _other, _only_metadata])
def test_what_is_no_database_is_told_and_the_one_before_stays(
    database: Path, hand: Hand, spoil: Callable[[bytes], bytes]
) -> None:
    countries = Countries(database, hand)
    assert countries.of(ATTACKER) == "NL"
    whole = database.read_bytes()
    database.write_bytes(spoil(whole))
    hand.on()
    assert countries.of(ATTACKER) == "NL"
    assert countries.of("80.94.92.10") == "RO", "also what was not asked before"
    assert "a database in MaxMind's format (MMDB) was expected" in str(countries.problem)
    assert "what was read before stays in use" in str(countries.problem)
    fresh = Countries(database, hand)
    assert fresh.of(ATTACKER) is None
    assert fresh.problem is not None


def test_a_database_of_something_else_and_one_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(mmdb.FORMS, "GeoLite2-ASN", lambda code: {"autonomous_system_organization": code})
    asn = Countries(mmdb.write(tmp_path / "asn.mmdb", kind="GeoLite2-ASN"))
    assert "a database with countries was expected, and this is 'GeoLite2-ASN'" in str(asn.problem)
    large = tmp_path / "large.mmdb"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "larger than 1,024 MB" in str(Countries(large).problem)
    assert Countries(tmp_path).problem is not None, "a folder"


@pytest.mark.parametrize("seed", range(150))
def test_a_damaged_database_only_ever_knows_no_country(database: Path, seed: int) -> None:
    dice = random.Random(seed)
    damaged = bytearray(database.read_bytes())
    for _ in range(dice.randrange(1, 40)):
        damaged[dice.randrange(len(damaged))] = dice.randrange(256)
    database.write_bytes(damaged)
    countries = Countries(database)
    for address in (ATTACKER, C2, "80.94.92.1", "2001:67c::1", "1.1.1.1", "223.255.255.1", *_any(dice)):
        country = countries.of(address)
        assert country is None or (len(country) == 2 and country.isupper())


def _any(dice: random.Random) -> Sequence[str]:
    return [f"{dice.randrange(1, 224)}.{dice.randrange(256)}.{dice.randrange(256)}.1" for _ in range(30)]


def test_events_are_counted_by_the_country_of_their_outside_end(located: AppClient) -> None:
    found = located.json("/api/v1/countries")
    assert (found["total"], found["left_out"], found["enabled"]) == (4, 0, True)
    rows = {one.pop("country"): one for one in found["countries"]}
    assert list(rows) == ["NL", None, "US", "RO"]
    times = {"first": "2025-10-01T01:00:00.000000Z", "last": "2025-10-01T01:00:00.000000Z"}
    assert rows["NL"] == {
        "records": 100, "events": 1, "threats": 1, "sources": 1, "addresses": 1, "severity": "low", **times,
    }  # fmt: skip
    assert rows["RO"]["severity"] == "high"
    us = rows["US"]
    assert (us["records"], us["events"], us["threats"], us["sources"], us["addresses"]) == (6, 2, 2, 2, 1)
    totals = located.json("/api/v1/summary")["totals"]
    assert sum(one["records"] for one in rows.values()) == totals["records"]
    assert sum(one["events"] for one in rows.values()) == totals["events"]
    assert sum(one["threats"] for one in rows.values()) == totals["threats"]


def test_conditions_hold_for_countries(located: AppClient) -> None:
    def countries(**conditions: Any) -> list[str]:
        return [one["country"] for one in located.json("/api/v1/countries", **conditions)["countries"]]

    assert countries(direction="inbound") == ["NL", "RO"]
    assert countries(direction="internal") == []
    assert countries(severity="high") == ["RO"]
    assert countries(source="45.0.0.0/8") == ["NL"]
    assert countries(limit=1) == ["NL"]
    assert countries(since="2025-10-01T02:00:00Z", direction="inbound") == ["RO"]
    assert located.get("/api/v1/countries", {"limit": 251}).status_code == 422


def test_threats_sources_and_looked_up_addresses_have_a_country(located: AppClient) -> None:
    threats = located.json("/api/v1/threats")["threats"]
    by_trail = {(one["source"], one["trail"]): one["country"] for one in threats}
    assert by_trail["192.168.1.77", C2] == "US", "that of what an inner host called"
    assert by_trail["80.94.92.10", "80.94.92.10"] == "RO" if ("80.94.92.10", "80.94.92.10") in by_trail else True
    assert {one["country"] for one in threats if one["source"] == ATTACKER} == {"NL"}
    assert (
        next(one for one in located.json("/api/v1/sources")["sources"] if one["source"] == ATTACKER)["country"] == "NL"
    )
    looked = located.json("/api/v1/lookup", value=ATTACKER)["results"][0]
    assert looked["country"] == "NL"
    assert located.json("/api/v1/lookup", value="evil.example")["results"][0]["country"] is None


def test_whoever_may_see_some_networks_counts_those_only(located: AppClient) -> None:
    accounts = located.app.state.accounts
    key, _ = accounts.add_key(Key("", "branch", frozenset({Scope.READ}), networks=("192.168.1.77/32",)))
    everything = located.json("/api/v1/countries")
    [seen] = located.with_key(key).json("/api/v1/countries")["countries"]
    assert (seen["country"], seen["records"], seen["sources"]) == ("US", 3, 1)
    assert located.json("/api/v1/countries") == everything, "what is kept of one is not given to another"


def test_a_broken_database_is_a_warning_and_leaves_all_else_in_order(located: AppClient, database: Path) -> None:
    database.write_bytes(b"broken")
    attach(
        located.app,
        located.app.state.settings,
        located.app.state.store,
        located.app.state.trails,
        clock=lambda: NOW,
    )
    answer = located.get("/api/v1/health")
    assert answer.status_code == 200
    assert any("countries.mmdb: a database in MaxMind's format" in one for one in answer.json()["warnings"])
    assert located.anonymous.get("/healthz").json()["warnings"] == []
    found = located.json("/api/v1/countries")
    assert [one["country"] for one in found["countries"]] == [None]
    assert "MMDB" in found["problem"]
    assert located.json("/api/v1/threats")["total"] == 6


def test_what_was_counted_is_kept_until_something_arrives(database: Path, filled: Store, hand: Hand) -> None:
    counts = CountryCounts(Countries(database), hand)
    query = Query(since=START)
    first = counts.count(filled, query, 20, None)
    assert counts.count(filled, Query(since=START + 1), 20, None) is first, "the same minute"
    assert counts.count(filled, query, 20, "another") is not first
    filled.append([make_attack(source_ip="45.155.205.9", start=START + HOUR, identity="new")])
    again = counts.count(filled, query, 20, None)
    assert again is not first
    assert again.countries[0].addresses == first.countries[0].addresses + 1


def test_events_of_inner_hosts_among_each_other_have_no_outside(database: Path, store: Store) -> None:
    store.append([make_event(direction=Direction.INTERNAL)])
    assert by_country(store, Query(), Countries(database), 20).countries == []
