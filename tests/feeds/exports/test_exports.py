import json
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path

import pymisp
import pytest
import stix2
import stix2.v21

from feeds.exports import EXPORTS
from feeds.exports.export import Wishes
from tests.feeds.exports.trails import HOSTILE, MADE, every_kind, trail, written
from trailhound.trail import DETECTED_KINDS, LISTED_KINDS, Trail, TrailClass, TrailKind


@pytest.mark.parametrize("name", EXPORTS)
def test_the_same_trails_give_the_same_bytes(name: str) -> None:
    assert written(name, every_kind()) == written(name, every_kind())


@pytest.mark.parametrize("name", EXPORTS)
def test_no_text_of_a_list_adds_a_line(name: str) -> None:
    plain, hostile = written(name, every_kind()), written(name, every_kind(HOSTILE))
    assert {file: text.count("\n") for file, text in plain.items()} == {
        file: text.count("\n") for file, text in hostile.items()
    }


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_of_nothing_is_whole(name: str) -> None:
    texts = written(name, [])
    if name in ("stix", "misp"):
        json.loads(texts[""])
    assert all(text.endswith("\n") for text in texts.values())


@pytest.mark.parametrize("name", EXPORTS)
def test_kinds_that_only_detectors_know_are_never_exported(name: str) -> None:
    assert not EXPORTS[name].kinds & DETECTED_KINDS


def test_hosts_are_names_that_lead_nowhere() -> None:
    assert written("hosts", every_kind()) == {"": "0.0.0.0 evil.example\n"}


def test_plain_lists_are_values_alone() -> None:
    lines = written("plain", every_kind())[""].splitlines()
    assert lines[:4] == ["evil.example", ".zip", r"dga[0-9]+\.evil\.example", "198.51.100.7"]
    assert len(lines) == len(every_kind())


def _rpz(trails: Sequence[Trail], zone: str = "rpz.trailhound") -> list[str]:
    return written("rpz", trails, Wishes(MADE, zone=zone))[""].splitlines()


def test_a_response_policy_zone_begins_with_what_a_resolver_asks_for() -> None:
    head = _rpz([], "rpz.corp.example.")[:4]
    assert head == [
        "$TTL 300",
        "$ORIGIN rpz.corp.example.",
        f"@ IN SOA localhost. root.localhost. {MADE} 3600 600 604800 300",
        "@ IN NS localhost.",
    ]


@pytest.mark.parametrize(
    ("kind", "value", "owners"),
    [
        (TrailKind.DOMAIN, "evil.example", ["evil.example", "*.evil.example"]),
        (TrailKind.TLD, "zip", ["*.zip"]),
        (TrailKind.IPV4, "198.51.100.7", ["32.7.100.51.198.rpz-ip"]),
        (TrailKind.CIDR, "203.0.113.0/24", ["24.0.113.0.203.rpz-ip"]),
        (TrailKind.IPV6, "2001:db8::7", ["128.7.zz.db8.2001.rpz-ip"]),
        (TrailKind.CIDR, "2001:db8::/32", ["32.zz.db8.2001.rpz-ip"]),
        (TrailKind.IPV6, "2001:db8:0:1:2:3:4:5", ["128.5.4.3.2.1.0.db8.2001.rpz-ip"]),
        (TrailKind.IPV6, "2001:0:0:1::9", ["128.9.zz.1.0.0.2001.rpz-ip"]),
    ],
)
def test_names_and_addresses_are_spelled_as_resolvers_read_them(kind: TrailKind, value: str, owners: list[str]) -> None:
    assert _rpz([trail(kind, value)])[4:] == [f"{owner} CNAME ." for owner in owners]


def test_names_too_long_for_the_zone_are_left_out() -> None:
    name = ".".join(["a" * 60] * 4)
    assert _rpz([trail(TrailKind.DOMAIN, name)])[4:] == []


def test_zeek_intel_has_a_row_of_five_columns_for_each_trail() -> None:
    rows = [line.split("\t") for line in written("zeek-intel", every_kind(HOSTILE))[""].splitlines()]
    assert rows[0] == ["#fields", "indicator", "indicator_type", "meta.source", "meta.desc", "meta.url"]
    assert {len(row) for row in rows[1:]} == {5}
    assert rows[1] == [
        "evil.example",
        "Intel::DOMAIN",
        "a list",
        HOSTILE.replace("\\", "\\x5c"),
        "https://tickets.example/4711",
    ]


