"""Sending as `trailhound run` does it: real processes, real receivers, killed and hung."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, Process, eventually
from tests.ingest.living import append, header, name, row
from tests.sending.receivers import Hook, hooking, receiving

Start = Callable[..., Process]


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooking() as opened:
        yield opened


def trails(hook: Hook) -> list[str]:
    return [json.loads(posted.body)["event"]["trailhound"]["trail"] for posted in hook.posts]


def run_of(installation: Installation, settings: str) -> list[object]:
    """Give the arguments of a run whose settings say more; the age of the logs of these tests does not matter."""
    config = installation.root / "trailhound.toml"
    config.write_text(f"[send]\nmax_age_hours = 87600\n{settings}")
    return [*installation.run, "--config", config]


def webhook(url: str, name_: str = "soc") -> str:
    return f'[send.webhooks.{name_}]\nurl = "{url}"\n'


def sender_of(process: Process) -> int | None:
    """Find the process that sends: one that a thread has started, and that has the outbox open."""
    for folder in Path(f"/proc/{process.popen.pid}/task").iterdir():
        if folder.name == str(process.popen.pid):
            continue
        with suppress(OSError):
            for child in (folder / "children").read_text("ascii").split():
                opened = [entry.readlink().name for entry in Path(f"/proc/{child}/fd").iterdir()]
                if "outbox.sqlite" in opened:
                    return int(child)
    return None


def test_what_is_found_arrives_within_seconds(installation: Installation, start: Start, hook: Hook) -> None:
    append(installation.log, header())
    process = start(*run_of(installation, webhook(hook.url)))
    assert process.answers()
    eventually(lambda: process.ask("/api/v1/outbox")["targets"])
    begun = time.monotonic()
    append(installation.log, row(1))
    eventually(lambda: trails(hook) == [name(1)])
    print(f"from line to webhook: {time.monotonic() - begun:.2f} s")  # noqa: T201 - for `pytest -s`
    (target,) = process.ask("/api/v1/outbox")["targets"]
    assert (target["name"], target["problem"]) == ("soc", "")
    assert process.end() == 0


def test_a_dead_target_holds_up_neither_detection_nor_other_targets(
    installation: Installation, start: Start, hook: Hook
) -> None:
    with receiving(reads=False) as hung:
        settings = (
            webhook(hook.url)
            + webhook("http://127.0.0.1:9/", "dead")
            + f'[send.syslog.hung]\nhost = "127.0.0.1"\nport = {hung.port}\nform = "json"\n'
        )
        append(installation.log, header())
        process = start(*run_of(installation, settings))
        assert process.answers()
        eventually(lambda: process.ask("/api/v1/outbox")["targets"])
        for number in range(20):
            append(installation.log, row(number))
        wanted = {name(number) for number in range(20)}
        eventually(lambda: set(process.trails()) == wanted)
        eventually(lambda: set(trails(hook)) == wanted)
        targets = {one["name"]: one for one in process.ask("/api/v1/outbox")["targets"]}
        assert targets["dead"]["waiting"] == 20
        assert "cannot be reached" in targets["dead"]["problem"]
        assert process.end() == 0


def test_nothing_is_lost_when_processes_and_targets_are_killed(installation: Installation, start: Start) -> None:
    append(installation.log, header())
    with hooking() as first:
        settings = webhook(first.url)
        process = start(*run_of(installation, settings))
        assert process.answers()
        eventually(lambda: process.ask("/api/v1/outbox")["targets"])
        append(installation.log, row(1))
        eventually(lambda: trails(first) == [name(1)])
    append(installation.log, row(2))
    eventually(lambda: name(2) in process.trails())
    eventually(lambda: process.ask("/api/v1/outbox")["targets"][0]["failures"])
    process.kill()
    append(installation.log, row(3))
    with hooking(first.port) as again:
        process = start(*run_of(installation, settings))
        eventually(lambda: {name(2), name(3)} <= set(trails(again)))
        assert name(1) not in trails(again), "what was delivered is not sent again"
        process.end()


def test_a_sender_that_was_killed_is_started_again(installation: Installation, start: Start, hook: Hook) -> None:
    append(installation.log, header())
    process = start(*run_of(installation, webhook(hook.url)))
    assert process.answers()
    eventually(lambda: sender_of(process) is not None)
    killed = sender_of(process)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    append(installation.log, row(1))
    eventually(lambda: trails(hook) == [name(1)])
    assert sender_of(process) not in (None, killed)
    assert "sending ended by itself; starting it again" in process.said
    assert process.end() == 0


def test_a_sender_ends_with_the_process_that_started_it(installation: Installation, start: Start, hook: Hook) -> None:
    append(installation.log, header())
    process = start(*run_of(installation, webhook(hook.url)))
    assert process.answers()
    eventually(lambda: sender_of(process) is not None)
    sender = sender_of(process)
    process.popen.kill()
    eventually(lambda: not Path(f"/proc/{sender}").exists())


def test_targets_are_added_changed_and_removed_at_a_hangup(
    installation: Installation, start: Start, hook: Hook
) -> None:
    def names() -> list[str]:
        return [one["name"] for one in process.ask("/api/v1/outbox")["targets"]]

    def hang_up(settings: str, *targets: str) -> None:
        run_of(installation, settings)
        process.popen.send_signal(signal.SIGHUP)
        eventually(lambda: names() == list(targets))

    append(installation.log, header())
    process = start(*run_of(installation, webhook(hook.url) + webhook("http://127.0.0.1:9/", "dead")))
    assert process.answers()
    eventually(lambda: names() == ["soc", "dead"])
    append(installation.log, row(1))
    eventually(lambda: trails(hook) == [name(1)])
    eventually(lambda: process.ask("/api/v1/outbox")["targets"][1]["failures"])
    with hooking() as moved, hooking() as added:
        hang_up(webhook(moved.url) + webhook(added.url, "added"), "soc", "added")
        append(installation.log, row(2))
        eventually(lambda: trails(moved) == trails(added) == [name(2)])
        assert trails(hook) == [name(1)], "the address of before is sent nothing more"
        assert "dead is no target any more: 1 events that waited for it are dropped" in process.said
        hang_up("")
        eventually(lambda: sender_of(process) is None)
        append(installation.log, row(3))
        eventually(lambda: name(3) in process.trails())
        hang_up(webhook(moved.url), "soc")
        append(installation.log, row(4))
        eventually(lambda: trails(moved) == [name(2), name(4)])
        assert trails(added) == [name(2)]
    assert process.end() == 0


def test_of_two_processes_on_one_state_directory_one_sends(
    installation: Installation, start: Start, hook: Hook
) -> None:
    append(installation.log, header())
    process = start(*run_of(installation, webhook(hook.url)))
    assert process.answers()
    config = installation.root / "trailhound.toml"
    second = start("serve", "--state", installation.state, "--config", config, "--port", "0")
    assert second.answers()
    append(installation.log, row(1))
    eventually(lambda: trails(hook) == [name(1)])
    process.end()
    eventually(lambda: sender_of(second) is not None)
    assert second.end() == 0
    assert trails(hook) == [name(1)]
