"""Measure the embedded store, and SQLite against DuckDB, which it was chosen over.

python -m bench.stores                          the store: append, disk, answers (1 M events)
python -m bench.stores --events 5000000
python -m bench.stores --events 5000000 --only search      only answers with that in their name
python -m bench.stores --engines                SQLite and (if it is installed) DuckDB with one bare table
"""

import argparse
import importlib
import importlib.util
import itertools
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stores.contract import Dimension, Query, Store, ThreatOrder
from stores.embedded import open_embedded
from stores.search.parse import parse
from trailhound.event import Event, event_id
from trailhound.record import MICROSECONDS
from trailhound.severity import Direction, Severity
from trailhound.trail import Trail, TrailClass, TrailKind

START = 1_759_276_800 * MICROSECONDS
HOUR = 3_600 * MICROSECONDS
DAY = 24 * HOUR
DAYS = 30
BATCH = 1_000
HOSTS = 5_000
ATTACKERS = 100_000
DOMAINS = 20_000
ROUNDS = 20
ONLY = ""
# Text that few events hold, a class that very many have; wildcards; networks; a port.
SEARCHES = (
    "bad777.ex",
    '"family 77"',
    "scanner",
    "trail:bad77*",
    "info:mass*",
    "src:10.1.0.0/24",
    "ip:45.0.0.0/20",
    "dst:192.168.1.0/24",
    "port:3389",
    "sev:high -info:mass* ip:10.1.0.0/16",
)
FAMILIES = (TrailClass.C2, TrailClass.MALWARE, TrailClass.PHISHING, TrailClass.SUSPICIOUS)


def events(number: int) -> Iterator[Event]:
    """Make events of 30 days: half attacks, half calls of inner hosts, a few of each far more often than the rest."""
    chance = random.Random(1)
    attackers = [_attacker(chance, place) for place in range(ATTACKERS)]
    domains = [
        Trail(TrailKind.DOMAIN, f"bad{place}.example", f"family {place % 400}", FAMILIES[place % 4], ("maltrail",))
        for place in range(DOMAINS)
    ]
    for place in range(number):
        when = START + place * DAYS * DAY // number + chance.randrange(MICROSECONDS)
        uid = f"C{chance.getrandbits(80):x}"
        if chance.random() < 0.5:
            yield _attack(chance, attackers[_skewed(chance, ATTACKERS)], when, uid)
        else:
            host = _skewed(chance, HOSTS)
            yield _call(chance, host, domains[(host * 31 + _skewed(chance, DOMAINS)) % DOMAINS], when, uid)


def _skewed(chance: random.Random, limit: int) -> int:
    return int(chance.paretovariate(0.4)) % limit


def _attacker(chance: random.Random, place: int) -> Trail:
    address = f"{chance.choice((45, 77, 91, 185))}.{place >> 16}.{place >> 8 & 255}.{place & 255}"
    class_ = (TrailClass.ATTACKER, TrailClass.SCANNER)[place % 2]
    return Trail(TrailKind.IPV4, address, ("mass scanner", "bruteforce")[place % 2], class_, ("blocklist",))


def _attack(chance: random.Random, trail: Trail, when: int, uid: str) -> Event:
    target, port = f"192.168.{chance.randrange(4)}.{chance.randrange(256)}", chance.choice((22, 80, 443, 3389))
    sensor = f"sensor-{when % 4}"
    return Event(
        id=event_id(sensor, "zeek.conn", uid, when, trail.kind, trail.value),
        start=when,
        end=when,
        count=1,
        sensor=sensor,
        module="zeek",
        dataset="zeek.conn",
        trail=trail,
        observed=trail.value,
        role="source.ip",
        severity=Severity.LOW if when % 5 else Severity.MEDIUM,
        direction=Direction.INBOUND,
        answered=False,
        source_ip=trail.value,
        source_port=chance.randrange(1024, 65535),
        destination_ip=target,
        destination_port=port,
        transport="tcp",
        protocol=None,
        message=f"{trail.value} called at {target}:{port}: {trail.info}",
        ingested=when + MICROSECONDS,
        ecs={"zeek.session_id": uid},
    )


