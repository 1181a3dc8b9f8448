import json
from pathlib import Path
from typing import Any

import pytest

from feeds.formats import stix_pattern
from tests.feeds.read import entries, known
from trailhound.errors import SourceError, TrailError
from trailhound.trail import Trail

MD5 = "b386946a5a44d1ddcc843bc75336dfce"
SHA256 = "0c7c2b0f7a4f7f5a1d3d1e5b6d6a9f0c7c2b0f7a4f7f5a1d3d1e5b6d6a9f0c0d"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[domain-name:value = 'evil.example']", [("domain", "evil.example")]),
        ("[ ipv4-addr:value='198.51.100.1' ]", [("ipv4", "198.51.100.1")]),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", [("ipv4", "198.51.100.0/24")]),
        ("[ipv6-addr:value = '2001:db8::1']", [("ipv6", "2001:db8::1")]),
        ("[url:value = 'https://evil.example/it\\'s']", [("url", "https://evil.example/it's")]),
        (f"[file:hashes.MD5 = '{MD5}']", [("file-md5", MD5)]),
        (f"[file:hashes.'SHA-256' = '{SHA256}']", [("file-sha256", SHA256)]),
        (f"[x509-certificate:hashes.'SHA-256' = '{SHA256}']", [("cert-sha256", SHA256)]),
        (
            "[domain-name:value = 'a.example' OR ipv4-addr:value = '198.51.100.1']",
            [("domain", "a.example"), ("ipv4", "198.51.100.1")],
        ),
        (
            "[domain-name:value = 'a.example'] OR [domain-name:value = 'b.example']",
            [("domain", "a.example"), ("domain", "b.example")],
        ),
        ("[domain-name:value IN ('a.example', 'b.example')]", [("domain", "a.example"), ("domain", "b.example")]),
        (
            f"[file:hashes.MD5 = '{MD5}' AND file:hashes.'SHA-256' = '{SHA256}' AND file:name = 'x.exe']",
            [("file-md5", MD5), ("file-sha256", SHA256)],
        ),
        (
            "[network-traffic:dst_ref.value = '198.51.100.1' AND network-traffic:dst_port = 443]",
            [("ip:port", "198.51.100.1:443")],
        ),
        (
            "[network-traffic:src_ref.type='x' AND network-traffic:src_ref.value='::7'AND network-traffic:src_port=1]",
            [("ip:port", "[::7]:1")],
        ),
        ("[(domain-name:value = 'a.example')]", [("domain", "a.example")]),
    ],
)
def test_values_that_are_enough_alone_are_taken(pattern: str, found: list[tuple[str, str]]) -> None:
    assert [tuple(value) for value in stix_pattern.read(pattern)] == found


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "[",
        "domain-name:value = 'a.example'",
        "[domain-name:value = 'a.example'",
        "[domain-name:value != 'a.example']",
        "[NOT domain-name:value = 'a.example']",
        "[domain-name:value LIKE '%.example']",
        "[domain-name:value MATCHES '.*']",
        "[domain-name:value = 'a.example' AND ipv4-addr:value = '198.51.100.1']",
        "[domain-name:value = 'a.example'] AND [ipv4-addr:value = '198.51.100.1']",
        "[domain-name:value = 'a.example'] FOLLOWEDBY [ipv4-addr:value = '198.51.100.1']",
        "[domain-name:value = 'a.example'] REPEATS 5 TIMES WITHIN 60 SECONDS",
        "[network-traffic:dst_ref.value = '198.51.100.1' AND network-traffic:dst_port = 443 AND network-traffic:x = 1]",
        "[file:name = 'x.exe' AND file:size = 7]",
        "[file:name = 'x.exe']",
        "[network-traffic:dst_port = 443]",
        "[process:command_line = 'x']",
        "[domain-name:value = 'a.example' AND (url:value = 'x' OR url:value = 'y')]",
        "[" + "(" * 3000,
        "[" + "(" * 30 + "domain-name:value = 'a.example'" + ")" * 30 + "]",
        "[domain-name:value = '" + "a" * 30_000 + "']",
        "[a:b IN (" + "1," * 100,
        "[" + " AND ".join("(a:b = 1 OR a:b = 2)" for _ in range(12)) + "]",
    ],
)
def test_a_pattern_that_asks_for_more_or_cannot_be_read_gives_nothing(pattern: str) -> None:
    with pytest.raises(TrailError):
        stix_pattern.read(pattern)


def _indicator(number: int, **keys: Any) -> dict[str, Any]:
    given = {
        "type": "indicator",
        "id": f"indicator--{number}",
        "pattern": "[domain-name:value = 'evil.example']",
        "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
        "modified": "2026-11-01T00:00:00Z",
    }
    return given | keys


def _bundle(*objects: dict[str, Any]) -> str:
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects})


def test_an_indicator_says_name_class_confidence_times_and_reference(tmp_path: Path) -> None:
    malware = {"type": "malware", "id": "malware--1", "name": "Lumma Stealer"}
    link = {"type": "relationship", "id": "relationship--1", "relationship_type": "indicates"}
    one = _indicator(
        1,
        name="a domain",
        confidence=80,
        indicator_types=["malicious-activity"],
        kill_chain_phases=[{"kill_chain_name": "x", "phase_name": "command-and-control"}],
        valid_until="2026-12-01T00:00:00.000Z",
        external_references=[{"source_name": "x"}, {"source_name": "y", "url": "https://report.example"}],
    )
    text = _bundle(one, malware, link | {"source_ref": "indicator--1", "target_ref": "malware--1"})
    (trail,) = entries(tmp_path, "stix", text, confidence=50)
    assert isinstance(trail, Trail)
    assert (trail.info, trail.class_, trail.confidence) == ("Lumma Stealer", "c2", 40)
    assert (trail.first_seen, trail.expires, trail.reference) == (1793491200, 1796083200, "https://report.example")


def test_revoked_indicators_and_older_versions_are_not_read(tmp_path: Path) -> None:
    text = _bundle(
        _indicator(1, modified="2026-11-02T00:00:00Z", revoked=True),
        _indicator(1),
        _indicator(2, pattern="[domain-name:value = 'old.example']"),
        _indicator(2, pattern="[domain-name:value = 'new.example']", modified="2026-11-03T00:00:00Z"),
        _indicator(3, indicator_types=["benign"]),
        _indicator(4, pattern="rule x {}", pattern_type="yara"),
    )
    assert known(tmp_path, "stix", text) == [("domain", "new.example"), ("refused", "rule x {}")]


def test_a_page_of_taxii_and_several_bundles_are_read_as_well(tmp_path: Path) -> None:
    page = json.dumps({"more": True, "next": "7", "objects": [_indicator(1)]})
    assert known(tmp_path, "stix", page) == [("domain", "evil.example")]
    assert known(tmp_path, "taxii", f"[{page},{_bundle(_indicator(1))}]") == [("domain", "evil.example")]
    assert known(tmp_path, "stix", '{"more": false}') == []


@pytest.mark.parametrize("text", ["", "[7]", '{"error": "x"}', "<html></html>", '{"title": "Not found"}'])
def test_what_is_no_stix_is_an_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        entries(tmp_path, "stix", text)


def test_values_of_a_pattern_pass_the_same_hygiene_as_all_others(tmp_path: Path) -> None:
    text = _bundle(
        _indicator(1, pattern="[ipv4-addr:value = '10.0.0.1' OR domain-name:value = 'com' OR ipv4-addr:value = 'x']")
    )
    assert {kind for kind, _ in known(tmp_path, "stix", text)} == {"refused"}
