"""Places that are in the way: a disk that is full, a folder that nobody may write to."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


def unable(reason: str) -> None:
    """Skip a test for a reason; where CI runs it, it must not be skipped."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk of its own, of that size, on a folder."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "none", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        unable("a disk of its own takes the right to mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> Path:
    """Fill a disk to its last byte; give the file that does it."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return ballast


def without_privileges(program: Sequence[str]) -> list[str]:
    """Give the command that runs a program to which, even as root, a folder can be read-only."""
    if os.geteuid() != 0:
        return list(program)
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *program]
