"""Measure behaviour over windows: what it costs the loop, how long a window takes, and which beacons are found.

python -m bench.behaviour                a day with 10 million connections
python -m bench.behaviour --rows 1000000
"""

import argparse
import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from bench import logs
from bench.traffic import Planted, Traffic
from ingest.folding import Bounds, Folder, write_hour
from ingest.formats import reader_of
from ingest.past import HOUR
from ingest.windows import Collector
from matchers import behaviour
from matchers.behaviour.analysing import analyse
from matchers.behaviour.behaviour import Chosen
from matchers.networks import HomeNetworks
from matchers.view import View
from trailhound.record import MICROSECONDS

HOURS = 24
START = 1_767_225_600 // 3600  # Hours since the epoch.
CLIENTS = 5_000
SERVERS = 60_000
JITTERS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
SLEEPS = (60.0, 300.0, 900.0, 1800.0)
_FLOWS = 40_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="connections in the window")
    rows: int = parser.parse_args().rows
    for form, microseconds in collecting():
        print(f"collecting {form}: {microseconds:.3f} us a row of the loop")
    with TemporaryDirectory(prefix="trailhound-bench-") as place:
        print(f"folding: {folding(Path(place, 'small')):.2f} us a row, beside the loop")
        day(Path(place, "window"), rows)


def collecting() -> Iterator[tuple[str, float]]:
    """Give what a row costs the loop, by form; columns that matching has cut anyway are not counted again."""
    flows = Traffic(Planted(["bad.example"], [("203.0.113.1", 443)], [("bad.example", "/x")])).flows(_FLOWS)
    columns = behaviour.columns(behaviour.registry().values())
    forms = [(f"Zeek TSV {log}", "zeek-tsv", log, logs.zeek_tsv(log, flows)) for log in ("conn", "dns", "http")]
    forms += [(f"Zeek JSON {log}", "zeek-json", log, logs.zeek_json(log, flows)) for log in ("conn", "dns")]
    for name, format_, log, data in forms:
        with TemporaryDirectory() as place:
            yield name, min(_collected(format_, log, data, columns, Path(place, str(turn))) for turn in range(5))


def _collected(format_: str, log: str, data: bytes, columns: Any, place: Path) -> float:
    reader = reader_of(format_, columns, log)
    collector = Collector(place, columns, 1 << 40)
    spent, rows = 0.0, 0
    for start in range(0, len(data), 524_288):
        end = data.rfind(b"\n", start, start + 524_288) + 1
        begin = data.rfind(b"\n", 0, start) + 1 if start else 0
        for batch in reader.feed(data[begin:end]):
            view = View(batch, "bench")  # type: ignore[arg-type] # there are no bad lines
            begun = time.perf_counter()
            collector.see(view)
            spent += time.perf_counter() - begun
            rows += len(view)
    begun = time.perf_counter()
    collector.flush()
    return (spent + time.perf_counter() - begun) / rows * MICROSECONDS


def folding(place: Path) -> float:
    flows = Traffic(Planted(["bad.example"], [("203.0.113.1", 443)], [("bad.example", "/x")])).flows(_FLOWS)
    columns = behaviour.columns(behaviour.registry().values())
    collector = Collector(place / "spool", columns, 1 << 40)
    rows = 0
    for _ in range(10):
        for batch in reader_of("zeek-tsv", columns, "conn").feed(logs.zeek_tsv("conn", flows)):
            collector.see(View(batch, "bench"))  # type: ignore[arg-type] # there are no bad lines
            rows += len(batch)  # type: ignore[arg-type]
    segments = collector.close_segment()
    folder = _folder(place)
    begun = time.perf_counter()
    folder.fold(segments)
    return (time.perf_counter() - begun) / rows * MICROSECONDS


def _folder(path: Path) -> Folder:
    columns = behaviour.columns(behaviour.registry().values())
    homes = HomeNetworks(("10.0.0.0/8",))
    folder = Folder(path, columns, {}, homes, Bounds(HOURS, 1 << 62, 100_000_000))
    folder.open()
    return folder


