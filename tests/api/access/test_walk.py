"""Every route, asked by somebody who may not see everything: it answers as if the rest did not exist.

Two installations are asked the same. What only the second one has belongs to others, and has a mark. Whoever may not
see that gets the very same answers from both; so no count, no order, no header and no length tells of it either.
"""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from api.access.guarding import owners
from api.access.principal import Scope
from api.app import create_app
from api.sending import shelf
from api.sending.follow import Follower
from api.sending.outbox import Outbox
from api.sending.shelf import COLLECTIONS
from matchers import exceptions
from matchers.exceptions import Exemption, utc_now
from stores.contract import Query, SensorStatus, Store
from stores.desk import Desk
from stores.desk.contract import Author, Cleared, CustomTrail, Decision, DecisionScope, Triage, TriageState, Verdict
from stores.embedded import open_embedded
from tests.api.access.people import key
from tests.api.client import AppClient
from tests.api.conftest import NOW
from tests.api.trails import DictLookup
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from trailhound.event import Event
from trailhound.sending import Send, Syslog, Taxii
from trailhound.settings import Api, Settings
from trailhound.trail import Trail, TrailClass, TrailKind

OURS = "10.1.0.0/16"
# What others have says so in its name or address.
MARKS = ("10.2.", "2001:db8:2", "theirs", "80.94.92.66", "198.51.100.66")
WORDS = ("theirs", "theirs.example", "10.2.0.5", "80.94.92.66", "2001:db8:2::/48", "0.0.0.0/0")
_PLACES = ("content-length", "x-taxii-date-added")
ALL_SCOPES = (Scope.READ, Scope.TRIAGE, Scope.LISTS)
SHARED = "45.155.205.233"  # It attacks both.
THEIRS = make_trail(value="theirs.example", info="theirs")
OWN = make_trail(value="theirs.example", info="theirs", custom=True)


def _ours() -> Sequence[Event]:
    return [
        make_event(identity="a", source_ip="10.1.0.5", destination_ip="198.51.100.1"),
        make_event(identity="b", source_ip="10.1.0.5", destination_ip="198.51.100.1", start=START + 2 * HOUR),
        make_attack(source_ip=SHARED, destination_ip="10.1.0.9", start=START + HOUR),
        make_attack(source_ip="45.155.205.7", destination_ip="10.1.0.9", start=START + HOUR),
    ]


def _of_others() -> Sequence[Event]:
    """Give events of other networks: threats of their own, and one more event of a threat that is known here too."""
    return [
        make_event(identity="c", source_ip="10.2.0.5", destination_ip="198.51.100.66", trail=THEIRS, sensor="theirs"),
        make_event(identity="d", source_ip="2001:db8:2::1", trail=THEIRS, sensor="theirs", start=START + HOUR),
        make_attack(source_ip=SHARED, destination_ip="10.2.0.9", start=START + 2 * HOUR, sensor="theirs", count=7),
        make_attack(source_ip=SHARED, destination_ip="10.2.0.8", start=START - 2 * HOUR, sensor="theirs"),
        make_attack(source_ip="80.94.92.66", destination_ip="10.2.0.9", start=START + 2 * HOUR, sensor="theirs"),
    ]


def _of_own_trails() -> Sequence[Event]:
    attack = make_attack(source_ip="80.94.92.66", destination_ip="10.1.0.9", start=START + 2 * HOUR)
    return [
        make_event(identity="e", source_ip="10.1.0.5", trail=OWN, observed="theirs.example", message="theirs"),
        replace(attack, trail=replace(attack.trail, custom=True, info="theirs")),
    ]


@dataclass(frozen=True, slots=True)
class World:
    """An installation: its application, and what stands in it that a path may name."""

    app: FastAPI
    store: Store
    events: tuple[str, ...]
    threats: tuple[str, ...]

    def values(self, name: str) -> Sequence[str]:
        """Give what may stand for a part of a path, also what others have."""
        return {
            "event_id": self.events,
            "threat_id": self.threats,
            "collection": tuple(COLLECTIONS),
            "target": ("siem",),
            "name": ("attackers", "c2", "c2-domains"),
            "form": ("txt", "json", "nft", "rpz"),
            "address": ("80.94.92.66",),
            "number": ("1",),
        }.get(name, ("0123456789abcdef",))