def _call(chance: random.Random, host: int, trail: Trail, when: int, uid: str) -> Event:
    source, sensor = f"10.{host % 7}.{host // 250}.{host % 250}", f"sensor-{when % 4}"
    name = f"w{chance.randrange(20)}.{trail.value}"
    return Event(
        id=event_id(sensor, "zeek.dns", uid, when, trail.kind, trail.value),
        start=when,
        end=when,
        count=chance.choice((1, 1, 1, 7)),
        sensor=sensor,
        module="zeek",
        dataset="zeek.dns",
        trail=trail,
        observed=name,
        role="dns.question.name",
        severity=(Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)[when % 3],
        direction=Direction.OUTBOUND,
        answered=True,
        source_ip=source,
        source_port=chance.randrange(1024, 65535),
        destination_ip="10.0.0.53",
        destination_port=53,
        transport="udp",
        protocol="dns",
        message=f"{source} asked for {name}: {trail.info}",
        ingested=when + MICROSECONDS,
        ecs={"dns.question.name": name, "dns.question.type": "A", "zeek.session_id": uid},
    )


def measure_store(path: Path, number: int) -> None:
    if not path.exists():
        _fill(path, number)
    store = open_embedded(path, read_only=True)
    found = store.summary(Query())
    print(f"{found.events} events, {found.threats} threats, {found.sources} sources, {found.trails} trails")
    now = (found.last or START) - 1_234_567  # No whole hour: the ends are read from the events.
    spans = {"always": Query(), "7 days": Query(since=now - 7 * DAY), "24 hours": Query(since=now - DAY)}
    filters: dict[str, dict[str, Any]] = {
        "": {},
        "critical": {"severities": (Severity.CRITICAL,)},
        "one sensor": {"sensors": ("sensor-1",)},
        "one network": {"sources": ("10.1.0.0/24",)},
    }
    for span, times in spans.items():
        for name, conditions in filters.items():
            _ask(store, f"{span} {name}", Query(since=times.since, **conditions))
    classes = (TrailClass.ATTACKER, TrailClass.SCANNER)
    for span, times in spans.items():
        listed = len(store.attackers(Query(since=times.since, classes=classes)))
        _time(f"{span}: {listed} attackers", partial(store.attackers, Query(since=times.since, classes=classes)))
    for span, times in spans.items():
        for text in SEARCHES:
            _search(store, f"{span}, search {text}", Query(since=times.since, where=parse(text)))
    store.close()


def _fill(path: Path, number: int) -> None:
    store = open_embedded(path)
    source, spent = events(number), 0.0
    while batch := list(itertools.islice(source, BATCH)):
        begin = time.perf_counter()
        store.append(batch)
        spent += time.perf_counter() - begin
    store.close()
    size = path.stat().st_size / number
    print(f"append in batches of {BATCH}: {number / spent:,.0f} events/s, {size:.0f} bytes an event")


def _ask(store: Store, name: str, query: Query) -> None:
    _time(f"{name}: summary", lambda: store.summary(query))
    _time(f"{name}: timeline by hour", lambda: store.timeline(query, by=Dimension.GROUP, step=HOUR))
    for dimension in (Dimension.SOURCE, Dimension.TRAIL, Dimension.INFO, Dimension.DESTINATION):
        _time(f"{name}: top {dimension}", partial(store.top, query, dimension))
    for order in ThreatOrder:
        _time(f"{name}: threats by {order}", partial(store.threats, query, order=order))
    _time(f"{name}: newest events", lambda: store.events(query))
    page = [threat.id for threat in store.threats(query).threats]
    for unit, step in (("hour", HOUR), ("day", DAY)):
        _time(f"{name}: sparklines of a page by {unit}", partial(store.sparklines, query, page, step=step))


def _search(store: Store, name: str, query: Query) -> None:
    _time(f"{name}: newest events", lambda: store.events(query))
    _time(f"{name}: threats by risk", lambda: store.threats(query))
    _time(f"{name}: summary", lambda: store.summary(query))


def _time(name: str, ask: Callable[[], object]) -> None:
    if ONLY and ONLY not in name:
        return
    spent, busy = [], []
    for _ in range(ROUNDS):
        begin, begin_busy = time.perf_counter(), time.thread_time()
        ask()
        spent.append((time.perf_counter() - begin) * 1_000)
        busy.append((time.thread_time() - begin_busy) * 1_000)
    p95, p95_busy = (statistics.quantiles(one, n=20)[-1] for one in (spent, busy))
    print(
        f"{statistics.median(spent):8.1f} ms median {p95:8.1f} ms p95 {p95_busy:8.1f} ms CPU, p95   {name}", flush=True
    )


