"""Measure block lists, as a firewall gets them over HTTP from a store that holds 120,000 attackers of the last day.

python -m bench.lists
python -m bench.lists --attackers 50000
"""

import argparse
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from api.lookup import Explanation, TrailSetInfo
from api.serve import serve
from stores.contract import Store
from stores.embedded import open_embedded
from trailhound.event import Event, event_id
from trailhound.record import MICROSECONDS
from trailhound.settings import Api, Settings
from trailhound.severity import Direction, Severity
from trailhound.trail import Trail, TrailClass, TrailKind

BATCH = 2_000
DAY = 86_400 * MICROSECONDS
ROUNDS = 300


class NoTrails:
    """A trail set without trails: these lists ask for none."""

    def explain(self, values: Sequence[str]) -> Sequence[Explanation]:
        return [Explanation(value) for value in values]

    def info(self) -> TrailSetInfo:
        return TrailSetInfo(0)


def attack(number: int, when: int) -> Event:
    address = f"45.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    trail = Trail(TrailKind.IPV4, address, "mass scanner", TrailClass.SCANNER, ("made up",))
    return Event(
        id=event_id("sensor", "zeek.conn", f"C{number}", when, trail.kind, trail.value),
        start=when,
        end=when,
        count=1,
        sensor="sensor",
        module="zeek",
        dataset="zeek.conn",
        trail=trail,
        observed=address,
        role="source.ip",
        severity=Severity.LOW,
        direction=Direction.INBOUND,
        answered=False,
        source_ip=address,
        source_port=40_000,
        destination_ip="192.168.1.10",
        destination_port=22,
        transport="tcp",
        protocol="ssh",
        message=f"{address} knocked",
        ingested=when,
        ecs={},
    )


def fill(store: Store, attackers: int) -> None:
    now = time.time_ns() // 1000
    for begin in range(0, attackers, BATCH):
        numbers = range(begin, min(begin + BATCH, attackers))
        store.append([attack(number, now - DAY + (number + 1) * (DAY // (attackers + 2))) for number in numbers])


@contextmanager
def serving(store: Store, folder: Path) -> Iterator[str]:
    """Serve in this process until the block is left; give the URL."""
    settings = Settings(state_dir=folder, api=Api(port=0, access="open", requests_per_minute=1_000_000))
    urls: list[str] = []
    ready, stop = threading.Event(), threading.Event()

    def take(url: str) -> None:
        urls.append(url)
        ready.set()

    server = threading.Thread(target=serve, args=(settings, store, NoTrails()), kwargs={"ready": take, "stop": stop})
    server.start()
    ready.wait()
    try:
        yield urls[0]
    finally:
        stop.set()
        server.join()


def timed(client: httpx.Client, path: str, tag: str = "") -> tuple[float, httpx.Response]:
    begin = time.perf_counter()
    answer = client.get(path, headers={"If-None-Match": tag} if tag else {})
    return (time.perf_counter() - begin) * 1000, answer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description=__doc__)
    parser.add_argument("--attackers", type=int, default=120_000)
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        store = open_embedded(Path(folder, "events.sqlite"))
        fill(store, chosen.attackers)
        with serving(store, Path(folder)) as url, httpx.Client(base_url=url, timeout=60) as client:
            took, answer = timed(client, "/fail2ban")
            tag = answer.headers["etag"]
            _say("the first list after the start, whoever asks at once", took)
            _say("the same again, all of it", _median(client, "/fail2ban", ""))
            same = [timed(client, "/fail2ban", tag)[0] for _ in range(ROUNDS)]
            _say("304, median", statistics.median(same))
            _say("304, p99", statistics.quantiles(same, n=100)[98])
            store.append([attack(chosen.attackers, time.time_ns() // 1000)])
            begin = time.perf_counter()
            slowest = 0.0
            while True:
                took, found = timed(client, "/fail2ban", tag)
                slowest = max(slowest, took)
                if found.status_code == 200:
                    break
                time.sleep(0.05)
            print(f"a new attacker is on it after {time.perf_counter() - begin:.1f} s")
            _say("the first to get the new list", took)
            _say("the slowest answer while it was made", slowest)
            for path in ("/lists/attackers.nft", "/lists/attackers.json"):
                _say(f"{path}, never asked for before", timed(client, path)[0])
                _say(f"{path}, again", _median(client, path, ""))
        store.close()


def _median(client: httpx.Client, path: str, tag: str) -> float:
    return statistics.median(timed(client, path, tag)[0] for _ in range(20))


def _say(what: str, milliseconds: float) -> None:
    print(f"{milliseconds:9.1f} ms  {what}")


if __name__ == "__main__":
    main()