def day(path: Path, rows: int) -> None:
    """Make a day with beacons in it, look through it, and say what was found."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    planted = _write_day(path, rows)
    made = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    disk = sum(file.stat().st_size for file in path.glob("*.npz"))
    folder = _folder(path)
    begun, cpu = time.perf_counter(), time.process_time()
    window = folder.window(START * HOUR, (START + HOURS) * HOUR - 1)
    loaded = time.perf_counter() - begun
    chosen = [Chosen(one, one.thresholds()) for one in behaviour.registry().values()]
    analysed = analyse(window, chosen)
    spent, processor = time.perf_counter() - begun, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{rows:,} connections: {disk / 1e6:,.0f} MB on disk; read in {loaded:.1f} s")
    print(f"all of it: {spent:.1f} s, {processor:.1f} s of one processor")
    print(f"memory: {before / 1024:,.0f} MB before, {made / 1024:,.0f} while made, at most {peak / 1024:,.0f} MB")
    for name, seconds in sorted(analysed.spent.items(), key=lambda item: -item[1]):
        print(f"  {name}: {seconds:.2f} s")
    _tell(planted, [one.fields["id.resp_h"] for one in analysed.seen if one.behaviour == "beacon"])
    others = [one.behaviour for one in analysed.seen if one.behaviour != "beacon"]
    print(f"other finds: {len(others)} {sorted(set(others))}")
    print(f"failed: {analysed.failed}")


def _tell(planted: dict[str, tuple[float, float]], found: list[Any]) -> None:
    print("| sleep | " + " | ".join(f"jitter {jitter:.0%}" for jitter in JITTERS) + " |")
    for sleep in SLEEPS:
        cells = []
        for jitter in JITTERS:
            those = [server for server, kind in planted.items() if kind == (sleep, jitter)]
            cells.append(f"{sum(server in found for server in those)}/{len(those)}")
        print(f"| {sleep:g} s | " + " | ".join(cells) + " |")
    print(f"false positives among {CLIENTS:,} hosts: {sum(server not in planted for server in found)}")


def _write_day(path: Path, rows: int) -> dict[str, tuple[float, float]]:
    """Write hours of connections as folding would: people who come and go, and beacons among them."""
    path.mkdir()
    draw = np.random.default_rng(1)
    servers = [f"93.{one >> 16 & 255}.{one >> 8 & 255}.{one & 255}" for one in range(256, 256 + SERVERS)]
    clients = [f"10.{one >> 16}.{one >> 8 & 255}.{one & 255}" for one in range(256, 256 + CLIENTS)]
    planted, calls = _beacons(random.Random(1), SERVERS)
    own = [f"185.1.{place >> 8}.{place & 255}" for place in range(len(planted))]
    servers += own
    # Visits: a client opens several pages of one server within minutes, then is away from it.
    popular = (SERVERS * draw.random(200_000) ** 3).astype(np.int64)
    for hour in range(HOURS):
        frame = _hour(draw, rows // HOURS, hour, popular)
        mine = [(at, client, server) for at, client, server in calls if at // 3600 == hour]
        extra = pd.DataFrame(mine, columns=["at", "client", "server"])
        at = np.concatenate([frame["at"], extra["at"].to_numpy(np.float64)])
        order = np.argsort(at, kind="stable")
        client = np.concatenate([frame["client"], extra["client"].to_numpy(np.int64)])[order]
        server = np.concatenate([frame["server"], extra["server"].to_numpy(np.int64)])[order]
        _write_hour(path, hour, draw, at[order], client, server, clients, servers)
    return dict(zip(own, planted, strict=True))


def _beacons(draw: random.Random, first: int) -> tuple[list[tuple[float, float]], list[tuple[float, int, int]]]:
    planted: list[tuple[float, float]] = []
    calls: list[tuple[float, int, int]] = []
    for sleep in SLEEPS:
        for jitter in JITTERS:
            for _ in range(10):
                client, server, at = draw.randrange(CLIENTS), first + len(planted), draw.random() * sleep
                planted.append((sleep, jitter))
                while at < HOURS * 3600:
                    calls.append((at, client, server))
                    at += sleep * (1 - jitter * draw.random())
    return planted, calls


def _hour(draw: Any, rows: int, hour: int, popular: Any) -> dict[str, Any]:
    visits = max(rows // 8, 1)
    begun = hour * 3600 + draw.random(visits) * 3600
    client, server = draw.integers(0, CLIENTS, visits), popular[draw.integers(0, len(popular), visits)]
    which = np.repeat(np.arange(visits), 8)
    gaps = draw.exponential(20, len(which)).reshape(visits, 8).cumsum(axis=1).ravel()
    at = np.minimum(begun[which] + gaps, (hour + 1) * 3600 - 1e-3)
    return {"at": at, "client": client[which], "server": server[which]}


def _write_hour(
    path: Path, hour: int, draw: Any, at: Any, client: Any, server: Any, clients: list[str], servers: list[str]
) -> None:
    rows = len(at)

    def texts(codes: Any, words: list[str]) -> Any:
        return pd.Categorical.from_codes(codes, pd.Index(words, dtype=object))

    is_beacon = server >= SERVERS
    frame = pd.DataFrame(
        {
            "ts": (START * HOUR + at * MICROSECONDS).astype(np.int64),
            "sensor": texts(np.zeros(rows, np.int8), ["bench"]),
            "module": texts(np.zeros(rows, np.int8), ["zeek"]),
            "id.orig_h": texts(client, clients),
            "id.resp_h": texts(server, servers),
            "id.resp_p": np.full(rows, 443, np.float32),
            "proto": texts(np.zeros(rows, np.int8), ["tcp"]),
            "conn_state": texts(draw.integers(0, 2, rows), ["SF", "S0"]),
            "orig_bytes": np.where(is_beacon, 312, draw.lognormal(7, 1.5, rows)).astype(np.float32),
            "resp_bytes": np.where(is_beacon, 148, draw.lognormal(9, 2, rows)).astype(np.float32),
            "duration": draw.exponential(5, rows).astype(np.float32),
        }
    )
    write_hour(path / f"{START + hour}-conn.npz", frame)


if __name__ == "__main__":
    main()
