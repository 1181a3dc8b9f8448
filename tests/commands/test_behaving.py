"""From what a look finds to events: by whitelist, exceptions and mutes; and looks that end badly."""

import ipaddress
import threading
from pathlib import Path

import pytest

from matchers.behaviour.behaviour import Seen
from matchers.compile import Compiler
from matchers.engine import Engine
from matchers.findings import Found
from matchers.heuristics.heuristic import Surroundings
from matchers.heuristics.mutes import Mute, Mutes
from matchers.heuristics.running import Heuristics
from matchers.networks import HomeNetworks
from matchers.trailset import TrailSet
from matchers.whitelist import load
from trailhound.behaviour import BehaviourSettings
from trailhound.commands.behaving import events_of, look
from trailhound.commands.look import Look
from trailhound.errors import TrailhoundError
from trailhound.record import MICROSECONDS, Value
from trailhound.settings import HOME_NETWORKS, Settings
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailKind

TIME = 1_767_225_600 * MICROSECONDS
DAY = 24 * 3600 * MICROSECONDS


def engine(place: Path, whitelisted: str = "", mute: Mute | None = None) -> Engine:
    Compiler().write(place / "trails.set", built=0)
    (place / "whitelist.txt").write_text(whitelisted, "utf-8")
    homes = HomeNetworks(HOME_NETWORKS)
    made = Engine(TrailSet.open(place / "trails.set"), load([place / "whitelist.txt"]), homes)
    made.use(Heuristics([], Surroundings(homes, made.rules, 0), Mutes([mute] if mute is not None else [])))
    return made


def named(module: str = "zeek", end: int = TIME) -> Seen:
    found = Found(
        said="called c2.bad-example.com 24 times",
        score=80,
        severity=Severity.MEDIUM,
        kind=TrailKind.DOMAIN,
        value="c2.bad-example.com",
        observed="c2.bad-example.com",
        role="tls.client.server_name",
        count=24,
        start=TIME - 3600 * MICROSECONDS,
        end=end,
        key="10.0.0.5 c2.bad-example.com",
        window=DAY,
    )
    fields: dict[str, Value] = {"id.orig_h": "10.0.0.5", "id.resp_h": "93.184.216.34", "id.resp_p": 443}
    return Seen("named-beacon", found, "ssl", module, "dmz", end, fields)


@pytest.mark.parametrize(("module", "dataset"), [("zeek", "zeek.ssl"), ("suricata", "suricata.tls")])
def test_a_find_becomes_an_event_of_its_record(module: str, dataset: str, tmp_path: Path) -> None:
    (event,) = events_of([named(module)], engine(tmp_path))
    assert (event.sensor, event.dataset, event.direction) == ("dmz", dataset, Direction.OUTBOUND)
    assert (event.source_ip, event.destination_ip, event.destination_port) == ("10.0.0.5", "93.184.216.34", 443)
    assert (event.count, event.start, event.end) == (24, TIME - 3600 * MICROSECONDS, TIME)
    assert event.message == "10.0.0.5 called c2.bad-example.com 24 times: regular calls for one name (beacon)"
    assert event.ecs["rule.name"] == "named-beacon"


def test_what_is_found_again_later_that_day_is_the_same_event(tmp_path: Path) -> None:
    made = engine(tmp_path)
    first, later, tomorrow = (
        events_of([named(end=end)], made)[0].id for end in (TIME, TIME + 600 * MICROSECONDS, TIME + DAY)
    )
    assert first == later
    assert first != tomorrow


@pytest.mark.parametrize(
    ("whitelisted", "mute"),
    [
        ("c2.bad-example.com\n", None),
        ("", Mute(rule="named-beacon")),
        ("", Mute(source=ipaddress.ip_network("10.0.0.0/24"))),
        ("", Mute(value="c2.bad-example.com")),
        ("", Mute(below=81)),
    ],
)
def test_whitelists_and_mutes_count(whitelisted: str, mute: Mute | None, tmp_path: Path) -> None:
    assert events_of([named()], engine(tmp_path, whitelisted, mute)) == []


def test_a_look_that_cannot_be_done_says_why(tmp_path: Path) -> None:
    (tmp_path / "window").write_bytes(b"")
    asked = Look(Settings(state_dir=tmp_path), {tmp_path / "window": ()}, (), steps=False, upto=TIME)
    with pytest.raises(TrailhoundError, match=r"behaviour cannot be looked for: .*window"):
        look(asked, threading.Event())


def test_a_look_that_is_stopped_comes_to_nothing(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    settings = Settings(state_dir=tmp_path, behaviour=BehaviourSettings())
    assert look(Look(settings, {tmp_path / "window": ()}, (), steps=False, upto=TIME), stop) is None
