"""What all tests share."""

import os
import shutil
from pathlib import Path

import pytest

from tests.elasticsearch.fixtures import (
    _own_server,
    elasticsearch_namespace,
    elasticsearch_trouble,
    elasticsearch_url,
    own_elasticsearch,
)

__all__ = ["_own_server", "elasticsearch_namespace", "elasticsearch_trouble", "elasticsearch_url", "own_elasticsearch"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--torture",
        choices=("short", "full"),
        default="short",
        help="how long the tests marked `torture` go on; `make torture` takes `full`",
    )


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real logs and feeds that nobody here wrote; they are not part of the project."""
    folder = os.environ.get("TRAILHOUND_CORPUS")
    if not folder:
        pytest.skip("TRAILHOUND_CORPUS names no folder of real logs")
    return Path(folder)


@pytest.fixture(scope="session")
def real_suricata() -> str:
    """The program of the real Suricata, which `make test` installs."""
    return _installed("suricata", "the real Suricata")


@pytest.fixture(scope="session")
def real_systemd() -> str:
    """The program that checks units, of the real systemd, which `make test` installs."""
    return _installed("systemd-analyze", "systemd")


def _installed(program: str, name: str) -> str:
    found = shutil.which(program)
    if found is not None:
        return found
    missing = f"{name} is not installed; deploy/tools-for-tests installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
