"""Clients that ask in vain for names that look generated."""

import ipaddress

import pytest

from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.heuristics.questions import FORMATS, Question, denied, found, watched, watched_by
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_NAME = "generated-name"
_GENERATED = ["xkqzjvwpt.com", "www.qwfpzxcvbk.net", "hjdkzxqwrv.co.uk", "bqzxjkvwnmr.org"]


@pytest.mark.parametrize("format_", FORMATS)
def test_several_generated_names_are_one_event_about_the_client(format_: str) -> None:
    (event,) = found(watched(_NAME), format_, denied(_GENERATED))
    assert (event.source_ip, event.trail.kind, event.trail.value) == ("10.0.0.7", TrailKind.RULE, _NAME)
    assert event.message == (
        "10.0.0.7 asked in vain for 4 names that look generated, of late xkqzjvwpt.com, qwfpzxcvbk.net,"
        " hjdkzxqwrv.co.uk, bqzxjkvwnmr.org: generated names: no such domain"
    )
    assert (event.severity, event.ecs["threat.technique.id"]) == (Severity.MEDIUM, ["T1568.002"])


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "questions",
    [
        denied(_GENERATED[:3]),
        denied([f"{label}.xkqzjvwpt.com" for label in ("a", "b", "c", "d", "e")]),
        [Question(name, place) for place, name in enumerate(_GENERATED)],
        denied(_GENERATED, step=2000),
        denied(["wikipedia.org", "stackoverflow.com", "frankfurter-allgemeine.de", "telegraaf.nl", "lemonde.fr"]),
        denied(["ibm.com", "hp.com", "nhk.jp", "zdf.de", "qq.com", "bbc.co.uk"]),
        denied(["xn--80ak6aa92e.com", "xn--e1awd7f.com", "xn--fiqs8s.com", "xn--p1b6ci4b4b3a.com"]),
        denied([f"{label}.corp" for label in ("xkqzjvwpt", "qwfpzxcvbk", "hjdkzxqwrv", "bqzxjkvwnmr")]),
        denied(["xkqzjvwpt", "qwfpzxcvbk", "hjdkzxqwrv", "bqzxjkvwnmr"]),
        denied([f"{label}.cloudfront.net" for label in ("xkqzjvwpt", "qwfpzxcvbk", "hjdkzxqwrv", "bqzxjkvwnmr")]),
    ],
    ids=[
        "one less",
        "one zone",
        "they exist",
        "slower than the window",
        "words",
        "abbreviations",
        "scripts",
        "local",
        "browsers that probe",
        "content network",
    ],
)
def test_near_misses_are_silent(format_: str, questions: list[Question]) -> None:
    assert found(watched(_NAME), format_, questions) == []


def test_two_sensors_that_see_one_client_count_its_names_once() -> None:
    machine = watched(_NAME)
    assert found(machine, "zeek-tsv", denied(_GENERATED[:2])) == []
    assert found(machine, "eve", denied(_GENERATED[:2])) == []
    assert len(found(machine, "zeek-tsv", denied(_GENERATED[2:], start=60))) == 1


def test_what_is_muted_is_silent() -> None:
    mute = Mute(rule=_NAME, source=ipaddress.ip_network("10.0.0.7/32"))
    assert found(watched(_NAME, muted=Mutes([mute])), "zeek-tsv", denied(_GENERATED)) == []
    assert len(found(watched(_NAME, muted=Mutes([mute])), "zeek-tsv", denied(_GENERATED, "10.0.0.8"))) == 1


def test_thresholds_are_the_sites() -> None:
    assert len(found(watched_by({_NAME: {"names": 2}}), "zeek-tsv", denied(_GENERATED[:2]))) == 1
    assert found(watched_by({_NAME: {"letters": -100}}), "zeek-tsv", denied(_GENERATED)) == []
