"""A real server, and a client of it."""

import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from api.access.accounts import Accounts
from api.access.people import Key
from api.access.principal import ALL
from api.serve import serve
from stores.contract import Store
from stores.embedded import open_embedded
from stores.observables import FILE, ObservableMemory
from tests.api.trails import DictLookup
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from trailhound.client import Client
from trailhound.settings import Api, Settings
from trailhound.severity import Severity
from trailhound.trail import TrailClass, TrailKind


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, api=Api(port=0))


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = open_embedded(settings.store_path)
    yield opened
    opened.close()


@pytest.fixture
def filled(store: Store) -> Store:
    """Hold a C2 domain that two hosts asked for, and two scans."""
    store.append(
        [
            make_event(identity="one"),
            make_event(identity="two", start=START + HOUR, count=5),
            make_event(identity="three", start=START + 2 * HOUR, source_ip="192.168.1.11"),
            make_attack(start=START + HOUR, count=100),
            make_attack(source_ip="80.94.92.10", start=START + 2 * HOUR, severity=Severity.HIGH),
        ]
    )
    return store


@pytest.fixture
def key(settings: Settings) -> str:
    accounts = Accounts(settings.state_dir / "accounts.sqlite")
    secret, _ = accounts.add_key(Key("", "playbook", ALL))
    return secret


@pytest.fixture
def url(settings: Settings, filled: Store) -> Iterator[str]:
    memory = ObservableMemory(settings.state_dir / FILE, 1000)
    memory.keep({(START // HOUR, "sensor-1"): ["evil.example", "192.168.1.10"]})
    memory.close()
    scanner = make_trail(kind=TrailKind.IPV4, value="45.155.205.233", info="mass scanner", class_=TrailClass.SCANNER)
    trails = DictLookup([make_trail(), scanner])
    stop, urls = threading.Event(), SimpleQueue[str]()
    thread = threading.Thread(
        target=serve, args=(settings, filled, trails), kwargs={"ready": urls.put, "stop": stop}, daemon=True
    )
    thread.start()
    try:
        yield urls.get(timeout=20)
    finally:
        stop.set()
        thread.join(timeout=20)
    assert not thread.is_alive()


@pytest.fixture
def trailhound(url: str, key: str) -> Iterator[Client]:
    with Client(url, key) as client:
        yield client
