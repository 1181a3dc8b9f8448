"""`trailhound run` as a service manager sees it: real processes, a real socket."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import PATIENCE, Installation, Process, eventually
from tests.e2e.places import fill, small_disk
from tests.ingest.living import append, header, name, row, rows

Start = Callable[..., Process]


class Manager:
    """Listens as systemd does."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.said: list[str] = []

    def hears(self, line: str) -> None:
        """Wait for a line that begins like this; forget what was said up to it."""
        end = time.monotonic() + PATIENCE
        while not any(said.startswith(line) for said in self.said):
            assert time.monotonic() < end, f"{line} was not said"
            self.said += self._listening.recv(4096).decode().split("\n")
        at = next(at for at, said in enumerate(self.said) if said.startswith(line))
        del self.said[: at + 1]


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "60000000")
        yield Manager(listening)


@pytest.fixture
def config(installation: Installation) -> Path:
    """Settings in a file, with what a run on the command line has."""
    path = installation.root / "service.toml"
    path.write_text(
        f'state_dir = "{installation.state}"\n'
        f'[trails]\nfiles = ["{installation.trails}"]\nwhitelist = ["{installation.root}/mine.txt"]\n'
        "[api]\nport = 0\n"
        f'[[logs.folders]]\npath = "{installation.logs}"\nsensor = "dmz"\n',
        "utf-8",
    )
    (installation.root / "mine.txt").write_text("", "utf-8")
    return path


def test_the_service_manager_hears_of_every_state(
    installation: Installation, start: Start, manager: Manager, config: Path
) -> None:
    append(installation.log, header() + rows(range(3)))
    process = start("run", "--config", config)
    manager.hears("READY=1")
    manager.hears("STATUS=1 logs followed, 0 bytes unread")
    manager.hears("WATCHDOG=1")
    process.popen.send_signal(signal.SIGHUP)
    manager.hears("RELOADING=1")
    manager.hears("MONOTONIC_USEC=")
    manager.hears("READY=1")
    process.popen.send_signal(signal.SIGTERM)
    manager.hears("STOPPING=1")
    assert process.popen.wait(PATIENCE) == 0


def test_at_a_hangup_settings_trails_and_whitelist_are_taken_up(
    installation: Installation, start: Start, config: Path
) -> None:
    append(installation.log, header())
    process = start("run", "--config", config)
    assert process.answers()
    more = installation.root / "more"
    more.mkdir()
    (installation.root / "whitelist.txt").write_text(f"{name(0)}\n", "utf-8")
    text = config.read_text("utf-8").replace("mine.txt", "whitelist.txt").replace("port = 0", "port = 1")
    config.write_text(f'{text}[[logs.folders]]\npath = "{more}"\nsensor = "branch"\n', "utf-8")
    process.popen.send_signal(signal.SIGHUP)
    eventually(lambda: "settings taken up" in process.said)
    assert "logs.folders" in process.said
    assert "this change needs a restart" in process.said
    append(installation.log, row(0) + row(1))
    append(more / "dns.log", header(1) + row(2))
    eventually(lambda: process.trails() == {name(1): 1, name(2): 1})
    eventually(lambda: not process.ask(f"/api/v1/trails/check?value={name(0)}")["results"][0]["found"])
    assert process.end() == 0


def test_settings_that_are_wrong_leave_the_old_ones_in_force(
    installation: Installation, start: Start, config: Path
) -> None:
    append(installation.log, header())
    process = start("run", "--config", config)
    assert process.answers()
    config.write_text("[logs]\nfolder = 1\n", "utf-8")
    process.popen.send_signal(signal.SIGHUP)
    eventually(lambda: "the settings in force stay in force" in process.said)
    assert "logs.folder" in process.said
    append(installation.log, row(0))
    eventually(lambda: process.trails() == {name(0): 1})
    assert process.end() == 0


def test_serve_takes_a_hangup_too(installation: Installation, start: Start, config: Path) -> None:
    append(installation.log, header() + row(0))
    process = start("run", "--config", config)
    eventually(lambda: len(process.trails()) == 1)
    assert process.end() == 0
    server = start("serve", "--config", config)
    assert len(server.trails()) == 1
    (installation.root / "mine.txt").write_text(f"{name(0)}\n", "utf-8")
    server.popen.send_signal(signal.SIGHUP)
    eventually(lambda: "settings taken up" in server.said)
    eventually(lambda: not server.ask(f"/api/v1/trails/check?value={name(0)}")["results"][0]["found"])
    assert server.end() == 0


def test_a_full_disk_is_said_by_health_though_the_store_cannot_say_it(
    installation: Installation, start: Start, config: Path
) -> None:
    with small_disk(installation.root / "disk", megabytes=8) as disk:
        config.write_text(config.read_text("utf-8").replace(str(installation.state), str(disk)), "utf-8")
        append(installation.log, header() + row(0))
        process = start("run", "--config", config)
        eventually(lambda: process.trails() == {name(0): 1})
        ballast = fill(disk)
        append(installation.log, rows(range(1, 400)))
        eventually(lambda: "reading has stopped" in str(process.health()["reasons"]))
        ballast.unlink()
        eventually(lambda: process.health()["status"] == "ok")
        eventually(lambda: len(process.trails()) == 400)
        assert process.end() == 0
