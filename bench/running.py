"""A real `trailhound run` on folders of its own, and what it takes of the machine."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.trails import Cost, compile_apart

_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 120.0


@dataclass(slots=True)
class Running:
    """A process that follows `logs`. `log` is what it says of itself."""

    process: subprocess.Popen[bytes]
    logs: Path
    state: Path
    log: Path
    url: str = ""

    @property
    def store(self) -> Path:
        return self.state / "events.sqlite"

    def pids(self) -> list[int]:
        """Give the process that reads logs and, behind it, the one that serves."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *(int(pid) for pid in children.split() if "spawn_main" in _command(int(pid)))]

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=60) as answer:
            return json.load(answer)

    def lag(self) -> int:
        return sum(sensor["lag_bytes"] for sensor in self.ask("/api/v1/sensors")["sensors"])

    def records(self) -> int:
        return sum(sensor["records"] for sensor in self.ask("/api/v1/sensors")["sensors"])


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def cpu_seconds(pid: int) -> float:
    """Give the CPU time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int) -> tuple[int, int]:
    """Give bytes of a process: resident, and private, which no other process could share."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if rest.endswith(" kB"):
            found[name] = int(rest.split()[0]) * 1024
    return found["Rss"], found["Private_Clean"] + found["Private_Dirty"]


def trail_set(folder: Path, trails: Path | None) -> tuple[Path, Cost]:
    """Compile a set of as many trails as Maltrail has, or of real ones."""
    path = folder / "trails.set"
    return path, compile_apart(path, trails)


@contextmanager
def running(folder: Path, set_path: Path, *, wait: bool = True, more: str = "") -> Iterator[Running]:
    """Start `trailhound run` in a folder, with `more` settings; it is stopped at the end, and must then end well."""
    logs, state, config, said = folder / "logs", folder / "state", folder / "trailhound.toml", folder / "said.txt"
    logs.mkdir(exist_ok=True)
    config.write_text(f'[api]\naccess = "open"\nrequests_per_minute = 0\n[trails]\nset = "{set_path}"\n{more}')
    arguments = ["run", str(logs), "--state", str(state), "--config", str(config), "--port", "0", "--sensor", "bench"]
    with said.open("wb") as stream:
        process = subprocess.Popen([sys.executable, "-m", "trailhound", *arguments], stdout=stream, stderr=stream)
    run = Running(process, logs, state, said)
    try:
        if wait:
            run.url = _url(run)
        yield run
        process.send_signal(signal.SIGTERM)
        if process.wait(60) != 0:
            raise ValueError(f"it did not end well: {said.read_text()}")
    finally:
        process.kill()
        process.wait()


def _url(run: Running) -> str:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and run.process.poll() is None:
        _, found, rest = run.log.read_text().partition("console and API on ")
        if found and "," in rest:
            return rest.partition(",")[0]
        time.sleep(0.005)
    raise ValueError(f"it does not serve: {run.log.read_text()}")
