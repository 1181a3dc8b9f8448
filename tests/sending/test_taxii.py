"""The TAXII server, asked by a client that nobody here wrote, over a real connection."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stix2
from fastapi import FastAPI
from taxii2client.exceptions import TAXIIServiceException
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from api.access.accounts import Accounts
from api.access.people import Key
from api.access.principal import Scope
from api.app import attach
from api.sending import shelf
from api.sending.follow import Follower
from api.sending.outbox import Outbox, outbox_path
from stores.contract import Store
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from tests.api.test_serve import serving
from tests.api.trails import DictLookup
from tests.stores.factory import make_event, make_trail
from trailhound.record import MICROSECONDS
from trailhound.sending import Send, Taxii
from trailhound.settings import Api, Settings

TAXII = "application/taxii+json;version=2.1"
COUNT = 25


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, send=Send(taxii=Taxii(enabled=True)), api=Api(port=0))


@pytest.fixture
def filled(settings: Settings, store: Store) -> Store:
    """Have 25 domains met, the last of them a custom trail's."""
    outbox = Outbox(outbox_path(settings))
    follower = Follower(settings.send, store, outbox, show=shelf.of_event, clock=lambda: NOW)
    follower.step()
    for number in range(COUNT):
        trail = make_trail(value=f"evil{number:02}.example", custom=number == COUNT - 1)
        start = NOW + number * MICROSECONDS
        store.append([make_event(trail=trail, start=start, ingested=start, observed=trail.value, identity=str(number))])
        follower.step()
    outbox.close()
    return store


def key(settings: Settings, **changes: Any) -> str:
    accounts = Accounts(settings.state_dir / "accounts.sqlite")
    secret, _ = accounts.add_key(Key("", "partner", frozenset({Scope.READ}), **changes))
    return secret


@pytest.fixture
def url(settings: Settings, filled: Store) -> Iterator[str]:
    with serving(settings, filled, DictLookup([])) as base:
        yield f"{base}/taxii2/"


@pytest.fixture
def root(url: str, settings: Settings) -> Iterator[ApiRoot]:
    server = Server(url, user="partner", password=key(settings))
    assert server.title == "Trailhound"
    assert server.default is server.api_roots[0]
    yield server.default
    server.default.close()
    server.close()


def collection(root: ApiRoot, title: str) -> Collection:
    (found,) = [one for one in root.collections if one.title == title]
    assert (found.can_read, found.can_write) == (True, False)
    return found


def test_a_client_finds_everything_page_by_page(root: ApiRoot) -> None:
    indicators = collection(root, "Indicators that were met")
    pages = list(as_pages(indicators.get_objects, per_request=7))
    objects = [one for page in pages for one in page["objects"]]
    assert [len(page["objects"]) for page in pages] == [7, 7, 7, 5]
    names = [one["pattern"] for one in objects if one["type"] == "indicator"]
    assert names == [f"[domain-name:value = 'evil{number:02}.example']" for number in range(COUNT)]
    assert len(stix2.parse({"type": "bundle", "id": f"bundle--{shelf.INDICATORS}", "objects": objects}).objects) == 26


def test_sightings_are_whole(root: ApiRoot) -> None:
    sightings = collection(root, "Sightings")
    objects = [one for page in as_pages(sightings.get_objects, per_request=50) for one in page["objects"]]
    ids = {one["id"] for one in objects}
    found = [one for one in objects if one["type"] == "sighting"]
    assert len(found) == COUNT
    assert all({*one["observed_data_refs"], *one["where_sighted_refs"]} <= ids for one in found)
    stix2.parse({"type": "bundle", "id": f"bundle--{shelf.SIGHTINGS}", "objects": objects})


def test_a_client_comes_back_for_what_was_added_since(root: ApiRoot) -> None:
    indicators = collection(root, "Indicators that were met")
    manifest = indicators.get_manifest()["objects"]
    assert len(manifest) == COUNT + 1
    since = manifest[20]["date_added"]
    added = indicators.get_objects(added_after=since)["objects"]
    assert [one["id"] for one in added] == [one["id"] for one in manifest[21:]]
    assert indicators.get_objects(added_after=manifest[-1]["date_added"]) == {}


def test_a_client_asks_for_one_object_and_its_versions(root: ApiRoot) -> None:
    indicators = collection(root, "Indicators that were met")
    wanted = indicators.get_objects(type="indicator")["objects"][3]
    assert indicators.get_object(wanted["id"])["objects"] == [wanted]
    assert indicators.object_versions(wanted["id"])["versions"] == [wanted["modified"]]
    assert indicators.get_objects(id=wanted["id"])["objects"] == [wanted]
    assert indicators.get_objects(id=wanted["id"], version=wanted["modified"])["objects"] == [wanted]
    assert indicators.get_objects(id=wanted["id"], version="2001-01-01T00:00:00.000Z") == {}
    assert indicators.get_objects(spec_version="2.0") == {}
    assert {one["type"] for one in indicators.get_objects(type="identity,malware")["objects"]} == {"identity"}


