"""Measure the way from a written line to its event, while several logs grow at once.

python -m bench.live                                    20,000 rows/s on three logs of Zeek
python -m bench.live --form eve                         the same of Suricata
python -m bench.live --trails trails-static.tar.gz      real trails; made up when not given
python -m bench.live --dead-targets                     everything is to be sent to five targets, none of which takes it
"""

import argparse
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import logs
from bench.running import Running, cpu_seconds, memory, running, trail_set
from bench.traffic import Flow, Traffic
from bench.trails import Cost
from stores.contract import EventOrder, Query
from stores.embedded import open_embedded

TICK = 0.01  # Seconds between two writes to each log.
_LOOK = 0.005  # Seconds between two looks for new events.
_LATE = 30.0  # Seconds after the last line in which events may still come.
Fetch = Callable[[str | None], tuple[Sequence[Mapping[str, Any]], str | None]]


@dataclass(frozen=True, slots=True)
class Log:
    """A log to be written: its file, its head and its lines, and by which id an event tells which line it is of."""

    file: str
    head: bytes
    lines: Sequence[bytes]
    ids: Sequence[str]


class Feeder(threading.Thread):
    """Writes each log at a steady rate; `written` tells when each line was, by its id."""

    def __init__(self, folder: Path, feed: Sequence[Log], rate: float) -> None:
        super().__init__(name="feeder")
        self._folder = folder
        self._feed = feed
        self._a_tick = rate * TICK / len(feed)
        self.written: dict[str, float] = {}
        self.took = 0.0

    def run(self) -> None:
        files = [(self._folder / log.file).open("ab", buffering=0) for log in self._feed]
        began = time.monotonic()
        done, tick = 0, 0
        most = max(len(log.lines) for log in self._feed)
        while done < most:
            tick += 1
            end = min(most, round(tick * self._a_tick))
            for log, file in zip(self._feed, files, strict=True):
                file.write(b"".join(log.lines[done:end]))
                moment = time.monotonic()
                self.written.update(dict.fromkeys(log.ids[done:end], moment))
            done = end
            time.sleep(max(0.0, began + tick * TICK - time.monotonic()))
        self.took = time.monotonic() - began
        for file in files:
            file.close()


