"""`trailhound events`, on a store that is written to meanwhile, and through the API of another Trailhound."""

import csv
import io
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from api.access.accounts import Accounts
from api.access.people import Key
from api.access.principal import Scope
from api.export import COLUMNS
from api.moments import wall_clock
from api.serve import serve
from stores.contract import Store
from stores.embedded import open_embedded
from tests.api.trails import DictLookup
from tests.commands.conftest import Ran, Trailhound
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from trailhound.record import MICROSECONDS
from trailhound.settings import Api, Settings

ATTACKER = "45.155.205.233"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "state").mkdir()
    return Settings(state_dir=tmp_path / "state", api=Api(port=0))


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """Hold the store for writing, as `trailhound run` does."""
    opened = open_embedded(settings.store_path)
    opened.append([make_event(identity=str(number), start=START + number * HOUR) for number in range(3)])
    opened.append([make_attack(start=START + 3 * HOUR, count=1234)])
    yield opened
    opened.close()


@pytest.fixture
def key(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    secret, _ = Accounts(settings.state_dir / "accounts.sqlite").add_key(Key("", "soc", frozenset({Scope.READ})))
    monkeypatch.setenv("SOC_KEY", secret)
    return "SOC_KEY"


@pytest.fixture
def server(settings: Settings, store: Store) -> Iterator[str]:
    stop, urls = threading.Event(), SimpleQueue[str]()
    arguments = {"ready": urls.put, "stop": stop}
    thread = threading.Thread(target=serve, args=(settings, store, DictLookup([])), kwargs=arguments, daemon=True)
    thread.start()
    try:
        yield urls.get(timeout=20)
    finally:
        stop.set()
        thread.join(timeout=20)


def found(trailhound: Trailhound, settings: Settings, *arguments: object) -> list[dict[str, Any]]:
    ran = trailhound("events", "--json", "--state", settings.state_dir, *arguments)
    assert ran.status == 0, ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


def starts(documents: list[dict[str, Any]]) -> list[int]:
    return [int(document["@timestamp"][11:13]) for document in documents]


def refused(ran: Ran, *words: str) -> None:
    assert ran.status == 2
    assert ran.out == ""
    assert [word for word in words if word not in ran.err] == []
    assert "Traceback" not in ran.err


def test_events_are_found_beside_whoever_writes_them(trailhound: Trailhound, settings: Settings, store: Store) -> None:
    assert starts(found(trailhound, settings)) == [3, 2, 1, 0]
    assert starts(found(trailhound, settings, "--sort", "oldest", "--limit", 2)) == [0, 1]
    assert starts(found(trailhound, settings, "--sort", "ingested")) == [0, 1, 2, 3]
    assert starts(found(trailhound, settings, "--since", "2025-10-01T01:00:00Z", "--until", "2025-10-01T03:00Z")) == [
        2,
        1,
    ]


def test_a_search_is_that_of_the_console(trailhound: Trailhound, settings: Settings, store: Store) -> None:
    assert starts(found(trailhound, settings, f"src:{ATTACKER}")) == [3]
    assert starts(found(trailhound, settings, "dir:outbound", "class:c2", "--limit", 1)) == [2]
    assert starts(found(trailhound, settings, "--", f"-src:{ATTACKER}")) == [2, 1, 0]
    assert starts(found(trailhound, settings, "status:resolved")) == []
    refused(trailhound("events", "(sev:high", "--state", settings.state_dir), "a parenthesis is not closed")


def test_people_get_a_table_and_are_told_of_more(trailhound: Trailhound, settings: Settings, store: Store) -> None:
    ran = trailhound("events", "--state", settings.state_dir, "--limit", 2)
    assert ran.status == 0
    heading, first, *_ = ran.out.splitlines()
    assert heading.split() == ["time", "severity", "source", "destination", "trail", "info", "class", "sensor", "count"]
    assert first.startswith("2025-10-01T03:00:00")
    assert ATTACKER in first
    assert first.rstrip().endswith("1234")
    assert "2 events are shown, and there may be more" in ran.err
    assert "more" not in trailhound("events", "--state", settings.state_dir).err
    none = trailhound("events", "--state", settings.state_dir, "info:nothing")
    assert (none.status, none.out) == (0, "")
    assert "there are no such events" in none.err


def test_what_was_logged_gives_no_command_to_the_terminal(
    trailhound: Trailhound, settings: Settings, store: Store
) -> None:
    trail = make_trail(value="evil.example\x1b]0;owned\x07", info="\x1b[2J[red]not markup[/red]")
    store.append([make_event(identity="hostile", trail=trail, sensor="a\nb", start=START + 9 * HOUR)])
    ran = trailhound("events", "--state", settings.state_dir, "--limit", 1)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", ran.out)
    assert "[red]not markup[/red]" in ran.out
    assert "\\x1b]0;owned" in ran.out


def test_csv_is_that_of_the_export(trailhound: Trailhound, settings: Settings, store: Store) -> None:
    ran = trailhound("events", "--csv", "--state", settings.state_dir, "--sort", "oldest")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["count"] for row in rows] == ["1", "1", "1", "1234"]
    assert trailhound("events", "--csv", "--state", settings.state_dir, "info:nothing").out.count("\n") == 1


