"""The command line, in this process."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from tests.commands.feeding import Site
from tests.feeds.fetching.server import Handler, serving
from tests.ingest.living import header, name, row, rows
from trailhound.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    status: int
    out: str
    err: str


Trailhound = Callable[..., Ran]


@pytest.fixture
def trailhound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Trailhound]:
    """Run a command as a person does, but in a home of its own."""
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.delenv("TRAILHOUND_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "300")

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["trailhound", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as exit_:
            status = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
        said = capsys.readouterr()
        return Ran(status, said.out, said.err)

    yield run
    structlog.reset_defaults()


@pytest.fixture
def trails(tmp_path: Path) -> Path:
    """Make a file of trails with the names that the logs of these tests ask for."""
    path = tmp_path / "trails.csv"
    path.write_text("".join(f"{name(number)},threat {number},test\n" for number in range(100)), "utf-8")
    return path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Make a folder of logs: two names that are trails, one of them twice, some that are not, a bad line."""
    path = tmp_path / "logs"
    path.mkdir()
    content = header() + rows([1, 2]) + row(3, name(1)) + row(4, "harmless.test") + b"nonsense\n"
    (path / "dns.log").write_bytes(content)
    return path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Serve feeds to a site whose catalogue is otherwise off."""
    with serving(Handler, None) as place:
        yield Site(tmp_path, place)
