"""What is the embedded store's own: its file, its processes, its rollups."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from stores.contract import Dimension, EventOrder, Query, Store
from stores.embedded import open_embedded
from stores.embedded.schema import DAY, HOUR, LEVELS, UNITS
from stores.embedded.store import EmbeddedStore
from tests.stores.factory import START, make_attack, make_event, make_trail
from trailhound.errors import StoreDamaged, StoreUnavailable
from trailhound.event import Event

ROOT = Path(__file__).parents[2]
# Appends batches of 50 events over some hours for ever, and says after each how many are durable.
WRITER = """
import sys
from pathlib import Path
from stores.embedded import open_embedded
from tests.stores.factory import START, HOUR, make_event
store = open_embedded(Path(sys.argv[1]))
done = store.count(__import__("stores.contract").contract.Query())
while True:
    store.append([
        make_event(identity=str(n), start=START + n * HOUR // 100, count=n % 3 + 1, source_ip=f"10.0.{n // 7 % 200}.1")
        for n in range(done, done + 50)
    ])
    done += 50
    print(done, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    made = open_embedded(path)
    yield made
    made.close()


def _some(number: int, begin: int = 0) -> list[Event]:
    return [
        make_event(identity=str(n), start=START + n * HOUR // 3, source_ip=f"10.0.{n % 50}.1", count=n % 4 + 1)
        for n in range(begin, begin + number)
    ]


def _writer(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT, bufsize=1
    )


def _said(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def _kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def _rollups_hold(path: Path) -> None:
    """Compare every rollup, and the threats, with what the events themselves add up to."""
    connection = sqlite3.connect(path)
    keys = {
        "facet": "p.facet",
        "profile": "e.profile",
        "destination": "e.destination, p.facet",
        "source": "p.source, p.facet",
        "trail": "p.trail, p.facet",
        "info": "p.info, p.facet",
        "threat": "p.threat, p.severity",
    }
    numbers = "sum(e.count), count(*), min(e.start), max(e.start)"
    source = "FROM events e JOIN profiles p ON p.id = e.profile"
    try:
        for family, key in keys.items():
            known = f"WHERE {key.split(',')[0]} IS NOT NULL"
            for level in LEVELS[family]:
                full_key = key if level == "all" else f"e.start / {UNITS[level]}, {key}"
                expected = connection.execute(
                    f"SELECT {full_key}, {numbers} {source} {known} GROUP BY {full_key}"
                ).fetchall()
                assert sorted(connection.execute(f"SELECT * FROM {family}_{level}")) == sorted(expected)
        expected = connection.execute(
            f"SELECT p.threat, max(f.severity), {numbers} {source} JOIN facets f ON f.id = p.facet GROUP BY p.threat"
        ).fetchall()
        columns = "id, severity, records, events, first, last"
        assert sorted(connection.execute(f"SELECT {columns} FROM threats")) == sorted(expected)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()


def test_rollups_are_what_the_events_add_up_to(store: Store, path: Path) -> None:
    for begin in range(0, 600, 200):
        store.append([*_some(200, begin), *_some(50, begin // 2), make_attack(identity=str(begin))])
    # One source, the later hours first.
    store.append([make_event(identity=f"r{n}", start=START + n * HOUR // 2) for n in range(100, 0, -1)])
    _rollups_hold(path)


def test_what_was_acknowledged_outlives_a_kill(path: Path) -> None:
    acknowledged = 0
    for pause in (0.0, 0.05, 0.11):
        process = _writer(path)
        acknowledged = max(acknowledged, _said(process))
        time.sleep(pause)
        _kill(process)
        with_all = open_embedded(path, read_only=True)
        count = with_all.count(Query())
        with_all.close()
        assert count >= acknowledged
        assert count % 50 == 0
        _rollups_hold(path)


def test_readers_see_whole_batches_while_another_process_writes(path: Path) -> None:
    process = _writer(path)
    try:
        _said(process)
        reader = open_embedded(path, read_only=True)
        seen = []
        for _ in range(30):
            summary = reader.summary(Query())
            by_hand = sum(top.count for top in reader.top(Query(until=summary.last), Dimension.SOURCE, limit=1_000))
            assert summary.events % 50 == 0
            assert sum(summary.by[Dimension.SENSOR].values()) == summary.records >= by_hand > 0
            seen.append(summary.events)
        assert seen == sorted(seen)
        before = seen[-1]
        while _said(process) <= before:
            pass
        assert reader.count(Query()) > before
        reader.close()
    finally:
        _kill(process)


def test_a_second_writer_is_refused_while_the_first_lives(path: Path) -> None:
    process = _writer(path)
    try:
        _said(process)
        with pytest.raises(StoreUnavailable, match="another Trailhound is writing") as raised:
            open_embedded(path)
        assert str(path) in str(raised.value)
    finally:
        _kill(process)
    store = open_embedded(path)
    assert store.count(Query()) >= 50
    store.close()


def test_a_second_writer_in_the_same_process_is_refused(store: Store, path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="another Trailhound is writing"):
        open_embedded(path)
    store.close()
    open_embedded(path).close()


def test_a_reader_works_after_the_writer_stopped(store: Store, path: Path) -> None:
    store.append(_some(10))
    store.close()
    reader = open_embedded(path, read_only=True)
    assert reader.count(Query()) == 10
    again = open_embedded(path)
    again.append(_some(5, 10))
    assert reader.count(Query()) == 15
    again.close()
    assert reader.count(Query()) == 15
    reader.close()


def test_a_reader_does_not_write(store: Store, path: Path) -> None:
    reader = open_embedded(path, read_only=True)
    with pytest.raises(StoreUnavailable, match="for reading only"):
        reader.append(_some(1))
    with pytest.raises(StoreUnavailable, match="for reading only"):
        reader.put_sensors([])
    reader.close()


def test_a_body_that_cannot_be_read_is_damage(store: Store, path: Path) -> None:
    event = make_event()
    store.append([event])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE events SET body = x'00'")
    connection.close()
    with pytest.raises(StoreDamaged, match="cannot be read"):
        store.event(event.id)


def test_a_full_disk_loses_nothing_and_the_store_goes_on_after_it(store: Store, path: Path) -> None:
    assert isinstance(store, EmbeddedStore)
    assert store._writer is not None
    store.append(_some(100))
    pages = store._writer._connection.execute("PRAGMA page_count").fetchone()[0]
    store._writer._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreUnavailable, match="no space left") as raised:
        store.append(_some(2_000, 100))
    assert str(path) in str(raised.value)
    assert store.count(Query()) == 100
    store._writer._connection.execute("PRAGMA max_page_count = 1000000")
    assert store.append(_some(2_000, 100)).stored == 2_000
    assert store.count(Query()) == 2_100
    _rollups_hold(path)


def test_a_store_that_another_program_locks_says_so_and_goes_on_after_it(store: Store, path: Path) -> None:
    assert isinstance(store, EmbeddedStore)
    assert store._writer is not None
    store._writer._connection.execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another process holds it"):
        store.append(_some(1))
    other.execute("ROLLBACK")
    other.close()
    assert store.append(_some(1)).stored == 1


def test_a_closed_store_is_unavailable(path: Path) -> None:
    store = open_embedded(path)
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.append(_some(1))
    with pytest.raises(StoreUnavailable, match="closed"):
        store.count(Query())


def test_many_threads_read_one_store_while_it_is_written(store: Store) -> None:
    wrong: list[str] = []

    def read() -> None:
        for _ in range(20):
            summary = store.summary(Query())
            if summary.events % 10 or summary.records != sum(summary.by[Dimension.GROUP].values()):
                wrong.append(repr(summary))
            store.events(Query(), limit=5)

    threads = [Thread(target=read) for _ in range(12)]
    for thread in threads:
        thread.start()
    for n in range(20):
        store.append(_some(10, n * 10))
    for thread in threads:
        thread.join()
    assert wrong == []
    assert store.count(Query()) == 200


def test_bodies_are_read_whatever_dictionary_squeezed_them(path: Path) -> None:
    """Before, while and after the store learns what its events have in common, and after it is opened again."""
    events = [
        make_event(identity=str(n), observed=f"w{n}.evil.example", ecs={"zeek.session_id": f"C{n * 7919}"})
        for n in range(2_600)
    ]
    for begin, end in ((0, 600), (600, 1_300), (1_300, 2_000), (2_000, 2_600)):
        store = open_embedded(path)
        store.append(events[begin:end])
        store.close()
    store = open_embedded(path, read_only=True)
    page = store.events(Query(), order=EventOrder.INGESTED, limit=5_000)
    assert [(event["event"]["id"], event["zeek"]["session_id"]) for event in page.events] == [
        (event.id, event.ecs["zeek.session_id"]) for event in events
    ]
    store.close()
    with sqlite3.connect(path) as connection:
        sizes = [size for (size,) in connection.execute("SELECT length(body) FROM events ORDER BY seq")]
    connection.close()
    assert sum(sizes[2_000:]) < sum(sizes[:600]) / 2


def test_what_a_batch_named_is_forgotten_when_it_fails(store: Store, path: Path) -> None:
    """Ids given out in a transaction that was taken back must not be used in the next."""
    broken = make_event(identity="broken", source_ip="10.9.9.9", trail=make_trail(value="new.example"), start=2**70)
    fine = make_event(identity="fine", source_ip="10.9.9.9", trail=make_trail(value="new.example"))
    with pytest.raises(OverflowError):
        store.append([fine, broken])
    assert store.count(Query()) == 0
    store.append([make_event(source_ip="10.8.8.8"), fine])
    assert store.count(Query(sources=("10.9.9.9",), trails=("new.example",))) == 1
    _rollups_hold(path)


def test_days_and_hours_and_odd_ends_add_up(store: Store) -> None:
    events = [make_event(identity=str(n), start=START + n * HOUR // 4, count=n + 1) for n in range(24 * 4 * 5)]
    store.append(events)
    for since, until in (
        (START + 1, START + 4 * DAY + 3 * HOUR + 1),
        (START + HOUR, START + DAY + HOUR),
        (START + 23 * HOUR + 1, START + 24 * HOUR),
        (START + 10, START + 20),
        (START + 2 * HOUR, START + 2 * HOUR),
        (START + 2 * HOUR, START + HOUR),
    ):
        wanted = [event for event in events if since <= event.start < until]
        summary = store.summary(Query(since=since, until=until))
        assert (summary.events, summary.records) == (len(wanted), sum(event.count for event in wanted))
        assert summary.first == min((event.start for event in wanted), default=None)


def test_the_lock_file_is_not_inherited(store: Store, path: Path) -> None:
    """A child that outlives the writer must not hold its lock."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    store.close()
    open_embedded(path).close()
    child.communicate(b"\n")
    assert child.returncode == 0
    assert path.with_name(f"{path.name}.lock").exists()
