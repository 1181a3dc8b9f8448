"""What all tests share."""

import os
from pathlib import Path

import pytest


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
