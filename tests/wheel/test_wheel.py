"""The wheel, built and installed as a user would have it, away from the source tree.

Building needs setuptools from the package index, so this is not one of the quick checks.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.house.names import NAMES
from tests.house.tree import PACKAGES, ROOT, files
from trailhound import __version__

GUARD = ROOT / "tests/house/names.py"


def run(*command: object, folder: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TRAILHOUND_"))}
    return subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, check=check
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build from a copy: building leaves traces where it happens."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in files():
        copy = folder / "source" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps")
    built = run(*pip, "--wheel-dir", folder, folder / "source", folder=folder, check=False)
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("trailhound-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install without dependencies; those are taken from the environment that runs the tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", folder / "bin/python")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, folder=folder)
    # A plain path: what `.pth` files of that environment would add, the source tree above all, stays away.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def test_the_command_runs_away_from_the_source(installed: Path) -> None:
    said = run(installed / "bin/trailhound", "--version", folder=installed)
    assert said.stdout == f"trailhound {__version__}\n"


def test_every_package_comes_from_the_wheel(installed: Path) -> None:
    lines = "\n".join(f"import {package}; print({package}.__file__)" for package in PACKAGES)
    places = run(installed / "bin/python", "-c", lines, folder=installed).stdout.split()
    assert len(places) == len(PACKAGES)
    assert [place for place in places if not Path(place).is_relative_to(installed)] == []


def test_every_file_of_every_package_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        there = set(archive.namelist())
    ours = [name for name in files() if name.startswith(tuple(f"{package}/" for package in PACKAGES))]
    assert [name for name in ours if name not in there and not name.endswith(".md")] == []
    assert {"matchers/whitelist.txt", "trailhound/py.typed"} <= there
    assert any(name.startswith("trailhound/sample/") for name in there)
    assert any(name.startswith("feeds/starter/") for name in there)
    assert any(name.startswith("api/pages/") for name in there)


def test_the_wheel_holds_nothing_but_our_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert tops - {*NAMES} == {f"trailhound-{__version__}.dist-info"}


def test_the_guard_is_quiet_when_all_names_are_ours(installed: Path) -> None:
    said = run(installed / "bin/python", GUARD, folder=installed, check=False)
    assert (said.returncode, said.stdout) == (0, "")


def test_the_guard_reports_a_distribution_with_one_of_our_names(installed: Path) -> None:
    (site,) = installed.glob("lib/python*/site-packages")
    about = site / "stranger-1.0.dist-info"
    about.mkdir()
    try:
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
        (about / "RECORD").write_text("ingest/__init__.py,,\nstranger-1.0.dist-info/METADATA,,\n")
        said = run(installed / "bin/python", GUARD, folder=installed, check=False)
    finally:
        shutil.rmtree(about)
    assert said.returncode == 1
    assert said.stdout == "ingest: also brought by stranger\n"
