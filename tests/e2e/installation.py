"""One installation: folders, and the processes that work in them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # Seconds; what is waited for comes much earlier, or never.
_URL = re.compile(r"console and API on (http://[^\s,]+)[\s,]")
_ROOT = Path(__file__).parents[2]


class Process:
    """A running `trailhound`, in a session of its own, with what it says in a file."""

    def __init__(self, command: list[str], said: Path, environment: dict[str, str]) -> None:
        self._said = said
        with said.open("wb") as stream:
            self.popen = subprocess.Popen(
                command, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
            )

    @property
    def said(self) -> str:
        return self._said.read_text("utf-8", "replace")

    @property
    def url(self) -> str:
        """Wait until it serves, and give its address."""
        eventually(lambda: _URL.search(self.said) or self.popen.poll() is not None)
        found = _URL.search(self.said)
        assert found, f"it does not serve: {self.said}"
        return found[1]

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=PATIENCE) as answer:
            return json.load(answer)

    def events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        query = "/api/v1/events?order=oldest&limit=1000"
        page = self.ask(query)
        events += page["events"]
        while page.get("next") and page["events"]:
            page = self.ask(f"{query}&cursor={page['next']}")
            events += page["events"]
        return events

    def trails(self) -> dict[str, int]:
        """Give the true count of each trail that it serves."""
        found: dict[str, int] = {}
        for event in self.events():
            facts = event["trailhound"]
            found[facts["trail"]] = found.get(facts["trail"], 0) + facts["count"]
        return found

    def health(self) -> Any:
        """Give what health says, be it good or bad."""
        try:
            return self.ask("/api/v1/health")
        except urllib.error.HTTPError as error:
            return json.load(error)

    def answers(self) -> bool:
        try:
            return bool(self.ask("/api/v1/summary"))
        except (urllib.error.URLError, OSError):
            return False

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.popen.send_signal(how)
        return self.popen.wait(PATIENCE)

    def children(self) -> list[int]:
        """Give the processes that it has started."""
        path = Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children")
        return [int(pid) for pid in path.read_text("ascii").split()]

    def kill(self) -> None:
        """End it and all it has started, at once."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait(PATIENCE)


class Installation:
    """Folders under `root`, and settings by command line only."""

    def __init__(self, root: Path, trails: Path) -> None:
        self.root = root
        self.trails = trails
        self.logs = root / "logs"
        self.state = root / "state"
        self.log = self.logs / "dns.log"
        self.logs.mkdir()
        self._started = 0

    def start(
        self,
        *arguments: object,
        program: Sequence[str] = (sys.executable, "-m", "trailhound"),
        access: str = "open",
    ) -> Process:
        """Start a command. What most tests are about is not who may ask, so everybody may."""
        self._started += 1
        command = [*program, *map(str, arguments)]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TRAILHOUND_")}
        environment |= {"HOME": str(self.root), "XDG_CONFIG_HOME": str(self.root), "PYTHONPATH": str(_ROOT)}
        environment["TRAILHOUND_API__ACCESS"] = access
        return Process(command, self.root / f"said-{self._started}.txt", environment)

    @property
    def run(self) -> list[object]:
        """Give the arguments of a usual run, on whatever port is free."""
        return ["run", self.logs, "--state", self.state, "--trails", self.trails, "--sensor", "dmz", "--port", 0]


def eventually(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.02)
