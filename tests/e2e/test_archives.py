"""Archives go to the store of a run that was killed, and every line is counted once: real processes, real kills."""

import gzip
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from stores.embedded import open_embedded
from tests.e2e.installation import PATIENCE, Installation, Process, eventually
from tests.ingest.living import append, header, name, row
from tests.ingest.place import counts

Start = Callable[..., Process]
# The real command line, in a process that dies at the n-th append to the store, before or after it.
MORTAL = """
import os, signal, sys
from stores.embedded.writer import Writer
from trailhound.cli import main

when, left, append = sys.argv[1], int(sys.argv[2]), Writer.append

def dying(*arguments):
    global left
    left -= 1
    if when == "before" and not left:
        os.kill(os.getpid(), signal.SIGKILL)
    answer = append(*arguments)
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer

Writer.append = dying
sys.argv[1:] = sys.argv[3:]
main()
"""


def repeating(numbers: Iterable[int]) -> bytes:
    """Write rows that ask for few names, so that events sum up what a stretch of them holds."""
    return b"".join(row(number, name(number % 7)) for number in numbers)


def summed(numbers: Iterable[int]) -> dict[str, int]:
    return dict(Counter(name(number % 7) for number in numbers))


def stored(installation: Installation) -> dict[str, int]:
    store = open_embedded(installation.state / "events.sqlite", read_only=True)
    try:
        return counts(store)
    finally:
        store.close()


def scan(installation: Installation, *paths: Path) -> list[object]:
    options = ("--state", installation.state, "--trails", installation.trails, "--sensor", "dmz", "--jobs", 1)
    return ["scan", "--store", *options, *paths]


def mortal(when: str, call: int) -> tuple[str, ...]:
    return (sys.executable, "-c", MORTAL, when, str(call))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_log_whose_run_was_killed_is_read_on_from_its_compressed_copy(
    installation: Installation, start: Start, when: str
) -> None:
    append(installation.log, header() + repeating(range(50)))
    first = start(*installation.run)
    eventually(lambda: first.answers() and first.trails() == summed(range(50)))
    first.end()
    append(installation.log, repeating(range(50, 120)))
    killed = installation.start(*installation.run, program=mortal(when, 1))
    assert killed.popen.wait(PATIENCE) == -signal.SIGKILL
    append(installation.log, repeating(range(120, 150)))
    packed = installation.root / "dns.2023-11-14-22-13.log.gz"
    packed.write_bytes(gzip.compress(installation.log.read_bytes()))
    installation.log.unlink()
    append(installation.log, header(1) + repeating(range(150, 200)))

    assert start(*scan(installation, packed)).popen.wait(PATIENCE) == 1
    assert stored(installation) == summed(range(150))
    assert start(*scan(installation, packed)).popen.wait(PATIENCE) == 0
    assert stored(installation) == summed(range(150))
    last = start(*installation.run)
    eventually(lambda: last.answers() and last.trails() == summed(range(200)))
    assert start(*scan(installation, packed)).popen.wait(PATIENCE) == 2


def test_a_scan_that_is_killed_again_and_again_counts_every_line_once(installation: Installation) -> None:
    numbers = range(120_000)
    log = installation.root / "dns.log.gz"
    log.write_bytes(gzip.compress(header() + repeating(numbers), compresslevel=1))
    for when, call in (("before", 1), ("after", 1), ("after", 2), ("before", 2)):
        killed = installation.start(*scan(installation, log), program=mortal(when, call))
        assert killed.popen.wait(PATIENCE) == -signal.SIGKILL, killed.said
    assert installation.start(*scan(installation, log)).popen.wait(PATIENCE) in {0, 1}
    assert stored(installation) == summed(numbers)
