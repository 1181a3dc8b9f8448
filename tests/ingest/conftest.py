"""A place with logs, and a pipeline that does not wait for long."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from ingest import pipeline as module
from matchers.trailset import TrailSet
from tests.ingest.living import trail_set
from tests.ingest.place import NAMES, Place
from trailhound import log
from trailhound.settings import Settings


@pytest.fixture(scope="session")
def trails(tmp_path_factory: pytest.TempPathFactory) -> TrailSet:
    return trail_set(tmp_path_factory.mktemp("trails") / "trails.set", NAMES)


@pytest.fixture
def logging() -> Iterator[None]:
    """Say things as a real run does."""
    log.configure(Settings())
    yield
    structlog.reset_defaults()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(module, "BEAT_EVERY", 0.05)


@pytest.fixture
def place(tmp_path: Path, trails: TrailSet) -> Place:
    return Place(tmp_path, trails)
