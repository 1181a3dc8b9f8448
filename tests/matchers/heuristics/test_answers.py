"""What answers carry: marks of sinkholes and seized domains, suspicious kinds of content."""

import pytest

from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.heuristics.exchanges import ABROAD, FORMATS, Exchange, found, found_by_sensor, log
from tests.matchers.heuristics.questions import watched
from trailhound.trail import TrailClass, TrailKind

_SINKHOLE, _SEIZED, _CONTENT = "sinkhole-response", "seized-domain", "content-type"


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "marks",
    [
        {"server": "sinkhole/1.0"},
        {"server": "Apache/2.4 (SinkSoft)"},
        {"set-cookie": "snkz=192.0.2.1"},
        {"location": "http://a.sinkdns.org/"},
        {"sinkhole": "Malware sinkhole"},
    ],
)
def test_answers_of_sinkholes(format_: str, marks: dict[str, str]) -> None:
    (event,) = found(watched(_SINKHOLE), format_, [Exchange("/gate.php", marks=marks)])
    assert (event.trail.kind, event.trail.value) == (TrailKind.DOMAIN, "www.example.com")
    assert (event.trail.class_, event.severity.label) == (TrailClass.SINKHOLE, "high")
    assert event.trail.info == "sinkhole response (malware)"


@pytest.mark.parametrize("format_", ["zeek-tsv", "zeek-json"])
@pytest.mark.parametrize(
    ("name", "title"),
    [
        (_SINKHOLE, "Sinkhole"),
        (_SINKHOLE, "Sinkholed by Example CERT"),
        (_SEIZED, "This domain has been seized"),
        (_SEIZED, "Domain Seized"),
        (_SEIZED, "This domain name has been seized by the police"),
    ],
)
def test_titles_that_a_script_adds(format_: str, name: str, title: str) -> None:
    (event,) = found(watched(_SINKHOLE, _SEIZED), format_, [Exchange("/", marks={"title": title})])
    assert event.ecs["rule.name"] == name


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "marks",
    [
        {"server": "nginx"},
        {"set-cookie": "xsnkz=1"},
        {"location": "http://www.example.com/sinkhole-in-florida"},
        {"title": "A sinkhole opens in Florida"},
        {"title": "Ship seized by pirates"},
    ],
)
def test_ordinary_answers(format_: str, marks: dict[str, str]) -> None:
    exchanges = [Exchange("/", marks=marks), Exchange("/")]
    assert found(watched(_SINKHOLE, _SEIZED), format_, exchanges) == []


def test_an_answer_from_a_bare_address_is_about_that() -> None:
    (event,) = found(watched(_SINKHOLE), "eve", [Exchange("/", host=None, marks={"server": "sinkhole"})])
    assert (event.trail.kind, event.trail.value) == (TrailKind.IPV4, ABROAD)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("mime", ["text/x-shellscript", "application/hta", "application/x-sh"])
def test_suspicious_content(format_: str, mime: str) -> None:
    (event,) = found(watched(_CONTENT), format_, [Exchange("/a", mime=mime)])
    assert (event.observed, event.trail.info) == (mime, "content type (suspicious)")


@pytest.mark.parametrize("format_", FORMATS)
def test_content_that_a_server_declares(format_: str) -> None:
    declared = Exchange("/a", marks={"content-type": "Application/HTA; charset=utf-8"})
    assert len(found(watched(_CONTENT), format_, [declared])) == 1
    both = Exchange("/a", mime="text/x-sh", marks={"content-type": "application/x-sh"})
    (event,) = found(watched(_CONTENT), format_, [both])
    assert event.observed == "text/x-sh"
    assert found(watched(_CONTENT), format_, [Exchange("/a", mime="text/html"), Exchange("/a")]) == []


@pytest.mark.parametrize(
    ("name", "exchange"),
    [
        (_SINKHOLE, Exchange("/", marks={"server": "sinkhole"})),
        (_SEIZED, Exchange("/", marks={"title": "Domain seized"})),
        (_CONTENT, Exchange("/", mime="text/x-sh")),
    ],
)
def test_two_sensors_and_mutes(name: str, exchange: Exchange) -> None:
    machine = watched(name)
    assert len(found_by_sensor(machine, "one", "http", "zeek-json", log("zeek-json", [exchange]))) == 1
    assert found_by_sensor(machine, "two", "http", "zeek-tsv", log("zeek-tsv", [exchange])) == []
    assert found(watched(name, muted=Mutes([Mute(rule=name)])), "zeek-tsv", [exchange]) == []
    assert found(watched(name, allowed=f"www.example.com\n{ABROAD}\n"), "zeek-tsv", [exchange]) == []


def test_state_is_bounded_in_a_storm() -> None:
    machine = watched(_SINKHOLE)
    storm = [Exchange("/", host=f"a{number}.example.com", marks={"server": "sinkhole"}) for number in range(40_000)]
    found(machine, "zeek-tsv", storm)
    assert machine.heuristics is not None
    assert 0 < machine.heuristics.held()[_SINKHOLE] <= 30_002
