"""Hosts that fail to log in as many users, or at many hosts."""

from dataclasses import replace

import pytest

from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.heuristics.attempts import FORMATS, SHOWN, Attempt, failures, found
from tests.matchers.heuristics.questions import watched, watched_by
from trailhound.severity import Severity

_NAME = "password-spraying"
_NAMED = [
    pair for pair in SHOWN if pair[1] in ("ntlm", "kerberos") or pair in (("zeek-tsv", "ftp"), ("zeek-json", "ftp"))
]


def _users(log: str, number: int, step: float = 300) -> list[Attempt]:
    return [replace(one, user=f"user{place}") for place, one in enumerate(failures(log, number, step=step))]


def _hosts(log: str, number: int) -> list[Attempt]:
    return [replace(one, target=f"10.0.1.{place}") for place, one in enumerate(failures(log, number))]


@pytest.mark.parametrize(("format_", "log"), _NAMED)
def test_many_users_are_one_event(format_: str, log: str) -> None:
    (event,) = found(watched(_NAME), format_, _users(log, 9))
    assert "failed to log in as 9 users" in event.message
    assert (event.severity, event.count) == (Severity.MEDIUM, 9)
    assert event.ecs["threat.technique.id"] == ["T1110.003"]


@pytest.mark.parametrize(("format_", "log"), [pair for pair in SHOWN if pair[1] != "rdp"])
def test_many_hosts_are_one_event(format_: str, log: str) -> None:
    (event,) = found(watched(_NAME), format_, _hosts(log, 9))
    assert "failed to log in at 9 hosts" in event.message


@pytest.mark.parametrize("format_", FORMATS)
def test_near_misses_are_silent(format_: str) -> None:
    one_user = [replace(one, user=f"JDOE@{place}") for place, one in enumerate(failures("ntlm", 60))]
    good = [replace(one, is_good=True) for one in _users("ntlm", 60)]
    for attempts in (_users("ntlm", 8), _hosts("ntlm", 8), _users("ntlm", 60, step=460), one_user, good):
        assert found(watched(_NAME), format_, attempts) == []
    assert found(watched(_NAME), format_, _hosts("rdp", 60)) == []


def test_what_is_whitelisted_or_muted_is_silent() -> None:
    assert found(watched(_NAME, allowed="10.0.0.7\n"), "zeek-tsv", _users("ntlm", 9)) == []
    assert found(watched(_NAME, muted=Mutes([Mute(rule=_NAME)])), "zeek-tsv", _users("ntlm", 9)) == []


def test_thresholds_are_the_sites() -> None:
    assert len(found(watched_by({_NAME: {"users": 3}}), "zeek-tsv", _users("ntlm", 4))) == 1


def test_state_is_bounded_in_a_storm() -> None:
    machine = watched(_NAME)
    storm = [
        Attempt("ntlm", place / 1000, f"10.{place % 250}.{place // 250}.1", user=f"u{place % 11}")
        for place in range(30_000)
    ]
    found(machine, "zeek-tsv", storm)
    assert machine.heuristics is not None
    assert 0 < machine.heuristics.held()[_NAME] <= 400_000
