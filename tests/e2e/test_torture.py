"""Kills at random moments: whatever happens, every line is counted once."""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, Process, eventually
from tests.ingest.living import append, header, name, row

KILLS = {"short": 5, "full": 200}
LONGEST_LIFE = 1.5  # Seconds between the first answer and the kill, at most.
ROTATE_EVERY = 4.0
NAMES = 20_000
_PACE = 0.003


class Writer(threading.Thread):
    """Logs names that are all trails, some of them again, in whole and half lines, and rotates now and then."""

    def __init__(self, log: Path, seed: int) -> None:
        super().__init__()
        self._log = log
        self._random = random.Random(seed)
        self._stop_asked = threading.Event()
        self._rotations = 0
        self.written: dict[str, int] = {}

    def run(self) -> None:
        append(self._log, header())
        due = time.monotonic() + ROTATE_EVERY
        number = 0
        while not self._stop_asked.wait(_PACE):
            lines = b""
            for _ in range(self._random.choice((1, 1, 1, 5, 40))):
                query = name(self._random.randrange(NAMES))
                lines += row(number, query)
                number += 1
                self.written[query] = self.written.get(query, 0) + 1
            cut = self._random.randrange(len(lines))
            append(self._log, lines[:cut])
            append(self._log, lines[cut:])
            if time.monotonic() > due:
                due = time.monotonic() + ROTATE_EVERY
                self._rotations += 1
                self._log.rename(self._log.with_name(f"dns.{self._rotations:04d}.log"))
                append(self._log, header(self._rotations))

    def finish(self) -> None:
        self._stop_asked.set()
        self.join()


@pytest.mark.torture
def test_a_run_that_is_killed_again_and_again_counts_every_line_once(
    installation: Installation, start: Callable[..., Process], request: pytest.FixtureRequest
) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)
    writer = Writer(installation.log, seed)
    writer.start()
    try:
        for _ in range(KILLS[request.config.getoption("--torture")]):
            process = start(*installation.run)
            # Sometimes it is killed while it starts, too.
            if chance.random() < 0.9:
                assert process.answers()
            time.sleep(chance.random() * LONGEST_LIFE)
            process.popen.kill()
            process.popen.wait()
    finally:
        writer.finish()
    process = start(*installation.run)
    eventually(lambda: sum(process.trails().values()) >= sum(writer.written.values()))
    assert process.trails() == writer.written
    assert process.end() == 0
