"""Hosts that fail to log in at another again and again, and those that get in at last."""

import ipaddress
import random
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.formats import open_log
from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.build import matched
from tests.matchers.heuristics.attempts import FORMATS, SHOWN, Attempt, failures, found
from tests.matchers.heuristics.questions import watched, watched_by
from trailhound.event import Event
from trailhound.severity import Severity

_NAME = "password-guessing"
_OF_RDP = 31
_WORDS = {"ssh": "SSH", "rdp": "RDP", "ftp": "FTP", "ntlm": "NTLM", "kerberos": "Kerberos"}
_LOGGED = [pair for pair in SHOWN if pair[1] != "rdp"]


@pytest.mark.parametrize(("format_", "log"), _LOGGED)
def test_many_failures_at_one_host_are_one_event(format_: str, log: str) -> None:
    (event,) = found(watched(_NAME), format_, failures(log, 11))
    assert (
        event.message == f"10.0.0.7 failed to log in at 10.0.0.9 over {_WORDS[log]} 11 times in 10 s: password guessing"
    )
    assert (event.count, event.severity, event.trail.value) == (11, Severity.MEDIUM, _NAME)
    assert event.ecs["threat.technique.id"] == ["T1110.001"]


@pytest.mark.parametrize("format_", FORMATS)
def test_many_remote_desktops_are_told_with_less_certainty(format_: str) -> None:
    (event,) = found(watched(_NAME), format_, failures("rdp", _OF_RDP))
    assert event.message == "10.0.0.7 opened 31 connections over RDP to 10.0.0.9 in 30 s: password guessing"
    assert (event.severity, event.trail.confidence) == (Severity.LOW, 50)


@pytest.mark.parametrize(("format_", "log"), SHOWN)
def test_near_misses_are_silent(format_: str, log: str) -> None:
    many = 10 if log != "rdp" else _OF_RDP - 1
    at_many_hosts = [replace(one, target=f"10.0.1.{place % 7}") for place, one in enumerate(failures(log, 60))]
    slow = failures(log, 60, step=90)
    for attempts in (failures(log, many), at_many_hosts, slow):
        assert found(watched(_NAME), format_, attempts) == []
    if log != "rdp":
        undecided = [replace(one, is_good=None) for one in failures(log, 60)]
        good = [replace(one, is_good=True) for one in failures(log, 60)]
        assert found(watched(_NAME), format_, undecided) == []
        assert found(watched(_NAME), format_, good) == []


@pytest.mark.parametrize(("format_", "log"), _LOGGED)
def test_a_guess_that_was_right_is_told(format_: str, log: str) -> None:
    right = Attempt(log, 20, port=45_000, is_good=True)
    guessing, guessed = found(watched(_NAME), format_, [*failures(log, 12), right])
    assert guessing.severity is Severity.MEDIUM
    assert guessed.severity is Severity.HIGH
    assert guessed.trail.info == "password guessed"
    assert "after 12 failures" in guessed.message


@pytest.mark.parametrize("format_", FORMATS)
def test_who_else_logs_in_from_there_has_guessed_nothing(format_: str) -> None:
    another = Attempt("ntlm", 20, port=45_000, user="asmith", is_good=True)
    late = Attempt("ntlm", 1000, port=45_000, is_good=True)
    assert len(found(watched(_NAME), format_, [*failures("ntlm", 12), another, late])) == 1


def test_attempts_over_one_connection_count_each() -> None:
    attempts = [Attempt("ssh", place, port=40_000 + place, attempts=6) for place in range(2)]
    (event,) = found(watched(_NAME), "zeek-tsv", attempts)
    assert event.count == 11  # The last of the twelve came after the telling one.


def test_two_sensors_that_see_one_connection_count_it_once() -> None:
    machine = watched(_NAME)
    twice = [one for one in failures("ssh", 10) for _ in range(2)]
    assert found(machine, "zeek-tsv", twice) == []


def test_order_within_the_slack_makes_no_difference() -> None:
    attempts = failures("ssh", 11, step=20)
    random.Random(3).shuffle(attempts)
    assert len(found(watched(_NAME), "zeek-tsv", attempts)) == 1


def test_from_abroad_it_is_everyday_noise() -> None:
    (event,) = found(watched(_NAME), "zeek-json", failures("ssh", 11, source="192.0.2.66"))
    assert event.severity is Severity.LOW


def test_what_is_whitelisted_or_muted_is_silent() -> None:
    assert found(watched(_NAME, allowed="10.0.0.7\n"), "zeek-tsv", failures("ssh", 11)) == []
    network = ipaddress.ip_network("10.0.0.0/24")
    for mute in (Mute(rule=_NAME, source=network), Mute(below=80)):
        assert found(watched(_NAME, muted=Mutes([mute])), "zeek-tsv", failures("ssh", 11)) == []


def test_thresholds_are_the_sites() -> None:
    assert len(found(watched_by({_NAME: {"failures": 3}}), "zeek-tsv", failures("ssh", 4))) == 1


def test_state_is_bounded_in_a_storm() -> None:
    machine = watched(_NAME)
    storm = [
        Attempt("ssh", place / 1000, f"10.{place % 250}.{place // 250}.1", port=40_000 + place % 11)
        for place in range(30_000)
    ]
    found(machine, "zeek-tsv", storm)
    assert machine.heuristics is not None
    assert 0 < machine.heuristics.held()[_NAME] <= 200_000


def test_real_guessers_are_found_and_they_alone(corpus: Path) -> None:
    folder = corpus / "zeek_logs/activecm+rita/missing_host/2024-04-19"
    machine = watched(_NAME)
    events: list[Event] = []
    for path in sorted(folder.glob("ssh.*")):
        with open_log(path) as stream:
            events += matched(machine, "zeek-tsv", stream.read(), "ssh").events
    assert {event.destination_ip for event in events} == {"64.225.56.201"}  # Their honeypot.
    assert len({event.source_ip for event in events}) >= 8
