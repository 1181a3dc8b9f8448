"""Signs of life to the service manager, by a real socket."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trailhound.notify import Notify


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "60000000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        yield listening


def heard(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().split("\n")


def silent(manager: socket.socket) -> bool:
    manager.settimeout(0)
    try:
        manager.recv(4096)
    except BlockingIOError:
        return True
    return False


def test_every_state_is_told(manager: socket.socket) -> None:
    notify = Notify()
    notify.ready()
    assert heard(manager) == ["READY=1"]
    notify.alive("2 logs")
    assert heard(manager) == ["WATCHDOG=1", "STATUS=2 logs"]
    notify.alive("2 logs")
    assert heard(manager) == ["WATCHDOG=1"]
    notify.reloading()
    reloading, moment = heard(manager)
    assert reloading == "RELOADING=1"
    assert moment.removeprefix("MONOTONIC_USEC=").isdecimal()
    notify.stopping()
    assert heard(manager) == ["STOPPING=1"]


def test_a_status_cannot_hold_another_message(manager: socket.socket) -> None:
    Notify().alive("a\nSTOPPING=1")
    assert heard(manager) == ["WATCHDOG=1", "STATUS=a STOPPING=1"]


def test_without_a_watchdog_only_news_is_told(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC")
    notify = Notify()
    notify.alive("2 logs")
    notify.alive("2 logs")
    assert heard(manager) == ["STATUS=2 logs"]
    assert silent(manager)


def test_the_watchdog_of_another_process_is_not_ours(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_PID", "1")
    Notify().alive("2 logs")
    assert heard(manager) == ["STATUS=2 logs"]


def test_processes_that_are_started_cannot_talk_for_us(manager: socket.socket) -> None:
    Notify()
    code = "import os; print(sorted(name for name in os.environ if name.startswith(('NOTIFY', 'WATCHDOG'))))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"[]"


def test_an_abstract_address_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0trailhound-test-{os.getpid()}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@trailhound-test-{os.getpid()}")
        Notify().ready()
        assert heard(listening) == ["READY=1"]


@pytest.mark.parametrize("address", [None, "/no/such/socket", "", "x" * 500])
def test_nobody_who_listens_is_no_matter(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify = Notify()
    notify.ready()
    notify.alive("all is well")
    notify.stopping()