def test_many_events_come_page_by_page(trailhound: Trailhound, settings: Settings, store: Store) -> None:
    store.append([make_event(identity=f"m{number}", start=START + 5 * HOUR) for number in range(1203)])
    assert len({one["event"]["id"] for one in found(trailhound, settings)}) == 1207
    assert len(found(trailhound, settings, "--limit", 1001)) == 1001


def test_what_cannot_be_asked_is_refused_in_one_sentence(
    trailhound: Trailhound, settings: Settings, store: Store
) -> None:
    def ran(*arguments: object) -> Ran:
        return trailhound("events", "--state", settings.state_dir, *arguments)

    refused(ran("--since", "yesterday"), "--since", "'yesterday' is not ISO 8601")
    refused(ran("--since", "1h", "--until", "2h"), "is not before --until")
    refused(ran("--json", "--csv"), "--json and --csv")
    refused(ran("--follow", "--sort", "oldest"), "--follow")
    refused(ran("--follow", "--until", "1h"), "--follow")
    refused(ran("--key", "SOC_KEY"), "--server")
    refused(ran("--server", "ftp://nowhere"), "ftp://nowhere")
    refused(ran("--server", "http://127.0.0.1:1"), "http://127.0.0.1:1")
    refused(ran("--server", "http://127.0.0.1:1", "--key", "NOT_THERE"), "the secret NOT_THERE is missing")
    refused(trailhound("events", "--state", settings.state_dir / "none"), "there is no store yet")


def test_another_trailhound_gives_the_same(
    trailhound: Trailhound, settings: Settings, server: str, key: str, store: Store
) -> None:
    for asked in (
        (),
        ("--sort", "oldest", "--limit", 2),
        ("dir:outbound",),
        ("--since", "2025-10-01T01:00:00Z", "--sort", "ingested"),
    ):
        there = found(trailhound, settings, "--server", server, "--key", key, *asked)
        assert there == found(trailhound, settings, *asked)
        assert there
    refused(trailhound("events", "--server", server, "--state", settings.state_dir), "401")


def _follow(settings: Settings, *arguments: str) -> "subprocess.Popen[str]":
    command = (sys.executable, "-m", "trailhound", "events", "--follow", "--json", "--state", str(settings.state_dir))
    return subprocess.Popen((*command, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _line(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


@pytest.mark.parametrize("remote", [False, True])
def test_a_process_follows_what_arrives(
    settings: Settings, server: str, key: str, store: Store, *, remote: bool
) -> None:
    now = wall_clock()
    store.append([make_event(identity="before", start=now - 60 * MICROSECONDS, sensor="first")])
    there = ("--server", server, "--key", key) if remote else ()
    process = _follow(settings, "dir:outbound", "--limit", "4", *there)
    try:
        assert _line(process)["observer"]["name"] == "first"
        store.append([make_event(identity="live", start=now, sensor="second")])
        assert _line(process)["observer"]["name"] == "second"
        store.append(
            [
                make_event(identity="late", start=now - 300 * MICROSECONDS, sensor="third"),
                make_attack(start=now),
                make_event(identity="last", start=now, sensor="fourth"),
            ]
        )
        assert [_line(process)["observer"]["name"] for _ in range(2)] == ["third", "fourth"]
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.communicate()
