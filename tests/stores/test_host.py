"""The risk of a host adds up as the documentation says."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from api.hosts import host, hosts
from stores.contract import Query, Store, Threat
from stores.desk import open_desk
from stores.host import MOST, POINTS, STEP, Met, risk_of_host
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from trailhound.event import Event
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings
from trailhound.severity import Direction, Severity
from trailhound.tactics import OF_CLASS, TACTICS, place
from trailhound.trail import TrailClass, TrailKind

_DAY = 86_400 * MICROSECONDS
_NOW = 1_767_600_000 * MICROSECONDS
_HALF = 3 * _DAY


def _met(
    tactic: str | None, severity: Severity = Severity.HIGH, *, first: int = 0, last: int = 0, id_: str = "a"
) -> Met:
    """Make a threat; times are microseconds before now."""
    threat = Threat(
        id=id_,
        source="10.0.0.7",
        kind=TrailKind.DOMAIN,
        trail="evil.example",
        info="test",
        class_=TrailClass.C2,
        severity=severity,
        risk=0,
        count=3,
        events=1,
        first=_NOW - max(first, last),
        last=_NOW - last,
        direction=Direction.OUTBOUND,
        destinations=(),
        ports=(),
        protocols=(),
        sensors=(),
        sources=(),
        reference="",
    )
    return Met(threat, tactic)


def _risk(*met: Met) -> float:
    return risk_of_host("10.0.0.7", met, at=_NOW, half_life=_HALF).risk


@pytest.mark.parametrize("severity", Severity)
def test_one_threat_has_the_points_of_its_severity(severity: Severity) -> None:
    assert _risk(_met("Discovery", severity)) == POINTS[severity]


def test_a_host_without_threats_is_at_no_risk() -> None:
    found = risk_of_host("10.0.0.7", [], at=_NOW, half_life=_HALF)
    assert (found.risk, found.severity, found.parts, found.chain, found.last) == (0, None, [], [], None)


def test_it_halves_with_each_half_life() -> None:
    assert [_risk(_met(None, Severity.CRITICAL, last=days * _DAY)) for days in (0, 3, 6)] == [50, 25, 12.5]
    assert _risk(_met(None, Severity.CRITICAL, last=-_DAY)) == 50, "a clock that is ahead makes no more of it"


def test_more_of_one_tactic_adds_less_and_less() -> None:
    many = [_met("Discovery", Severity.LOW, id_=str(number)) for number in range(1000)]
    assert _risk(*many[:2]) == 6
    assert _risk(*many) == 8


def test_tactics_add_up_and_their_order_counts() -> None:
    spread = {"Initial Access": 3, "Execution": 2, "Command and Control": 1}
    forward = [_met(tactic, first=hours * _DAY, id_=tactic) for tactic, hours in spread.items()]
    backward = [_met(tactic, first=-hours * _DAY + 9 * _DAY, id_=tactic) for tactic, hours in spread.items()]
    at_once = [_met(tactic, first=_DAY, id_=tactic) for tactic in spread]
    mild = [replace(one, threat=replace(one.threat, severity=Severity.MEDIUM)) for one in forward]
    assert _risk(*mild) == 3 * POINTS[Severity.MEDIUM] + 2 * STEP
    assert _risk(*forward) == MOST
    for those in (backward, at_once):
        chain = risk_of_host("10.0.0.7", those, at=_NOW, half_life=_HALF).chain
        assert len(chain) == 1


def test_the_chain_tells_each_step() -> None:
    met = [
        _met("Command and Control", first=9 * _DAY, id_="early"),
        _met("Initial Access", first=5 * _DAY, id_="phish"),
        _met(None, first=4 * _DAY, id_="policy"),
        _met("Credential Access", first=3 * _DAY, id_="guess"),
        _met("Exfiltration", first=_DAY, id_="leak"),
    ]
    chain = risk_of_host("10.0.0.7", met, at=_NOW, half_life=_HALF).chain
    assert [(step.tactic, step.threat) for step in chain] == [
        ("Initial Access", "phish"),
        ("Credential Access", "guess"),
        ("Exfiltration", "leak"),
    ]


def _random(seed: int) -> list[Met]:
    draw = random.Random(seed)
    return [
        _met(
            draw.choice([*TACTICS, None]),
            draw.choice(list(Severity)),
            first=draw.randrange(9) * _DAY,
            last=draw.randrange(9) * _DAY,
            id_=f"{number}",
        )
        for number in range(12)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_parts_add_up_and_more_is_never_less(seed: int) -> None:
    met = _random(seed)
    before = 0.0
    for end in range(1, len(met) + 1):
        found = risk_of_host("10.0.0.7", met[:end], at=_NOW, half_life=_HALF)
        total = sum(part.points for part in found.parts) + found.chain_points
        assert found.risk == pytest.approx(min(total, MOST))
        assert before - 0.2 <= found.risk <= MOST, "but for what is rounded"
        before = found.risk


@pytest.mark.parametrize("seed", range(20))
def test_the_order_in_which_threats_come_makes_no_difference(seed: int) -> None:
    met = _random(seed)
    shuffled = random.Random(seed).sample(met, len(met))
    one, other = (risk_of_host("10.0.0.7", those, at=_NOW, half_life=_HALF) for those in (met, shuffled))
    assert one == other


def test_every_class_stands_for_a_tactic_or_for_none() -> None:
    assert set(OF_CLASS) == set(TrailClass)
    assert all(tactic is None or place(tactic) is not None for tactic in OF_CLASS.values())
    assert place("No Tactic") is None


def _table() -> Sequence[str]:
    return (Path(__file__).parents[2] / "docs" / "hosts.md").read_text("utf-8").splitlines()


def test_the_tables_of_the_documentation_are_so() -> None:
    lines = [line.strip() for line in _table()]
    for class_, tactic in OF_CLASS.items():
        assert f"| `{class_}` | {tactic or 'none'} |" in lines
    for severity, points in POINTS.items():
        assert f"| {severity.label} | {points:g} |" in lines
    text = " ".join(lines)
    assert f"adds {STEP:g}, halved" in text
    assert f"{', '.join(TACTICS)}." in text


def test_hosts_are_alike_in_every_store(store: Store, tmp_path: Path) -> None:
    """Of 60 events, of which a third came from outside, with tactics that follow each other at some hosts."""
    classes = [TrailClass.SCANNER, TrailClass.PHISHING, TrailClass.C2, TrailClass.POLICY]
    severities = list(Severity)
    made = [
        make_event(
            identity=str(number),
            start=START + number * HOUR,
            source_ip=f"10.0.0.{number % 7}",
            trail=make_trail(value=f"t{number % 12}.example", class_=classes[number % 4]),
            severity=severities[number % 3],
        )
        for number in range(40)
    ]
    store.append(made + [make_attack(identity=str(number), start=START + number * HOUR) for number in range(20)])
    settings, desk, now = Settings(state_dir=tmp_path), open_desk(tmp_path), START + 48 * HOUR
    page = hosts(store, desk, settings, Query(), now=now, limit=3)
    following = hosts(store, desk, settings, Query(), now=now + HOUR, limit=50, cursor=page.next)
    assert following.next is None
    found = [*page.hosts, *following.hosts]
    assert [one.address for one in found] == [
        one.address for one in sorted(found, key=lambda one: (-one.risk, one.address))
    ]
    expected: dict[str, list[Event]] = {}
    for event in made:
        expected.setdefault(event.source_ip or "", []).append(event)
    assert {one.address: one.count for one in found} == {host: len(events) for host, events in expected.items()}
    for one in found:
        events = expected[one.address]
        assert one.threats == len({event.trail.value for event in events})
        assert one.severity == max(event.severity for event in events)
        assert (one.first, one.last) == (min(event.start for event in events), max(event.start for event in events))
        assert one == host(store, desk, settings, Query(), one.address, now=now)
