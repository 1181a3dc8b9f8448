from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from api import streams
from api.app import attach, create_app
from stores.contract import Store
from stores.desk import Desk
from stores.embedded import open_embedded
from tests.api.client import AppClient
from tests.api.trails import DictLookup
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from trailhound.record import MICROSECONDS
from trailhound.settings import Api, Settings
from trailhound.severity import Severity
from trailhound.trail import TrailClass, TrailKind

NOW = START + 3 * HOUR


@pytest.fixture(autouse=True)
def _short_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let live streams end soon, also where a test calls every route."""
    monkeypatch.setattr(streams, "LONGEST_SECONDS", 0.2)
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0.01)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, api=Api(list_networks=("127.0.0.0/8", "::1/128", "192.0.2.0/24")))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_embedded(tmp_path / "events.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def trails() -> DictLookup:
    c2 = make_trail()
    scanner = make_trail(kind=TrailKind.IPV4, value="45.155.205.233", info="mass scanner", class_=TrailClass.SCANNER)
    return DictLookup([c2, scanner], whitelist=["good.evil.example"], built=NOW // MICROSECONDS - 60)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """Make the application once: its routes and its document take longer than most tests."""
    folder = tmp_path_factory.mktemp("state")
    unused = open_embedded(folder / "events.sqlite")
    unused.close()
    return create_app(Settings(state_dir=folder), unused, DictLookup([]), clock=lambda: NOW)


@pytest.fixture
def app(made: FastAPI, settings: Settings, store: Store, trails: DictLookup) -> FastAPI:
    attach(made, settings, store, trails, clock=lambda: NOW)
    return made


@pytest.fixture
def desk(app: FastAPI) -> Desk:
    opened: Desk = app.state.desk
    return opened


@pytest.fixture
def client(app: FastAPI) -> AppClient:
    return AppClient(app)


@pytest.fixture
def filled(store: Store) -> Store:
    """Hold six events: four of a C2 domain (one of another sensor), two scans from the internet."""
    store.append(
        [
            make_event(identity="one"),
            make_event(identity="two", start=START + HOUR, count=5),
            make_event(identity="three", start=START + 2 * HOUR, source_ip="192.168.1.11"),
            make_event(identity="four", start=START + 2 * HOUR, source_ip="192.168.1.11", sensor="sensor-2"),
            make_attack(start=START + HOUR, count=100),
            make_attack(source_ip="80.94.92.10", start=START + 2 * HOUR, severity=Severity.HIGH),
        ]
    )
    return store
