"""Two hosts on a wire: network namespaces of the kernel, so that firewalls are real and nobody else notices."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.e2e.places import unable

PORT = 8022
ATTACKER = ("45.155.205.233", "2a02:6b8::233")
OURS = ("45.155.205.1", "2a02:6b8::1")
_LISTEN = f"""
import socket
server = socket.create_server(("::", {PORT}), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
while True:
    server.accept()[0].close()
"""
_CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=0.7).close()"


@dataclass(frozen=True, slots=True)
class Wire:
    """Our host, which is listening, and the attacker's."""

    ours: str
    theirs: str

    def command(self, *command: object) -> list[str]:
        """Give what runs a command on our host."""
        return ["ip", "netns", "exec", self.ours, *map(str, command)]

    def run(self, *command: object, **environment: str) -> str:
        done = subprocess.run(
            self.command(*command), check=False, capture_output=True, text=True, env={**os.environ, **environment}
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def reaches(self, family: int) -> bool:
        """Tell whether the attacker gets a connection to us, over IPv4 (0) or IPv6 (1)."""
        command = ["ip", "netns", "exec", self.theirs, sys.executable, "-c", _CONNECT, OURS[family], str(PORT)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def ask(self, method: str, url: str, body: Any = None) -> Any:
        """Ask on our host for something that has to succeed."""
        sent = () if body is None else ("-H", "Content-Type: application/json", "-d", json.dumps(body))
        said = self.run("curl", "-sS", "--fail-with-body", "-X", method, *sent, url)
        return json.loads(said) if said.startswith(("{", "[")) else said


def need(*programs: str) -> None:
    """Skip, or where CI runs it fail, without the right or the programs to do such things."""
    missing = [program for program in ("ip", "curl", *programs) if shutil.which(program) is None]
    if missing:
        unable(f"deploy/tools-for-tests installs what is missing: {', '.join(missing)}")
    if os.geteuid() != 0:
        unable("network namespaces take the rights of root")


@contextmanager
def wire() -> Iterator[Wire]:
    """Lay the wire; nothing of it is left behind."""
    two = Wire(f"ours-{os.getpid()}", f"theirs-{os.getpid()}")
    made = []
    try:
        for name in (two.ours, two.theirs):
            if subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True).returncode != 0:
                unable("this host makes no network namespaces")
            made.append(name)
        _ip("link", "add", "wire", "netns", two.ours, "type", "veth", "peer", "name", "wire", "netns", two.theirs)
        for name, addresses in ((two.ours, OURS), (two.theirs, ATTACKER)):
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "link", "set", "wire", "up")
            for address, length in zip(addresses, (24, 64), strict=True):
                _ip("-n", name, "addr", "add", f"{address}/{length}", "dev", "wire", *(["nodad"] * (length == 64)))
        with _listening(two):
            yield two
    finally:
        for name in made:
            _ip("netns", "del", name)


@contextmanager
def _listening(two: Wire) -> Iterator[None]:
    command = two.command(sys.executable, "-c", _LISTEN)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            yield
        finally:
            server.kill()


def _ip(*arguments: str) -> None:
    command: Sequence[str] = ("ip", *arguments)
    subprocess.run(command, check=True, capture_output=True)