def test_nobody_without_a_key_learns_anything(url: str, settings: Settings) -> None:
    for given in ({}, {"user": "partner", "password": "wrong"}):
        with pytest.raises(Exception, match="401"):
            _ = Server(url, **given).title
    with pytest.raises(Exception, match="403"):
        _ = Server(url, user="x", password=key(settings, networks=("10.0.0.0/8",))).title


def test_custom_trails_are_for_those_who_may_see_them(url: str, settings: Settings) -> None:
    hidden = Collection(
        f"{url}detections/collections/{shelf.INDICATORS}/", user="x", password=key(settings, sees_custom=False)
    )
    assert "evil24.example" not in str(hidden.get_objects())
    assert len(hidden.get_manifest()["objects"]) == COUNT
    hidden.close()


def test_an_unknown_collection_is_no_page(url: str, settings: Settings) -> None:
    strange = Collection(f"{url}detections/collections/{'0' * 8}/", user="x", password=key(settings))
    with pytest.raises(Exception, match="404"):
        strange.get_objects()
    strange.close()
    assert TAXIIServiceException


@pytest.fixture
def client(made: FastAPI, settings: Settings, filled: Store) -> AppClient:
    attach(made, settings, filled, DictLookup([]), clock=lambda: NOW)
    return AppClient(made)


OBJECTS = f"/taxii2/detections/collections/{shelf.INDICATORS}/objects/"


def test_headers_say_when_objects_were_added(client: AppClient) -> None:
    answer = client.get(OBJECTS, {"limit": 3})
    manifest = client.get(OBJECTS.replace("/objects/", "/manifest/"), {"limit": 3})
    dates = [one["date_added"] for one in manifest.json()["objects"]]
    assert answer.headers["content-type"] == TAXII
    assert answer.headers["x-taxii-date-added-first"] == dates[0]
    assert answer.headers["x-taxii-date-added-last"] == dates[-1]
    assert answer.json()["more"] is True
    after = client.get(OBJECTS, {"limit": 1, "added_after": dates[-1]}).json()["objects"]
    following = client.get(OBJECTS, {"limit": 1, "next": answer.json()["next"]}).json()["objects"]
    assert after == following


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (TAXII, 200),
        ("application/taxii+json", 200),
        ("text/html, */*;q=0.1", 200),
        ("application/taxii+json; version=2.1", 200),
        ("application/taxii+json;version=2.0", 406),
        ("application/vnd.oasis.taxii+json; version=2.0", 406),
        ("application/json", 406),
        ("", 406),
    ],
)
def test_only_taxii_2_1_is_spoken(client: AppClient, accept: str, status: int) -> None:
    assert client.get("/taxii2/", headers={"Accept": accept}).status_code == status


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "many"},
        {"added_after": "yesterday"},
        {"added_after": "9999999999999"},
        {"next": "-1"},
        {"next": "1 OR 1=1"},
        {"match[version]": "newest"},
        {"match[id]": "x" * 4001},
        {"match": "x"},
    ],
)
def test_what_cannot_be_used_is_refused(client: AppClient, params: dict[str, str]) -> None:
    refused(client.get(OBJECTS, params), 422)


def test_an_object_that_is_not_there_is_no_page(client: AppClient) -> None:
    refused(client.get(f"{OBJECTS}indicator--nothing/"), 404)
    refused(client.get(f"{OBJECTS}..%2F..%2F/"), 404)
    refused(client.get("/taxii2/detections/collections/' OR 1=1/objects/"), 404)


def test_a_password_is_good_for_reading_only(client: AppClient) -> None:
    secret, _ = client.app.state.accounts.add_key(Key("", "all", frozenset(Scope)))
    import base64

    pair = base64.b64encode(f"x:{secret}".encode()).decode()
    anonymous = client.anonymous
    assert anonymous.get("/taxii2/", headers={"Authorization": f"Basic {pair}"}).status_code == 200
    answer = anonymous.request("POST", "/api/v1/outbox/x/retry", headers={"Authorization": f"Basic {pair}"})
    refused(answer, 401)
    for broken in ("Basic", "Basic ???", "Basic " + base64.b64encode(b"\xff:\xff").decode()):
        refused(anonymous.get("/taxii2/", headers={"Authorization": broken}), 401)


def test_there_is_no_server_unless_the_settings_say_so(made: FastAPI, tmp_path: Path, store: Store) -> None:
    attach(made, Settings(state_dir=tmp_path), store, DictLookup([]), clock=lambda: NOW)
    refused(AppClient(made).get("/taxii2/"), 404)
    refused(AppClient(made).anonymous.get("/taxii2/"), 401)
