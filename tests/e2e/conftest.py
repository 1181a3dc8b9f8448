"""Real processes of Trailhound, each with folders of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import Installation, Process
from tests.ingest.living import name


@pytest.fixture(scope="session")
def trails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a file of trails that has every name that a writer asks for."""
    path = tmp_path_factory.mktemp("trails") / "trails.csv"
    path.write_text("".join(f"{name(number)},threat {number} (malware),test\n" for number in range(20_000)), "utf-8")
    return path


@pytest.fixture
def installation(tmp_path: Path, trails: Path) -> Installation:
    return Installation(tmp_path, trails)


@pytest.fixture
def start(installation: Installation) -> Iterator[Callable[..., Process]]:
    """Start `trailhound` with arguments; whatever still runs at the end of the test is killed."""
    processes: list[Process] = []

    def begin(*arguments: object, **options: Any) -> Process:
        process = installation.start(*arguments, **options)
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