def made(form: str, cost: Cost, rows: int) -> list[Log]:
    """Make up rows for three logs, no flow in two of them: what is told twice is stored once."""
    traffic = Traffic(cost.planted)
    if form == "eve":
        return [_of_eve(number, traffic.flows(rows // 3)) for number in (1, 2, 3)]
    return [_of_zeek(name, traffic.flows(rows // 3)) for name in logs.LOGS]


def _of_zeek(name: str, flows: Sequence[Flow]) -> Log:
    lines = logs.zeek_tsv(name, flows).splitlines(keepends=True)
    head = [line for line in lines if line.startswith(b"#")]
    return Log(f"{name}.log", b"".join(head), lines[len(head) :], [flow.uid for flow in flows])


def _of_eve(number: int, flows: Sequence[Flow]) -> Log:
    ids = [str(int(flow.uid[1:14], 16)) for flow in flows]
    return Log(f"eve.{number}.json", b"", logs.eve(flows).splitlines(keepends=True), ids)


def _identity(event: Mapping[str, Any]) -> str:
    return str(event["suricata"]["flow_id"] if "suricata" in event else event["zeek"]["session_id"])


class Looker(threading.Thread):
    """Looks for new events again and again; `seen` tells when each was there first."""

    def __init__(self, fetch: Fetch) -> None:
        super().__init__(name="looker")
        self._fetch = fetch
        self.finished = threading.Event()
        self.seen: dict[str, float] = {}

    def run(self) -> None:
        cursor: str | None = None
        while not self.finished.wait(_LOOK):
            events, after = self._fetch(cursor)
            moment = time.monotonic()
            for event in events:
                self.seen.setdefault(_identity(event), moment)
            cursor = after or cursor


def _from_api(run: Running, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
    page = run.ask(f"/api/v1/events?order=ingested&limit=1000{f'&cursor={cursor}' if cursor else ''}")
    return page["events"], page.get("next")


def _measure(
    folder: Path, set_path: Path, feed: Sequence[Log], rate: float, way: str, more: str = ""
) -> list[tuple[str, str]]:
    folder.mkdir()
    with running(folder, set_path, more=more) as run, closing(open_embedded(run.store, read_only=True)) as store:

        def from_store(cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
            page = store.events(Query(), order=EventOrder.INGESTED, limit=1000, cursor=cursor)
            return page.events, page.next

        for log in feed:
            (run.logs / log.file).write_bytes(log.head)
        time.sleep(3)  # Until it has seen the files and is at rest.
        looker = Looker(from_store if way == "store" else partial(_from_api, run))
        feeder = Feeder(run.logs, feed, rate)
        pids = run.pids()
        before = [cpu_seconds(pid) for pid in pids]
        looker.start()
        feeder.start()
        feeder.join()
        until_read(run)
        spent = [(cpu_seconds(pid) - earlier) / feeder.took for pid, earlier in zip(pids, before, strict=True)]
        held = [memory(pid) for pid in pids]
        time.sleep(1)
        looker.finished.set()
        looker.join()
        return facts_of(way, feeder, looker, spent, held)


def until_read(run: Running) -> None:
    end = time.monotonic() + _LATE
    while run.lag() and time.monotonic() < end:
        time.sleep(0.2)


def facts_of(
    way: str, feeder: Feeder, looker: Looker, spent: Sequence[float], held: Sequence[tuple[int, int]]
) -> list[tuple[str, str]]:
    rows = len(feeder.written)
    waits = [moment - feeder.written[key] for key, moment in looker.seen.items()]
    cuts = statistics.quantiles(waits, n=100)
    memories = ", ".join(f"{resident / 1e6:.0f} MB ({private / 1e6:.0f} private)" for resident, private in held)
    return [
        (f"readable in the {way}", f"{rows:,} rows, {rows / feeder.took:,.0f} rows/s, {len(waits):,} events"),
        ("from line to event", f"p50 {cuts[49]:.3f} s, p99 {cuts[98]:.3f} s, max {max(waits):.3f} s"),
        ("CPU: reading, serving", ", ".join(f"{cores:.2f} cores" for cores in spent)),
        ("memory: reading, serving", memories),
    ]


def show(facts: Iterable[tuple[str, str]]) -> None:
    for what, found in facts:
        print(f"{what:<26} {found}", flush=True)


@contextmanager
def dead_targets() -> Iterator[str]:
    """Give settings with targets that refuse connections, and with ones that take them and never read."""
    with socket.create_server(("127.0.0.1", 0)) as hung:
        port = hung.getsockname()[1]
        hooks = [f'[send.webhooks.refuses{one}]\nurl = "http://127.0.0.1:9/"\n' for one in range(2)]
        hooks += [f'[send.webhooks.hangs{one}]\nurl = "http://127.0.0.1:{port}/"\n' for one in range(2)]
        yield "".join([*hooks, f'[send.syslog.hangs]\nhost = "127.0.0.1"\nport = {port}\n'])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.live", description=__doc__)
    parser.add_argument("--trails", type=Path, help="file, folder or archive of trails; made up when not given")
    parser.add_argument("--rate", type=float, default=20_000, help="rows a second on all logs together")
    parser.add_argument("--seconds", type=float, default=30, help="how long rows are written")
    parser.add_argument("--form", choices=("zeek", "eve"), default="zeek", help="whose logs")
    parser.add_argument("--dead-targets", action="store_true", help="everything is to be sent, and nothing can be")
    chosen = parser.parse_args()
    with TemporaryDirectory() as place, dead_targets() as dead:
        folder = Path(place)
        set_path, cost = trail_set(folder, chosen.trails)
        feed = made(chosen.form, cost, round(chosen.rate * chosen.seconds))
        print(f"{cost.trails:,} trails, {chosen.form}, three logs", flush=True)
        for way in ("store", "API"):
            show(_measure(folder / way, set_path, feed, chosen.rate, way, dead if chosen.dead_targets else ""))


if __name__ == "__main__":
    main()