def _settings(folder: Path) -> Settings:
    return Settings(
        state_dir=folder,
        api=Api(list_networks=("192.0.2.0/24",), requests_per_minute=100_000, requests_at_once=10_000),
        send=Send(syslog={"siem": Syslog(host="127.0.0.1", port=1)}, taxii=Taxii(enabled=True), max_age_hours=87_600),
    )


def _open(folder: Path, events: Sequence[Event], trails: Sequence[Trail]) -> World:
    """Make an installation in which these events were found and sent out."""
    folder.mkdir()
    settings = _settings(folder)
    store = open_embedded(folder / "events.sqlite")
    store.append(events)
    app = create_app(settings, store, DictLookup(trails), clock=lambda: NOW)
    outbox: Outbox = app.state.outbox
    outbox.name_targets(settings.send.targets)
    follower = Follower(settings.send, store, outbox, begun=0, show=shelf.of_event, clock=lambda: NOW)
    while follower.step():
        pass
    page = store.threats(Query(), limit=100)
    found = store.events(Query(), limit=100).events
    return World(app, store, tuple(one["event"]["id"] for one in found), tuple(one.id for one in page.threats))


def _judge(world: World, source: str, state: TriageState, word: str) -> None:
    """Let somebody judge the threats of a source, with this word."""
    desk: Desk = world.app.state.desk
    for one in world.store.threats(Query(sources=(source,))).threats:
        desk.put_triage(Triage(one.id, state, word, (word,), word), Author(word, "10.2.0.1", NOW))


def _decide(world: World) -> None:
    """Let people and sensors of other networks leave a word wherever they can."""
    desk: Desk = world.app.state.desk
    them = Author("theirs", "10.2.0.1", NOW)
    block = Decision("0123456789abcdef", Verdict.BLOCK, DecisionScope.ADDRESS, "80.94.92.66", "theirs", "theirs", NOW)
    desk.add_decision(block, them)
    desk.add_decision(replace(block, id="0123456789abcde0", scope=DecisionScope.DOMAIN, value="theirs.example"), them)
    over = desk.add_decision(replace(block, id="0123456789abcde1", value="80.94.92.67"), them)
    desk.lift_decision(over.id, over.version, them)
    desk.clear(Cleared("80.94.92.66", "theirs", "theirs", NOW - 10), them)
    _judge(world, SHARED, TriageState.INVESTIGATING, "theirs")
    _judge(world, "10.2.0.5", TriageState.RESOLVED, "theirs")
    world.store.put_sensors([SensorStatus("theirs", "theirs.log", "/theirs", 9, 9, 0, 0, 0, NOW, NOW, NOW)])


def _add_trail(world: World) -> None:
    """Let people add a trail, and an exception from it."""
    desk: Desk = world.app.state.desk
    facts = (TrailKind.DOMAIN, "theirs.example", "theirs", TrailClass.C2, 80, "", "theirs", "alice", NOW)
    desk.add_trail(CustomTrail("0123456789abcdef", *facts), Author("alice", "", NOW))
    folder = world.app.state.settings.state_dir
    exceptions.add(exceptions.path_in(folder), Exemption(1, "theirs", "alice", utc_now(), trail="theirs.example"))


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: str = "{}"

    def ask(self, client: AppClient) -> httpx.Response:
        options: dict[str, Any] = {"params": list(self.params), "headers": dict(self.headers)}
        if self.method not in ("GET", "HEAD"):
            options["json"] = json.loads(self.body)
            options["headers"] |= {"If-Match": "*"}
        return client.request(self.method, self.path, **options)

    @property
    def told(self) -> str:
        """Give what an answer may repeat: what was asked."""
        return " ".join([self.path, self.body, *(value for _, value in self.params)])


def _requests(world: World) -> Iterator[Request]:
    """Give every route with every thing that its path may name, alone and with each of its parameters."""
    document = world.app.openapi()["paths"]
    for context, _ in owners(world.app):
        template = context.path or ""
        parts = re.findall(r"{(\w+)}", template)
        for values in itertools.product(*map(world.values, parts)):
            path = template
            for part, value in zip(parts, values, strict=True):
                path = path.replace(f"{{{part}}}", value)
            for method in sorted(context.methods or ()):
                yield Request(method, path)
                known = document.get(template, {}).get(method.lower(), {})
                yield from _asked(Request(method, path), known.get("parameters", ()))
                if method == "POST":
                    yield Request(method, path, body=json.dumps({"values": list(WORDS)}))


