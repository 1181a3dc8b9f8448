import json
import re
from collections.abc import Iterator

import pytest
from pymisp import MISPSighting

from api.sending.outcome import Later
from api.sending.post import Ways
from api.sending.targets.misp import MispTarget
from tests.sending.conftest import PutSecret
from tests.sending.documents import attack, document
from tests.sending.receivers import Hook, Posted, Reply, hooking
from tests.stores.factory import make_trail
from trailhound.sending import Misp
from trailhound.trail import TrailKind

KEY = "k" * 40
UNKNOWN = {
    "saved": False,
    "name": "Could not add Sighting",
    "message": "Could not add the Sighting. Reason: No valid attributes found that match the criteria.",
}


def instance(*known: str) -> Hook:
    """Answer as MISP does to `/sightings/add`."""

    def answer(posted: Posted) -> Reply:
        if posted.headers.get("authorization") != KEY:
            return 403, {}, json.dumps({"name": "Authentication failed.", "message": "Authentication failed."}).encode()
        asked = json.loads(posted.body)
        if set(asked["values"]) & set(known):
            return 200, {}, json.dumps({"saved": True, "message": "1 sighting successfuly added."}).encode()
        return 403, {}, json.dumps(UNKNOWN).encode()

    return Hook(answer=answer)


@pytest.fixture
def misp() -> Iterator[Hook]:
    with hooking() as hook:
        hook.answer = instance("evil.example", "http://evil.example/a", "192.0.2.1|443").answer
        yield hook


@pytest.fixture
def target(misp: Hook, ways: Ways, put_secret: PutSecret) -> Iterator[MispTarget]:
    put_secret("MISP_KEY", KEY)
    opened = MispTarget(Misp(url=f"http://127.0.0.1:{misp.port}/"), ways)
    yield opened
    opened.close()


def test_misp_is_told_what_was_seen_and_when(misp: Hook, target: MispTarget) -> None:
    assert target.send([document()]) == 0
    (posted,) = misp.posts
    assert posted.path == "/sightings/add"
    assert json.loads(posted.body) == {
        "values": ["evil.example"],
        "timestamp": 1_759_276_800,
        "source": "Trailhound (sensor-1)",
        "type": "0",
    }


def test_what_it_does_not_know_is_of_no_use_to_it(target: MispTarget) -> None:
    assert target.send([attack()]) == 1


def test_a_key_that_it_does_not_know_is_trouble(
    misp: Hook, target: MispTarget, ways: Ways, put_secret: PutSecret
) -> None:
    put_secret("OTHER", "other-key-of-nobody")
    wrong = MispTarget(Misp(url=f"http://127.0.0.1:{misp.port}", key="OTHER"), ways)
    with pytest.raises(Later, match=r"answers 403 Forbidden: .*Authentication failed") as caught:
        wrong.send([document()])
    assert "other-key-of-nobody" not in str(caught.value)
    wrong.close()
    assert target.send([document()]) == 0


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        (TrailKind.URL, "evil.example/a", "http://evil.example/a"),
        (TrailKind.IP_PORT, "192.0.2.1:443", "192.0.2.1|443"),
    ],
)
def test_trails_are_spelled_as_misp_has_them(
    misp: Hook, target: MispTarget, kind: TrailKind, value: str, found: str
) -> None:
    assert target.send([document(trail=make_trail(kind=kind, value=value))]) == 0
    assert found in json.loads(misp.posts[-1].body)["values"]


def test_rules_of_ours_are_not_asked_for(misp: Hook, target: MispTarget) -> None:
    assert target.send([document(trail=make_trail(kind=TrailKind.RULE, value="port scan"))]) == 1
    assert misp.posts == []


def test_requests_are_those_of_misps_own_client(misp: Hook, target: MispTarget) -> None:
    """What PyMISP sends for the same sighting: path, headers and the fields that both have."""
    sighting = MISPSighting()
    sighting.from_dict(values=["evil.example"], timestamp=1_759_276_800, source="Trailhound (sensor-1)", type="0")
    target.send([document()])
    ours = json.loads(misp.posts[0].body)
    theirs = json.loads(sighting.to_json())
    assert {name: str(value) for name, value in theirs.items()} == {name: str(value) for name, value in ours.items()}
    assert re.fullmatch("/sightings/add", misp.posts[0].path)
