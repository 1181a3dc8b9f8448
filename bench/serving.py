"""Measure mixed reads over HTTP from a store, as they arrive: at a rate, whether those before are answered or not.

python -m bench.serving STORE
python -m bench.serving STORE --rate 200 --seconds 30 --trails SET

The server is a process of its own on one core, with accounts: half of the requests come with a session, half with a key
of a user. What an answer takes counts from the moment at which it should have been asked for.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from api.access.accounts import Accounts, Lasting
from api.access.gate import COOKIE
from api.access.people import Key, User
from api.access.principal import Role, Scope
from api.lookup import TrailLookup
from api.serve import serve
from bench.lists import NoTrails
from matchers.rules import Rules
from matchers.trailset import TrailSet
from matchers.whitelist import Whitelist
from stores.embedded import open_embedded
from trailhound.commands.prepare import Lookup
from trailhound.settings import Api, Settings

PASSWORD = "a password for measuring"
LOOK_UPS = 30
# Path, and how often of a hundred.
READS: Sequence[tuple[str, int]] = (
    ("/api/v1/summary", 15),
    ("/api/v1/timeline", 10),
    ("/api/v1/threats", 20),
    ("/api/v1/events?limit=50", 15),
    ("/api/v1/lookup?value=", 20),
    ("/fail2ban", 5),
    ("/fail2ban (If-None-Match)", 15),
)


def settings_of(folder: Path) -> Settings:
    return Settings(state_dir=folder, api=Api(port=0, requests_per_minute=0))


def serve_in_here(path: Path, folder: Path, trails: Path | None) -> None:
    """Serve on one core, and print the URL."""
    os.sched_setaffinity(0, {0})
    lookup: TrailLookup = Lookup(Rules(TrailSet.open(trails), Whitelist())) if trails is not None else NoTrails()
    store = open_embedded(path, read_only=True)
    serve(settings_of(folder), store, lookup, ready=lambda url: print(url, flush=True))


class Line:
    """One kept connection, as lean as can be: whoever measures must not be what is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def get(self, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
        """Give status and ETag of an answer; its body is read and dropped."""
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
        self._writer.write("\r\n".join((*lines, "", "")).encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        await self._reader.readexactly(int(fields.get("content-length", 0)))
        return int(head.split(" ", 2)[1]), fields.get("etag", "")


class Asking:
    """Asks a server at a rate and notes what each answer took, in milliseconds."""

    def __init__(self, port: int, credentials: Sequence[Mapping[str, str]]) -> None:
        self._port = port
        self._credentials = credentials
        self._chance = random.Random(1)
        self._idle: list[Line] = []
        self._tag = ""
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        self.failed = 0

    async def at(self, rate: float, seconds: float) -> None:
        """Ask with gaps as chance makes them (Poisson), and wait for the last answer."""
        begin, after, tasks = time.perf_counter(), 0.0, []
        while (after := after + self._chance.expovariate(rate)) < seconds:
            await asyncio.sleep(max(0.0, begin + after - time.perf_counter()))
            tasks.append(asyncio.create_task(self._ask(begin + after)))
        await asyncio.gather(*tasks)

    async def _ask(self, due: float) -> None:
        name = self._chance.choices([name for name, _ in READS], [weight for _, weight in READS])[0]
        path, headers = name.partition(" ")[0], dict(self._chance.choice(self._credentials))
        if name != path:
            headers["If-None-Match"] = self._tag
        if path.endswith("="):
            path += self._value()
        status, tag = await self._get(path, headers)
        self.took[name].append((time.perf_counter() - due) * 1000)
        self.failed += status not in (200, 304)
        self._tag = tag if path == "/fail2ban" and tag else self._tag

    async def _get(self, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
        while True:
            known = bool(self._idle)
            line = self._idle.pop() if known else Line(*await asyncio.open_connection("127.0.0.1", self._port))
            try:
                answer = await line.get(path, headers)
            except (asyncio.IncompleteReadError, ConnectionError):
                if not known:  # One that was kept may have been let go by the server.
                    raise
            else:
                self._idle.append(line)
                return answer

    def _value(self) -> str:
        draw = self._chance
        address = f"{draw.choice((45, 77, 91, 185))}.0.{draw.randrange(256)}.{draw.randrange(256)}"
        return draw.choice((f"bad{draw.randrange(5000)}.example", address, f"{draw.getrandbits(128):032x}"))


def look_up(port: int, key: str) -> list[float]:
    """Look up a thousand values at once, again and again; give what each answer took, in milliseconds."""
    draw, took = random.Random(3), []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"X-Api-Key": key}, timeout=60) as client:
        for _ in range(LOOK_UPS):
            values = [_any_value(draw) for _ in range(1000)]
            begin = time.perf_counter()
            client.post("/api/v1/lookup", json={"values": values}).raise_for_status()
            took.append((time.perf_counter() - begin) * 1000)
    return took


def _any_value(draw: random.Random) -> str:
    address = f"{draw.choice((45, 77, 91, 185))}.0.{draw.randrange(256)}.{draw.randrange(256)}"
    name = f"host{draw.randrange(10**6)}.example{draw.randrange(1000)}.com"
    url = f"http://{name}/x/y.php?z={draw.randrange(1000)}"
    return draw.choice((name, address, f"{draw.getrandbits(128):032x}", url))


async def ask(port: int, session: str, key: str, rate: float, seconds: float) -> Asking:
    asking = Asking(port, ({"Cookie": f"{COOKIE}={session}"}, {"X-Api-Key": key}))
    await asking.at(20, 5)  # What is cold is no part of it.
    asking.took.clear()
    asking.failed = 0
    await asking.at(rate, seconds)
    return asking


def _people(folder: Path) -> tuple[str, str]:
    """Make a user with a session and a key, and give the secrets of both."""
    accounts = Accounts(folder / "accounts.sqlite", lasting=Lasting(3600, 3600))
    accounts.add_user(User("anna", Role.ANALYST), PASSWORD)
    session, _ = accounts.open_session("anna", "127.0.0.1")
    key, _ = accounts.add_key(Key("", "playbook", frozenset({Scope.READ, Scope.LISTS})))
    accounts.close()
    return session, key


def _row(name: str, took: Sequence[float]) -> str:
    cuts = statistics.quantiles(took, n=100)
    return f"{name:28} {len(took):6} {statistics.median(took):8.1f} {cuts[94]:8.1f} {cuts[98]:8.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.serving", description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--trails", type=Path, help="a compiled set; without one nothing is found")
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--serve", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve is not None:
        serve_in_here(chosen.store, chosen.serve, chosen.trails)
        return
    with TemporaryDirectory() as folder:
        session, key = _people(Path(folder))
        command = [sys.executable, "-m", "bench.serving", str(chosen.store), "--serve", folder]
        command += ["--trails", str(chosen.trails)] if chosen.trails is not None else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            os.sched_setaffinity(0, os.sched_getaffinity(0) - {0} or {0})
            try:
                url = server.stdout.readline().strip() if server.stdout is not None else ""
                port = int(url.rpartition(":")[2])
                looked_up = look_up(port, key)
                asking = asyncio.run(ask(port, session, key, chosen.rate, chosen.seconds))
            finally:
                server.terminate()
    print(f"{'':28} {'number':>6} {'median':>8} {'p95':>8} {'p99':>8}  (ms)")
    for name, _ in READS:
        print(_row(name, asking.took[name]))
    print(_row("POST /lookup of 1,000, alone", looked_up))
    print(_row("all", [one for took in asking.took.values() for one in took]))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"failed": asking.failed, "server_cpu_seconds": round(used.ru_utime + used.ru_stime, 1)}))


if __name__ == "__main__":
    main()
