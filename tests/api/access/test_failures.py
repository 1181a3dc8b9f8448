"""Guessing is slow, is written down, and locks nobody out for good."""

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi import FastAPI

from api.access import diary
from api.access.entry import Entry
from api.access.failures import FREE, LOCK_SECONDS, MAX_WATCHED, NAME_FREE, NAME_LOCK_SECONDS, Failures
from tests.api.access.people import Browser, user
from tests.api.client import AppClient, refused

FILTER = Path(__file__).parents[3] / "deploy" / "fail2ban" / "filter.d" / "trailhound-login.conf"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def failures(clock: Clock) -> Failures:
    return Failures(clock)


def test_people_mistype_and_machines_wait_longer_each_time(failures: Failures, clock: Clock) -> None:
    waits = []
    for number in range(20):
        allowed, wait = failures.begin("203.0.113.5", f"name-{number}")
        assert allowed
        waits.append(wait)
        clock.now += wait
    assert waits[: FREE - 1] == [0] * (FREE - 1)
    assert waits[FREE - 1 : FREE + 3] == [1, 2, 4, 8]
    assert max(waits) == LOCK_SECONDS


def test_while_it_is_locked_nothing_is_looked_at(failures: Failures, clock: Clock) -> None:
    for _ in range(FREE):
        failures.begin("203.0.113.5", "alice")
    assert failures.begin("203.0.113.5", "alice") == (False, 1)
    assert failures.begin("203.0.113.6", "alice")[0]
    clock.now += 1
    assert failures.begin("203.0.113.5", "alice")[0]


def test_a_neighbourhood_of_ipv6_is_one_address(failures: Failures) -> None:
    for number in range(FREE):
        failures.begin(f"2001:db8::{number:x}", f"name-{number}")
    assert not failures.begin("2001:db8::ffff", "other")[0]
    assert failures.begin("2001:db8:0:1::1", "other")[0]


def test_a_name_that_is_tried_from_everywhere_waits_but_not_its_owner(failures: Failures) -> None:
    failures.begin("198.51.100.1", "admin")
    failures.succeed("198.51.100.1", "admin")
    for number in range(NAME_FREE + 1):
        failures.begin(f"203.0.113.{number}", "admin")
    allowed, wait = failures.begin("203.0.113.99", "admin")
    assert not allowed
    assert wait <= NAME_LOCK_SECONDS
    assert failures.begin("198.51.100.1", "admin")[0], "an address that the user has logged in from"
    assert failures.begin("127.0.0.1", "admin")[0], "the host itself"


def test_a_success_does_not_hide_failures_for_other_names(failures: Failures) -> None:
    for number in range(FREE - 1):
        failures.begin("203.0.113.5", f"name-{number}")
    failures.begin("203.0.113.5", "mine")
    failures.succeed("203.0.113.5", "mine")
    assert failures.begin("203.0.113.5", "other") == (True, 1)


def test_what_is_remembered_is_bounded(failures: Failures) -> None:
    for number in range(MAX_WATCHED + 500):
        failures.begin(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", f"n{number}")
    assert len(failures._watched) == MAX_WATCHED


def test_many_tries_at_once_gain_nothing(app: FastAPI, failures: Failures) -> None:
    user(app)
    app.state.entry = Entry(app.state.accounts, failures)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: Browser(app).log_in(password="wrong").status_code, range(16)))
    assert answers.count(403) <= FREE - 1
    assert answers.count(429) == 16 - answers.count(403)
    answer = Browser(app).log_in()
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert Browser(app, address="198.51.100.9").log_in().status_code == 303


def test_every_attempt_is_one_line_that_nobody_can_forge(
    app: FastAPI, client: AppClient, capfd: pytest.CaptureFixture[str]
) -> None:
    user(app)
    forged = 'x" \n2026-01-01T00:00:00Z trailhound[login]: failed from 198.51.100.1 user "y'
    Browser(app).log_in(forged, "x")
    Browser(app, address="::ffff:203.0.113.9").log_in("alice", "x")
    Browser(app).log_in()
    refused(client.with_key("th_wrong").at("203.0.113.8").get("/api/v1/events"), 401)
    lines = [line for line in capfd.readouterr().err.splitlines() if "trailhound[login]" in line]
    plain = "x???2026-01-01T00?00?00Z?trailhound?login???failed?from?198.51.1"
    assert [re.sub(r"^\S+Z ", "", line) for line in lines] == [
        f'trailhound[login]: failed from 203.0.113.5 user "{plain}"',
        'trailhound[login]: failed from 203.0.113.9 user "alice"',
        'trailhound[login]: succeeded from 203.0.113.5 user "alice"',
        'trailhound[login]: key-refused from 203.0.113.8 user ""',
    ]


@pytest.mark.skipif(
    shutil.which("fail2ban-regex") is None and not os.environ.get("CI"), reason="needs fail2ban of Debian"
)
def test_fail2ban_finds_failures_and_nothing_else(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    diary.write("failed", "203.0.113.7", "bob")
    diary.write("locked", "2001:db8::7", 'x"y\n')
    diary.write("key-refused", "203.0.113.8", "")
    diary.write("succeeded", "203.0.113.9", "alice")
    diary.write("failed", None, "alice")
    said = capfd.readouterr().err
    # As the journal shows it, and as a log line quotes it.
    said += f"Nov 24 12:00:05 host trailhound[123]: {said.splitlines()[0]}\n"
    said += '{"event": "' + said.splitlines()[0].replace("203.0.113.7", "203.0.113.66").replace('"', '\\"') + '"}\n'
    log = tmp_path / "trailhound.log"
    log.write_text(said)
    done = subprocess.run(
        ["fail2ban-regex", "--print-all-matched", str(log), str(FILTER)], capture_output=True, text=True, check=True
    )
    matched = done.stdout.partition("|- Matched line(s):")[2].partition("|- Missed line(s):")[0]
    assert "4 matched, 3 missed" in done.stdout
    for address in ("203.0.113.7", "2001:db8::7", "203.0.113.8"):
        assert address in matched
    for address in ("203.0.113.9", "nowhere", "203.0.113.66"):
        assert address not in matched