def _asked(plain: Request, parameters: Sequence[Mapping[str, Any]]) -> Iterator[Request]:
    queries = [one for one in parameters if one["in"] == "query"]
    needed = tuple((one["name"], WORDS[1]) for one in queries if one.get("required"))
    if plain.path.endswith("/stream"):
        queries = [one for one in queries if one["name"] in ("sensor", "startup")]
    for one in queries:
        for value in _values(one):
            others = tuple(pair for pair in needed if pair[0] != one["name"])
            more = (("since", "2025-10-01T00:00:00Z"),) if one["name"] == "compare" else ()
            yield replace(plain, params=(*others, (one["name"], value), *more))


def _values(parameter: Mapping[str, Any]) -> Sequence[str]:
    schema = parameter["schema"]
    kinds = [schema, schema.get("items", {}), *schema.get("anyOf", ())]
    words = [value for kind in kinds for value in kind.get("enum", ())]
    if words:
        return words
    types = {kind.get("type") for kind in kinds}
    if "boolean" in types:
        return ["true"]
    return ["1"] if types & {"integer", "number"} else ["theirs", "10.0.0.0/8"]


def _said(request: Request, client: AppClient) -> tuple[int, str, Mapping[str, str]]:
    """Ask, and give the answer without what says where to go on: cursors, and the times by which TAXII does."""
    answer = request.ask(client)
    text = re.sub(r'"(next|date_added)":"[^"]*"|^id: .*$', "", answer.text, flags=re.MULTILINE)
    headers = {name: value for name, value in answer.headers.items() if not name.startswith(_PLACES)}
    return answer.status_code, text, headers


def _walk(world: World, requests: Sequence[Request], **seen: Any) -> Sequence[tuple[int, str, Mapping[str, str]]]:
    client = AppClient(world.app, "203.0.113.5", key=key(world.app, *ALL_SCOPES, **seen))
    return [_said(request, client) for request in requests]


def _expect_alike(full: World, alone: World, requests: Sequence[Request], **seen: Any) -> Mapping[int, int]:
    """Ask the same where others have something and where they do not; count the answers by status."""
    answers = _walk(full, requests, **seen)
    assert _walk(alone, requests, **seen) == answers
    for request, (_, text, headers) in zip(requests, answers, strict=True):
        for mark in MARKS:
            assert mark not in f"{headers}"
            assert mark not in text or mark in request.told, (request, mark, text)
    return Counter(status for status, _, _ in answers)


def _tell_of_marks(world: World, requests: Sequence[Request]) -> int:
    """Count what there is to hide: the answers that tell of it to somebody who may see everything."""
    told = _walk(world, [one for one in requests if one.method == "GET"])
    return sum(any(mark in text for mark in MARKS) for _, text, _ in told)


def test_whoever_is_restricted_to_networks_is_answered_as_if_there_were_no_others(tmp_path: Path) -> None:
    full = _open(tmp_path / "full", [*_ours(), *_of_others()], [make_trail()])
    alone = _open(tmp_path / "alone", _ours(), [make_trail()])
    _decide(full)
    _judge(alone, SHARED, TriageState.INVESTIGATING, "ours")
    requests = list(_requests(full))
    answered = _expect_alike(full, alone, requests, networks=(OURS,))
    assert answered[200] > 100
    assert answered[403] > 20
    assert _tell_of_marks(full, requests) > 50


def test_whoever_may_not_see_own_trails_is_answered_as_if_there_were_none(tmp_path: Path) -> None:
    full = _open(tmp_path / "full", [*_ours(), *_of_own_trails()], [make_trail(), OWN])
    alone = _open(tmp_path / "alone", _ours(), [make_trail(), OWN])
    _add_trail(full)
    requests = list(_requests(full))
    answered = _expect_alike(full, alone, requests, sees_custom=False)
    assert answered[200] > 100
    assert answered[403] > 5
    assert _tell_of_marks(full, requests) > 50
