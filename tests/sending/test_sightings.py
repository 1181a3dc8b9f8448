import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import stix2

from api.sending.outcome import Refused
from api.sending.post import Ways
from api.sending.sightings import bundle, sighting
from api.sending.targets.stix import StixTarget
from feeds.exports.export import of_trail
from feeds.exports.stix import PATTERNS
from tests.sending.conftest import PutSecret
from tests.sending.documents import attack, document
from tests.sending.receivers import Hook, hooking
from tests.stores.factory import make_trail
from trailhound.sending import Stix
from trailhound.trail import TrailKind

VALUES = {
    TrailKind.IPV4: "192.0.2.1",
    TrailKind.IPV6: "2001:db8::1",
    TrailKind.CIDR: "192.0.2.0/24",
    TrailKind.IP_PORT: "192.0.2.1:443",
    TrailKind.CERT_SHA1: "a" * 40,
    TrailKind.FILE_SHA1: "a" * 40,
    TrailKind.CERT_SHA256: "b" * 64,
    TrailKind.FILE_SHA256: "b" * 64,
    TrailKind.FILE_MD5: "c" * 32,
    TrailKind.EMAIL: "a@evil.example",
    TrailKind.URL: "evil.example/it's",
}


def made(**changes: Any) -> list[dict[str, Any]]:
    found = sighting(document(**changes))
    assert found is not None
    return list(found.objects)


def of_type(objects: list[dict[str, Any]], type_: str) -> dict[str, Any]:
    (found,) = [one for one in objects if one["type"] == type_]
    return found


@pytest.mark.parametrize("kind", list(PATTERNS))
def test_objects_are_sound_stix(kind: TrailKind) -> None:
    trail = make_trail(kind=kind, value=VALUES.get(kind, "evil.example"))
    objects = made(trail=trail)
    parsed = stix2.parse(bundle(objects, "x"), version="2.1", allow_custom=False)
    assert len(parsed.objects) == len(objects)
    assert of_type(objects, "indicator")["id"] == f"indicator--{of_trail(trail)}", "as exports name it"


def test_a_sighting_ties_what_was_met_to_what_was_observed() -> None:
    objects = made(count=7, answered=True)
    found, indicator = of_type(objects, "sighting"), of_type(objects, "indicator")
    assert found["sighting_of_ref"] == indicator["id"]
    assert found["count"] == 7
    assert found["first_seen"] == found["last_seen"] == "2025-10-01T00:00:00.000Z"
    observed = of_type(objects, "observed-data")
    assert found["observed_data_refs"] == [observed["id"]]
    assert set(observed["object_refs"]) <= {one["id"] for one in objects}
    sensor = next(one for one in objects if one.get("name") == "sensor-1")
    assert found["where_sighted_refs"] == [sensor["id"]]
    traffic = of_type(objects, "network-traffic")
    assert (traffic["protocols"], traffic["src_port"], traffic["dst_port"]) == (["udp", "dns"], 53124, 53)
    assert of_type(objects, "domain-name")["value"] == "www.evil.example"
    assert indicator["pattern"] == "[domain-name:value = 'evil.example']"
    assert indicator["confidence"] == 80


def test_identifiers_are_repeatable_and_of_version_five() -> None:
    first, again, other = made(), made(), made(identity="other")
    assert first == again
    assert {uuid.UUID(one["id"].partition("--")[2]).version for one in first} == {5}
    assert of_type(first, "sighting")["id"] != of_type(other, "sighting")["id"]
    assert of_type(first, "indicator") == of_type(other, "indicator")


def test_identifiers_of_observables_are_those_that_stix_gives() -> None:
    """The library works them out from the properties that the standard names."""
    for one in made(source_ip="2001:db8::7"):
        if one["type"] in ("ipv4-addr", "ipv6-addr", "domain-name"):
            type_ = {"ipv4-addr": stix2.IPv4Address, "ipv6-addr": stix2.IPv6Address, "domain-name": stix2.DomainName}
            assert one["id"] == type_[one["type"]](value=one["value"]).id
        elif one["type"] == "network-traffic":
            given = {name: value for name, value in one.items() if name not in ("id", "type", "spec_version")}
            assert one["id"] == stix2.NetworkTraffic(**given).id


def test_what_stix_has_no_words_for_makes_nothing() -> None:
    assert sighting(document(trail=make_trail(kind=TrailKind.RULE, value="port scan"))) is None
    assert sighting({}) is None
    assert sighting({"trailhound": {"kind": "of tomorrow"}}) is None


def test_an_event_without_addresses_is_a_sighting_all_the_same() -> None:
    objects = made(source_ip=None, destination_ip=None, ecs={})
    assert [one["type"] for one in objects] == ["identity", "identity", "indicator", "sighting"]
    stix2.parse(bundle(objects, "x"), version="2.1")


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooking() as opened:
        opened.answer = lambda _: (202, {"Content-Type": "application/taxii+json;version=2.1"}, b"{}")
        yield opened


def test_a_taxii_collection_gets_an_envelope(hook: Hook, ways: Ways, put_secret: PutSecret) -> None:
    put_secret("PASSWORD", "pass:word-of-ours")
    target = StixTarget(Stix(url=hook.url, user="us", password="PASSWORD"), ways)
    assert target.send([document(), document(identity="b"), document(trail=make_trail(kind=TrailKind.RULE))]) == 1
    target.close()
    (posted,) = hook.posts
    assert posted.headers["content-type"] == "application/taxii+json;version=2.1"
    assert posted.headers["accept"] == "application/taxii+json;version=2.1"
    assert posted.headers["authorization"] == "Basic dXM6cGFzczp3b3JkLW9mLW91cnM="
    envelope = json.loads(posted.body)
    assert list(envelope) == ["objects"]
    ids = [one["id"] for one in envelope["objects"]]
    assert len(ids) == len(set(ids)), "what both have is sent once"
    assert sum(one["type"] == "sighting" for one in envelope["objects"]) == 2


def test_others_get_a_bundle_with_the_same_identifier_each_time(hook: Hook, ways: Ways, put_secret: PutSecret) -> None:
    put_secret("TOKEN", "token-of-ours")
    target = StixTarget(Stix(url=hook.url, form="bundle", token="TOKEN"), ways)
    target.send([attack()])
    target.send([attack()])
    target.close()
    first, again = (json.loads(posted.body) for posted in hook.posts)
    assert first == again
    assert hook.posts[0].headers["authorization"] == "Bearer token-of-ours"
    assert len(stix2.parse(first, version="2.1").objects) == len(first["objects"])


def test_nothing_is_posted_when_there_is_nothing_to_say(hook: Hook, ways: Ways) -> None:
    target = StixTarget(Stix(url=hook.url), ways)
    assert target.send([document(trail=make_trail(kind=TrailKind.RULE))]) == 1
    assert hook.posts == []
    hook.answer = lambda _: (422, {}, b"no")
    with pytest.raises(Refused):
        target.send([document()])
    target.close()