def test_what_zeek_would_take_for_unset_is_unset() -> None:
    row = written("zeek-intel", [trail(TrailKind.DOMAIN, "evil.example", "(empty)")])[""].splitlines()[1]
    assert row.split("\t")[3] == "-"


def _bundle(trails: Sequence[Trail], made: int = MADE) -> stix2.v21.Bundle:
    # The library checks types, times and patterns by the specification.
    return stix2.parse(written("stix", trails, Wishes(made))[""], version="2.1")


def test_a_stix_bundle_is_right_by_the_specification() -> None:
    identity, *indicators = _bundle(every_kind(HOSTILE)).objects
    assert identity.type == "identity"
    assert {one.type for one in indicators} == {"indicator"}
    assert len(indicators) == len([one for one in every_kind() if one.kind in EXPORTS["stix"].kinds])
    first = indicators[0]
    assert (first.pattern, first.name, first.confidence) == ("[domain-name:value = 'evil.example']", HOSTILE, 80)
    assert first.valid_until.timestamp() == MADE + 900
    assert first.external_references[0].url == "https://tickets.example/4711"


def test_an_indicator_keeps_its_identifier_and_its_time_of_creation() -> None:
    one = trail(TrailKind.DOMAIN, "evil.example")
    earlier, later = (_bundle([one], made).objects[1] for made in (MADE, MADE + 86_400))
    assert (earlier.id, earlier.created) == (later.id, later.created)
    assert earlier.modified < later.modified


def test_a_trail_that_nobody_dated_makes_a_bundle_too() -> None:
    undated = Trail(TrailKind.IPV4, "198.51.100.7", "scan", TrailClass.SCANNER, ("a list",), "seen in a talk")
    found = _bundle([undated]).objects[1]
    assert "valid_until" not in found
    assert found.external_references[0].description == "seen in a talk"


def test_a_misp_event_is_read_by_misps_own_library() -> None:
    event = pymisp.MISPEvent()
    event.load(json.loads(written("misp", every_kind(HOSTILE))[""]))
    found = {(one.type, one.value): one for one in event.attributes}
    assert len(found) == len([one for one in every_kind() if one.kind in EXPORTS["misp"].kinds])
    assert ("ip-dst|port", "198.51.100.7|4444") in found
    assert ("url", "http://evil.example/gate.php?id=1") in found
    name = found["domain", "evil.example"]
    assert (name.comment, name.to_ids) == (HOSTILE, True)
    assert [tag.name for tag in name.tags] == ['trailhound:class="c2"', 'trailhound:confidence="80"']


def test_misp_is_told_that_attackers_are_where_traffic_comes_from() -> None:
    attacker = trail(TrailKind.IPV4, "198.51.100.7", class_=TrailClass.ATTACKER)
    attribute = json.loads(written("misp", [attacker])[""])["Event"]["Attribute"][0]
    assert attribute["type"] == "ip-src"


def test_reputation_has_a_category_a_class_and_confidence_as_the_score() -> None:
    files = written("suricata-iprep", every_kind())
    rows = [line.split(",") for line in files["reputation.list"].splitlines()]
    category = next(line.split(",")[0] for line in files["categories.txt"].splitlines() if ",th-c2," in line)
    assert [ip_network(row[0]) for row in rows] == list(
        map(ip_network, ("198.51.100.7", "2001:db8::7", "203.0.113.0/24"))
    )
    assert {tuple(row[1:]) for row in rows} == {(category, "80")}


@pytest.mark.parametrize("name", EXPORTS)
def test_every_format_is_documented_with_what_it_can_say(name: str) -> None:
    export = EXPORTS[name]
    every = export.kinds == set(LISTED_KINDS)
    kinds = "all" if every else ", ".join(f"`{kind}`" for kind in LISTED_KINDS if kind in export.kinds)
    folder = " (a folder)" if export.folder else ""
    page = (Path(__file__).parents[3] / "docs" / "exports.md").read_text("utf-8")
    assert f"| `{name}` | {export.about}{folder} | {kinds} |" in page
    assert f"- **`{name}`**:" in page
