import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from feeds.formats import misp
from feeds.formats.misp_says import MispOptions
from tests.feeds.read import entries, known, of_paths
from trailhound.errors import SettingsError, SourceError
from trailhound.trail import Trail

UUIDS = ("5a5f5f5f-1111-4111-8111-0123456789ab", "5a5f5f5f-2222-4222-8222-0123456789ab")
SHA1 = "2e3519b7cb61a3cd6167f727df993f68311085ea"


def _attribute(type_: str, value: str, **keys: Any) -> dict[str, Any]:
    return {"type": type_, "value": value, "to_ids": True, "category": "Network activity", **keys}


def _event(*attributes: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"Event": {"info": "an event", "date": "2026-11-01", "Attribute": list(attributes), **keys}}


@pytest.mark.parametrize(
    ("type_", "value", "found"),
    [
        ("domain", "evil.example", [("domain", "evil.example")]),
        ("hostname", "WWW.Evil.example.", [("domain", "www.evil.example")]),
        ("domain|ip", "evil.example|198.51.100.1", [("domain", "evil.example"), ("ipv4", "198.51.100.1")]),
        ("hostname|port", "evil.example|443", [("domain", "evil.example")]),
        ("ip-dst", "198.51.100.1", [("ipv4", "198.51.100.1")]),
        ("ip-src", "2001:db8::1", [("ipv6", "2001:db8::1")]),
        ("ip-dst", "198.51.100.0/24", [("cidr", "198.51.100.0/24")]),
        ("ip-dst|port", "198.51.100.1|443", [("ip:port", "198.51.100.1:443")]),
        ("ip-dst|port", "2001:db8::1|443", [("ip:port", "[2001:db8::1]:443")]),
        ("url", "hxxp://evil[.]example/a", [("url", "evil.example/a")]),
        ("uri", "/gate.php", [("path", "/gate.php")]),
        ("filename|sha1", f"a|b.exe|{SHA1}", [("file-sha1", SHA1)]),
        ("x509-fingerprint-sha1", SHA1, [("cert-sha1", SHA1)]),
        ("user-agent", "Evil/1.0", [("user-agent", "evil/1.0")]),
        ("email-src", "a@evil.example", [("email", "a@evil.example")]),
        ("mutex", "Global\\x", []),
        ("ip-dst", "10.0.0.1", [("refused", "10.0.0.1")]),
        ("domain", "com", [("refused", "com")]),
        ("ip-dst|port", "198.51.100.1", [("refused", ":198.51.100.1")]),
        ("md5", "", [("refused", "")]),
    ],
)
def test_every_type_becomes_its_kinds(type_: str, value: str, found: list[tuple[str, str]], tmp_path: Path) -> None:
    assert known(tmp_path, "misp", json.dumps(_event(_attribute(type_, value)))) == found


def test_only_what_is_for_detection_and_not_deleted_is_read(tmp_path: Path) -> None:
    event = _event(
        _attribute("domain", "a.example", to_ids=False),
        _attribute("domain", "b.example", deleted=True),
        _attribute("domain", "c.example"),
        Object=[
            {"name": "x", "Attribute": [_attribute("domain", "d.example")]},
            {"name": "y", "deleted": True, "Attribute": [_attribute("domain", "e.example")]},
        ],
    )
    assert known(tmp_path, "misp", json.dumps(event)) == [("domain", "c.example"), ("domain", "d.example")]
    assert ("domain", "a.example") in known(tmp_path, "misp", json.dumps(event), options={"to_ids": False})


def test_what_misp_itself_warns_of_is_refused(tmp_path: Path) -> None:
    warned = _attribute("ip-dst", "198.51.100.1", warnings=[{"warninglist_name": "Public DNS"}])
    (refusal,) = entries(tmp_path, "misp", json.dumps(_event(warned)))
    assert not isinstance(refusal, Trail)
    assert refusal.reason == "on MISP's warning list 'Public DNS'"


@pytest.mark.parametrize(
    ("options", "is_read"),
    [
        ({}, True),
        ({"tags": ["tlp:white"]}, True),
        ({"tags": ["tlp:red"]}, False),
        ({"without_tags": ["tlp:white"]}, False),
        ({"without_tags": ["own"]}, False),
        ({"types": ["url"]}, False),
        ({"types": ["domain"]}, True),
        ({"published": True}, False),
        ({"since": "2026-11-01"}, True),
        ({"since": "2026-11-02"}, False),
    ],
)
def test_events_and_attributes_are_chosen_by_tag_type_and_date(
    options: dict[str, Any], *, is_read: bool, tmp_path: Path
) -> None:
    event = _event(
        _attribute("domain", "evil.example", Tag=[{"name": "own"}]), Tag=[{"name": "tlp:white"}], published=False
    )
    assert bool(known(tmp_path, "misp", json.dumps(event), options=options)) is is_read


