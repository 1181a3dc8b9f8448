import hashlib
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.app import attach
from feeds import build
from matchers.compile import Compiler
from matchers.trailset import TrailSet
from stores.contract import Store
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from tests.api.trails import DictLookup
from trailhound.matching import Trails
from trailhound.settings import Settings
from trailhound.sharing import HandingOn, SensorKey
from trailhound.trail import Trail, TrailClass, TrailKind

PATIENCE = 60.0
KEYS = {"dmz": "key-of-dmz", "headquarters": "key-of-headquarters"}
Ask = Callable[..., httpx.Response]


def put(path: Path, *names: str, custom: str = "") -> None:
    compiler = Compiler()
    for name in names:
        compiler.add(Trail(TrailKind.DOMAIN, name, "threat", TrailClass.C2, ("a list",)))
    if custom:
        compiler.add(Trail(TrailKind.DOMAIN, custom, "our case", TrailClass.C2, ("incidents",), custom=True))
    compiler.write(path, built=1_767_600_000)


def keys() -> tuple[SensorKey, ...]:
    sums = {name: hashlib.sha256(key.encode()).hexdigest() for name, key in KEYS.items()}
    return tuple(SensorKey(name=name, sha256=sum_, custom=name == "headquarters") for name, sum_ in sums.items())


@pytest.fixture
def trail_set(tmp_path: Path) -> Path:
    path = tmp_path / "trails.set"
    put(path, "evil.example", custom="secret.example")
    return path


@pytest.fixture
def ask(made: FastAPI, tmp_path: Path, store: Store, trails: DictLookup) -> Ask:
    given = Settings(state_dir=tmp_path, handing_on=HandingOn(keys=keys()), trails=Trails(set=tmp_path / "trails.set"))
    return asking(made, given, store, trails)


def asking(made: FastAPI, settings: Settings, store: Store, trails: DictLookup) -> Ask:
    attach(made, settings, store, trails, clock=lambda: NOW)
    client = AppClient(made)

    def ask(key: str = "", **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get("/trails", headers={**given, **({"Authorization": f"Bearer {key}"} if key else {})})

    return ask


def eventually(ask: Ask, key: str) -> httpx.Response:
    """Ask again while the set is being made."""
    end = time.monotonic() + PATIENCE
    while (answer := ask(key)).status_code == 503 and time.monotonic() < end:
        assert int(answer.headers["Retry-After"]) > 0
        time.sleep(0.1)
    return answer


def test_without_keys_there_is_no_such_page(client: AppClient, trail_set: Path) -> None:
    problem = refused(client.get("/trails", headers={"Authorization": "Bearer anything"}), 404)
    assert problem["detail"] == "There is no such page."


@pytest.mark.parametrize(
    "header", ["", "Bearer ", "Bearer wrong", "key-of-dmz", "Basic key-of-dmz", "Bearer key-of-dm"]
)
def test_without_a_right_key_there_is_no_set(ask: Ask, trail_set: Path, header: str) -> None:
    answer = ask(Authorization=header) if header else ask()
    refused(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_who_may_have_custom_trails_gets_the_file_itself(ask: Ask, trail_set: Path) -> None:
    answer = ask(KEYS["headquarters"], Accept_Encoding="gzip")
    assert answer.status_code == 200
    assert answer.content == trail_set.read_bytes()
    assert answer.headers["Content-Length"] == str(trail_set.stat().st_size)
    digest = b64encode(hashlib.sha256(answer.content).digest()).decode()
    assert answer.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert answer.headers["X-Trailhound-Checksum"] == TrailSet.open(trail_set).about.checksum


def test_who_has_the_set_is_told_so_and_gets_nothing(ask: Ask, trail_set: Path) -> None:
    tag = ask(KEYS["headquarters"]).headers["ETag"]
    answer = ask(KEYS["headquarters"], If_None_Match=tag)
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    put(trail_set, "evil.example", "worse.example", custom="secret.example")
    answer = ask(KEYS["headquarters"], If_None_Match=tag)
    assert (answer.status_code, answer.headers["ETag"] != tag) == (200, True)
    assert answer.content == trail_set.read_bytes()


def test_others_get_a_set_without_custom_trails(ask: Ask, trail_set: Path, tmp_path: Path) -> None:
    assert ask(KEYS["dmz"]).status_code == 503
    answer = eventually(ask, KEYS["dmz"])
    assert answer.status_code == 200
    (tmp_path / "got.set").write_bytes(answer.content)
    got = TrailSet.open(tmp_path / "got.set")
    assert [one.value for one in got] == ["evil.example"]
    assert ask(KEYS["dmz"], If_None_Match=answer.headers["ETag"]).status_code == 304
    assert b"incidents" not in answer.content


def test_what_others_have_listed_too_is_handed_on_in_their_words(
    made: FastAPI, store: Store, trails: DictLookup, tmp_path: Path
) -> None:
    lists = {name: tmp_path / f"{name}.txt" for name in ("public", "incidents")}
    lists["public"].write_text("# trailhound: info=emotet class=c2\nevil.example\nboth.example\n")
    lists["incidents"].write_text("# trailhound: info=ours class=c2\nboth.example\nsecret.example\n")
    made_of = Trails(files=(lists["public"],), custom=(lists["incidents"],), starter=False)
    settings = Settings(state_dir=tmp_path, handing_on=HandingOn(keys=keys()), trails=made_of)
    build.compile_own(settings)
    answer = eventually(asking(made, settings, store, trails), KEYS["dmz"])
    (tmp_path / "got.set").write_bytes(answer.content)
    got = {one.value: one for one in TrailSet.open(tmp_path / "got.set")}
    assert set(got) == {"evil.example", "both.example"}
    both = got["both.example"]
    assert (both.info, both.sources, both.custom) == ("emotet", ("public",), False)
    assert b"ours" not in answer.content


def test_a_new_set_is_made_for_others_too_and_the_old_one_goes(ask: Ask, trail_set: Path, tmp_path: Path) -> None:
    first = eventually(ask, KEYS["dmz"])
    put(trail_set, "evil.example", "worse.example", custom="secret.example")
    second = eventually(ask, KEYS["dmz"])
    assert first.headers["ETag"] != second.headers["ETag"]
    end = time.monotonic() + PATIENCE
    while len(list(tmp_path.glob("handed-*.set"))) > 1 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(list(tmp_path.glob("handed-*.set"))) == 1


def test_a_set_without_custom_trails_is_handed_to_all_as_it_is(ask: Ask, trail_set: Path, tmp_path: Path) -> None:
    put(trail_set, "evil.example")
    assert ask(KEYS["dmz"]).content == ask(KEYS["headquarters"]).content == trail_set.read_bytes()
    assert list(tmp_path.glob("handed-*")) == []


def test_without_a_set_it_is_said_to_come_back(ask: Ask) -> None:
    assert refused(ask(KEYS["headquarters"]), 503)["detail"] == "The trail set cannot be read."


def test_parameters_are_refused(made: FastAPI, ask: Ask, trail_set: Path) -> None:
    headers = {"Authorization": f"Bearer {KEYS['dmz']}"}
    refused(AppClient(made).get("/trails", {"format": "csv"}, headers=headers), 422)