_TABLE = "CREATE TABLE events (id BLOB, start BIGINT, severity INTEGER, source INTEGER, trail INTEGER, body BLOB)"
_QUESTIONS = {
    "summary": "SELECT count(*), min(start), max(start), count(DISTINCT source) FROM events",
    "timeline": f"SELECT start // {HOUR} AS hour, severity, count(*) FROM events GROUP BY 1, 2",
    "top": "SELECT source, count(*) AS n FROM events GROUP BY source ORDER BY n DESC LIMIT 10",
}
_READER = """
import sys
engine, path = sys.argv[1:]
if engine == "duckdb":
    import duckdb
    connection = duckdb.connect(path, read_only=True)
else:
    import sqlite3
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
print(connection.execute("SELECT count(*) FROM events").fetchone()[0])
"""


def measure_engines(folder: Path, number: int) -> None:
    """Compare bare engines: one table without rollups, the same rows, a commit for each batch."""
    for engine in ("sqlite", "duckdb"):
        if engine == "duckdb" and importlib.util.find_spec("duckdb") is None:
            print("duckdb is not installed: left out")
            continue
        path = folder / f"bare.{engine}"
        connection = _connect(engine, path)
        connection.execute(_TABLE)
        spent = _append_bare(connection, number, _inserter(engine, connection))
        print(f"{engine}: append in batches of {BATCH}: {number / spent:,.0f} rows/s")
        for name, question in _QUESTIONS.items():
            sql = question.replace("//", "/") if engine == "sqlite" else question
            _time(f"{engine}: {name} over {number} rows, no rollups", partial(_fetch, connection, sql))
        reader = subprocess.run(
            [sys.executable, "-c", _READER, engine, str(path)], capture_output=True, text=True, check=False
        )
        answer = reader.stdout.strip() or reader.stderr.strip().splitlines()[-1]
        print(f"{engine}: a reader in another process beside the writer: {answer[:150]}")
        connection.close()
        print(f"{engine}: {path.stat().st_size / number:.0f} bytes a row")


def _fetch(connection: Any, sql: str) -> object:
    return connection.execute(sql).fetchall()


def _connect(engine: str, path: Path) -> Any:
    if engine == "duckdb":
        return importlib.import_module("duckdb").connect(str(path))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _inserter(engine: str, connection: Any) -> Callable[[Sequence[tuple[object, ...]]], object]:
    """Give the fastest way that an engine has to take rows without other libraries."""
    if engine == "sqlite":
        return partial(connection.executemany, "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)")
    columns = ", ".join(["unnest(?)"] * 6)
    insert = f"INSERT INTO events SELECT {columns}"
    return lambda rows: connection.execute(insert, [list(column) for column in zip(*rows, strict=True)])


def _append_bare(connection: Any, number: int, insert: Callable[[Sequence[tuple[object, ...]]], object]) -> float:
    chance = random.Random(1)
    spent = 0.0
    for begin in range(0, number, BATCH):
        rows = [
            (
                chance.randbytes(16),
                START + place * DAYS * DAY // number,
                chance.randrange(4),
                _skewed(chance, ATTACKERS),
                _skewed(chance, DOMAINS),
                chance.randbytes(120),
            )
            for place in range(begin, begin + BATCH)
        ]
        started = time.perf_counter()
        connection.execute("BEGIN")
        insert(rows)
        connection.execute("COMMIT")
        spent += time.perf_counter() - started
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.stores", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="how many events, or rows")
    parser.add_argument("--keep", type=Path, help="file of the store: filled when it is new, asked again when not")
    parser.add_argument("--engines", action="store_true", help="compare SQLite and DuckDB instead")
    parser.add_argument("--only", default="", help="only answers with this in their name")
    chosen = parser.parse_args()
    globals()["ONLY"] = chosen.only
    with TemporaryDirectory() as folder:
        if chosen.engines:
            measure_engines(Path(folder), chosen.events)
        else:
            measure_store(chosen.keep or Path(folder) / "events.sqlite", chosen.events)


if __name__ == "__main__":
    main()