@pytest.mark.parametrize(
    ("tags", "info", "class_", "confidence"),
    [
        ([], "an event", "malware", 60),
        (['misp-galaxy:malpedia="Lumma Stealer"'], "Lumma Stealer", "malware", 60),
        (
            ['misp-galaxy:malpedia="A"', 'misp-galaxy:malpedia="B"', 'misp-galaxy:threat-actor="APT 28"'],
            "APT 28",
            "malware",
            60,
        ),
        (['misp-galaxy:mitre-intrusion-set="APT32 - G0050"'], "APT32", "malware", 60),
        (['rsit:fraud="phishing"'], "an event", "phishing", 60),
        (['misp:confidence-level="fairly-confident"'], "an event", "malware", 30),
        (['false-positive:risk="high"', 'misp:confidence-level="completely-confident"'], "an event", "malware", 12),
    ],
)  # fmt: skip
def test_tags_say_threat_class_and_confidence(
    tags: list[str], info: str, class_: str, confidence: int, tmp_path: Path
) -> None:
    event = _event(_attribute("domain", "evil.example"), Tag=[{"name": tag} for tag in tags])
    (trail,) = entries(tmp_path, "misp", json.dumps(event), confidence=60)
    assert isinstance(trail, Trail)
    assert (trail.info, trail.class_, trail.confidence) == (info, class_, confidence)


def test_wrappers_of_events_are_all_read(tmp_path: Path) -> None:
    event = _event(_attribute("domain", "evil.example"))
    bare = event["Event"]
    for content in (event, bare, [event], {"response": [event]}, {"response": {"Attribute": bare["Attribute"]}}):
        assert known(tmp_path, "misp", json.dumps(content)) == [("domain", "evil.example")]


@pytest.mark.parametrize("text", ["", "<html>", "7", '{"name": "Not allowed"}', '{"message": "Authentication failed"}'])
def test_what_is_no_event_is_an_error_when_it_is_all_there_is(text: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        entries(tmp_path, "misp", text)


def test_a_search_that_finds_nothing_is_no_error(tmp_path: Path) -> None:
    assert known(tmp_path, "misp", '{"response": []}') == []


def _folder(folder: Path) -> list[Path]:
    events = {UUIDS[0]: "a.example", UUIDS[1]: "b.example"}
    for uuid, value in events.items():
        (folder / f"{uuid}.json").write_text(json.dumps(_event(_attribute("domain", value))))
    (folder / "manifest.json").write_text(json.dumps({UUIDS[0]: {"info": "x", "date": "2026-11-01"}}))
    (folder / "hashes.csv").write_text(f"0cc175b9c0f1b6a831c399e269772661,{UUIDS[0]}\n")
    return [folder / "manifest.json", *sorted(folder.glob("5*.json"))]


def test_events_that_the_manifest_does_not_name_are_withdrawn(tmp_path: Path) -> None:
    feed = tmp_path / "feed"
    feed.mkdir()
    paths = _folder(feed)
    for given in ([feed], paths):
        trails = [entry for entry in of_paths(given, "misp") if isinstance(entry, Trail)]
        assert [trail.value for trail in trails] == ["a.example"]


def test_a_bad_event_among_many_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    archive = tmp_path / "feed.tar.gz"
    feed = tmp_path / "feed"
    feed.mkdir()
    _folder(feed)
    (feed / "manifest.json").unlink()
    (feed / "0.json").write_text('{"name": "no event"}')
    (feed / f"{UUIDS[0]}.json").write_text("{cut of")
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(feed, arcname="feed")
    found = of_paths([archive], "misp")
    assert {entry.value for entry in found if isinstance(entry, Trail)} == {"b.example"}
    assert sum(not isinstance(entry, Trail) for entry in found) == 2


def test_a_manifest_says_which_documents_are_wanted_and_names_nothing_else() -> None:
    manifest = json.dumps(
        {
            UUIDS[1]: {"date": "2026-11-01", "Tag": [{"name": "tlp:white"}]},
            UUIDS[0]: {"date": "2020-01-01", "Tag": []},
            "../../etc/passwd": {"date": "2026-11-01"},
        }
    ).encode()
    assert misp.members(manifest, MispOptions()) == (f"{UUIDS[0]}.json", f"{UUIDS[1]}.json")
    assert misp.members(manifest, MispOptions(since="2026-01-01")) == (f"{UUIDS[1]}.json",)
    for wrong in (b"[]", b"<html>", b'{"x": 7}'):
        with pytest.raises(SourceError):
            misp.members(wrong, MispOptions())


def test_a_day_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="since = 'soon'; expected a day such as"):
        entries(tmp_path, "misp", "{}", options={"since": "soon"})
