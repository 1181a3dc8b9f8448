from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from api.app import create_app
from api.sending.outbox import Outbox
from api.sending.post import Ways
from stores.contract import Store
from stores.embedded import open_embedded
from tests.api.conftest import NOW
from tests.api.trails import DictLookup
from trailhound.settings import Settings


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox(tmp_path / "outbox.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_embedded(tmp_path / "events.sqlite")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """Make the application once: its routes and its document take longer than most tests."""
    folder = tmp_path_factory.mktemp("state")
    unused = open_embedded(folder / "events.sqlite")
    unused.close()
    return create_app(Settings(state_dir=folder), unused, DictLookup([]), clock=lambda: NOW)


@pytest.fixture
def ways(tmp_path: Path) -> Ways:
    return Ways(seconds=5.0, secrets=tmp_path / "secrets")


@pytest.fixture
def put_secret(ways: Ways) -> "PutSecret":
    return PutSecret(ways)


class PutSecret:
    """Keep a secret in the folder of secrets."""

    def __init__(self, ways: Ways) -> None:
        assert ways.secrets is not None
        self._folder = ways.secrets

    def __call__(self, name: str, value: str) -> None:
        self._folder.mkdir(exist_ok=True)
        (self._folder / name).write_text(value)
