"""Stores of older versions become stores of today, whole or not at all."""

import logging
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from stores.contract import Dimension, EventOrder, Query, Store, ThreatOrder
from stores.embedded import open_embedded
from stores.embedded.schema import VERSION
from stores.search.parse import parse
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from tests.stores.older import make_old
from trailhound.errors import StoreDamaged, StoreUnavailable
from trailhound.event import Event
from trailhound.severity import Severity

_KILLED = """
import os, signal, sys
from pathlib import Path
from stores.embedded import open_embedded, upgrade
last = upgrade._STEPS[3]
def die(work):
    last(work)
    os.kill(os.getpid(), signal.SIGKILL)
upgrade._STEPS = {**upgrade._STEPS, 3: die}
open_embedded(Path(sys.argv[1]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


def _some() -> list[Event]:
    """Make events of three days, one in three of a trail of the site's own, that else is as another."""
    found = [
        make_event(
            identity=f"call {number}",
            start=START + number * HOUR - 30 * HOUR,
            count=number % 3 + 1,
            severity=Severity(list(Severity)[number % 4]),
            source_ip=f"192.168.1.{number % 5}",
            source_port=None if number % 7 == 0 else 40_000 + number,
            trail=make_trail(value=f"evil{number % 2}.example", custom=number % 3 == 0),
            message=f"Somebody ÄSKED {number}" if number % 2 else f"somebody Asked {number}",
        )
        for number in range(80)
    ]
    return [*found, *(make_attack(identity=str(number), start=START + number) for number in range(20))]


_QUERIES = (
    Query(),
    Query(custom=False),
    Query(since=START - 3 * HOUR, until=START + 20 * HOUR, custom=False),
    Query(text="äsked 1"),
    Query(text="ed 7"),
    *(
        Query(where=parse(text))
        for text in ("port:22", "port:40010-40030 -trail:evil1*", "-port:53", "src:192.168.1.2")
    ),
)


def _answers(store: Store, query: Query) -> object:
    return (
        store.summary(query),
        store.timeline(query, by=Dimension.SEVERITY, step=HOUR),
        store.top(query, Dimension.SOURCE),
        store.top(query, Dimension.DESTINATION),
        [store.threats(query, order=order) for order in (ThreatOrder.RISK, ThreatOrder.COUNT)],
        store.events(query, order=EventOrder.INGESTED, limit=200),
        store.attackers(query),
    )


def _shape(path: Path) -> dict[str, list[object]]:
    """Give tables and indexes with their columns, however their statements are written."""
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
    shape = {
        name: [row[1:4] if kind == "table" else row[2] for row in connection.execute(f"PRAGMA {kind}_info({name})")]
        for kind, name in names
    }
    connection.close()
    return shape


@pytest.mark.parametrize("version", [2, 3])
def test_an_upgraded_store_answers_as_one_that_was_made_today(
    path: Path, tmp_path: Path, version: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    events = _some()
    make_old(path, version, events)
    fresh = open_embedded(tmp_path / "fresh.sqlite")
    fresh.append(events)
    with pytest.raises(StoreUnavailable, match=f"has version {version} still"):
        open_embedded(path, read_only=True)
    upgraded = open_embedded(path)
    for query in _QUERIES:
        assert _answers(upgraded, query) == _answers(fresh, query)
    assert fresh.count(Query(custom=False)) < fresh.count(Query())
    assert f"upgrading the store from version {version} to {version + 1}" in caplog.text
    assert _shape(path) == _shape(tmp_path / "fresh.sqlite")
    more = [make_event(identity="more", start=START + HOUR, trail=make_trail(value="evil0.example", custom=True))]
    for store in (upgraded, fresh):
        assert store.append([*events, *more]).stored == 1
    assert _answers(upgraded, Query()) == _answers(fresh, Query())
    for store in (upgraded, fresh):
        store.close()
    open_embedded(path, read_only=True).close()


def test_an_upgrade_that_is_killed_leaves_the_old_store(path: Path) -> None:
    events = _some()
    make_old(path, 2, events)
    before = _dump(path)
    died = subprocess.run([sys.executable, "-c", _KILLED, str(path)], capture_output=True, check=False, text=True)
    assert died.returncode == -9, died.stderr
    assert _dump(path) == before
    store = open_embedded(path)
    assert store.count(Query()) == len(events)
    assert store.count(Query(where=parse("port:22"))) == 20
    store.close()


def test_an_upgrade_that_fails_leaves_the_old_store(path: Path) -> None:
    make_old(path, 3, _some())
    connection = sqlite3.connect(path)
    connection.execute("CREATE INDEX events_wording ON events (wording)")
    connection.execute("CREATE TABLE events_4 (taken)")
    connection.commit()
    connection.close()
    before = _dump(path)
    with pytest.raises(StoreDamaged, match="events_4"):
        open_embedded(path)
    assert _dump(path) == before


def _dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    found = [*connection.iterdump(), str(connection.execute("PRAGMA user_version").fetchone())]
    connection.close()
    return found


@pytest.mark.parametrize("version", [1, VERSION + 1])
@pytest.mark.parametrize("read_only", [True, False])
def test_other_versions_are_refused_and_left_alone(path: Path, version: int, *, read_only: bool) -> None:
    make_old(path, 3, _some())
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match=f"has version {version}, this Trailhound knows versions 2 to {VERSION}"):
        open_embedded(path, read_only=read_only)
    assert path.read_bytes() == before
