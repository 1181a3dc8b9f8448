"""What signals do to a process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
BODY = """
import sys, threading, time
from trailhound.commands.signals import on_signals

stopped = threading.Event()

def slow():
    print("renewing", flush=True)
    time.sleep(3600)

with on_signals(stop=stopped.set, renew=slow, stop_seconds=lambda: 0.5) as ended:
    print("ready", flush=True)
    stopped.wait()
    {then}
    ended.set()
print("ended", flush=True)
"""


def begin(then: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", BODY.format(then=then)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_who_stops_in_time_ends_well() -> None:
    with begin("pass") as process:
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[0].splitlines()[-1] == "ended"
    assert process.returncode == 0


def test_who_cannot_stop_is_ended_when_its_time_is_over() -> None:
    with begin("time.sleep(3600)") as process:
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        out = process.communicate(timeout=30)[0]
        assert time.monotonic() - begun >= 0.5
    assert process.returncode == 1
    assert "it is read again at the next start" in out
    assert "ended" not in out.splitlines()


def test_a_stop_does_not_wait_for_a_renewal() -> None:
    with begin("pass") as process:
        process.send_signal(signal.SIGHUP)
        assert process.stdout is not None
        assert process.stdout.readline() == "renewing\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[0].splitlines()[-1] == "ended"
    assert process.returncode == 0


def test_a_terminal_that_is_closed_is_a_stop_and_one_that_is_open_is_not() -> None:
    ours, theirs = os.openpty()
    with begin("pass", stdin=theirs) as process:
        os.close(theirs)
        process.send_signal(signal.SIGHUP)
        assert process.stdout is not None
        assert process.stdout.readline() == "renewing\n"
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        assert process.communicate(timeout=30)[0].splitlines()[-1] == "ended"
    assert process.returncode == 0


def test_after_the_body_has_stopped_its_end_may_take_longer() -> None:
    with begin("ended.set(); time.sleep(1)") as process:
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[0].splitlines()[-1] == "ended"
    assert process.returncode == 0
