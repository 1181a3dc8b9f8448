"""Lives of one installation: started, troubled, killed, started again, while writers go on; and what became of it."""

import random
import re
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from stores.contract import EventOrder, Query
from stores.embedded import open_embedded
from tests.e2e.installation import PATIENCE, Installation, Process, eventually
from tests.torture.ledger import Ledger
from tests.torture.mortal import BOUNDARIES
from tests.torture.writers import Writer, all_writers

# Seconds in which a boundary is met, on a slow machine too; should it not be, the process is killed all the same.
_MET_WITHIN = 6.0
_SETTLED = 15.0  # Seconds without anything new, after which nothing is expected any more.
_SERVES = re.compile(r"console and API on http")


@dataclass(slots=True)
class Verdict:
    """What was written against what is in the store. `wrong` says more of what the five numbers do not tell."""

    lines: int
    kills: int
    rotations: int
    lost: int
    doubled: int
    wrong: list[str]

    def __str__(self) -> str:
        return (
            f"lines written {self.lines}, kills {self.kills}, rotations {self.rotations}, "
            f"lost {self.lost}, doubled {self.doubled}"
        )

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)


class Torture:
    """Kills an installation so many times, at every boundary in turn and at random moments between."""

    def __init__(self, installation: Installation, seed: int, kills: int, *, longest_life: float) -> None:
        """Make the writers. `longest_life` is seconds between the first answer and the kill, at most."""
        self._installation = installation
        self._chance = random.Random(seed)
        self._kills = kills
        self._longest_life = longest_life
        self._ends = self._draw_ends()
        self._process: Process | None = None
        self.met: Counter[str] = Counter()
        saved = installation.state / "positions.json"
        self.writers: list[Writer] = all_writers(installation.logs, installation.root / "spool", saved, seed)

    def run(self) -> Verdict:
        try:
            self._live_on()
            return self._judge()
        finally:
            if self._process is not None:
                self._process.kill()

    def _live_on(self) -> None:
        # Before the very first look at the folders, what is compressed there is an archive, and not ours to read.
        process = self._process = self._installation.start(*self._installation.run)
        assert process.answers()
        assert process.end() == 0
        for writer in self.writers:
            writer.start()
        try:
            killed = 0
            while killed < self._kills:
                killed += self._live()
                self._see_to_writers()
                # Now and then down for long enough for several rotations.
                time.sleep(self._chance.choice((0.0, 0.1, 0.5, 0.5, 1.5)) * self._longest_life)
        finally:
            for writer in self.writers:
                writer.finish()
        self._see_to_writers()

    def _see_to_writers(self) -> None:
        for writer in self.writers:
            if writer.failure is not None:
                raise writer.failure

    def _draw_ends(self) -> Iterator[str]:
        """Give every boundary as often as every other, in random order, with other ends between them."""
        while True:
            ends = [*BOUNDARIES, "any moment", "any moment", "while it starts", "a stop"]
            self._chance.shuffle(ends)
            yield from ends

    def _live(self) -> int:
        """Live once; tell how many kills it took."""
        end = next(self._ends)
        process = self._process = self._begin(end)
        until = time.monotonic() + (self._chance.uniform(0.2, 1.0) if end == "while it starts" else PATIENCE)
        while process.popen.poll() is None and not _SERVES.search(process.said) and time.monotonic() < until:
            time.sleep(0.01)
        with self._trouble():
            until = time.monotonic() + (
                _MET_WITHIN if end in BOUNDARIES else 0.2 + self._chance.random() * self._longest_life
            )
            while process.popen.poll() is None and time.monotonic() < until and end != "while it starts":
                time.sleep(0.01)
            if end == "a stop":
                status = process.end()
                is_held = "stopped before what was in hand could be stored" in process.said
                assert status == 0 or is_held, f"it stopped with status {status}: {process.said}"
                self.met[end] += 1
                return 0
            by_itself = process.popen.poll() is not None
            process.kill()
        assert process.popen.returncode == -signal.SIGKILL, f"it ended by itself: {process.said}"
        assert "Traceback" not in process.said, process.said
        self.met[end if by_itself == (end in BOUNDARIES) else "any moment"] += 1
        return 1

    def _begin(self, end: str) -> Process:
        call = self._chance.choice((1, 1, 2, 3, 5, 8))
        moods = self._chance.choice((0, 0, self._chance.randrange(1, 1 << 30)))
        program = [sys.executable, "-m", "tests.torture.mortal", end, str(call), str(moods)]
        return self._installation.start(*self._installation.run, program=program)

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        """Now and then, let somebody else hold the store for most of a life."""
        if self._chance.random() > 0.2:
            yield
            return
        with held(self._installation.state / "events.sqlite"):
            time.sleep(self._chance.random() * 1.5)
            yield

    def _judge(self) -> Verdict:
        ledgers = [writer.ledger for writer in self.writers]
        written: Counter[str] = sum((ledger.trails for ledger in ledgers), Counter())
        process = self._process = self._installation.start(*self._installation.run)
        _wait(process, written.total())
        served = Counter(process.trails())
        wrong = self._sensors(process, ledgers)
        if process.end() != 0 or "Traceback" in process.said:
            wrong.append(f"the last stop went wrong: {process.said}")
        if served != stored(self._installation.state / "events.sqlite"):
            wrong.append("the store holds something else than the API serves")
        wrong += self._unreadable(ledgers)
        verdict = Verdict(
            lines=sum(ledger.lines for ledger in ledgers),
            kills=sum(number for end, number in self.met.items() if end != "a stop"),
            rotations=sum(ledger.rotations for ledger in ledgers),
            lost=(written - served).total(),
            doubled=(served - written).total(),
            wrong=wrong,
        )
        self._keep(ledgers, written, served)
        return verdict

    def _sensors(self, process: Process, ledgers: list[Ledger]) -> list[str]:
        """Nothing was lost here, so nothing may be said to be; and all is read."""
        del ledgers
        wrong = []
        for sensor in process.ask("/api/v1/sensors")["sensors"]:
            if sensor["lost_bytes"]:
                wrong.append(f"{sensor['path']}: {sensor['lost_bytes']} bytes are said to be lost")
            if sensor["lag_bytes"]:
                wrong.append(f"{sensor['path']}: {sensor['lag_bytes']} bytes are not read")
        return wrong

    def _unreadable(self, ledgers: list[Ledger]) -> list[str]:
        """Lines that nobody can read are all with the dead letters, once or, after a crash, again."""
        letters = "".join(
            path.read_text("utf-8") for path in sorted(self._installation.state.glob("deadletters.ndjson*"))
        )
        missing = [mark for ledger in ledgers for mark in ledger.unreadable if mark not in letters]
        few = f"{', '.join(missing[:3])} ..."
        return [f"{len(missing)} lines that nobody can read are not among the dead letters: {few}"] if missing else []

    def _keep(self, ledgers: list[Ledger], written: Counter[str], served: Counter[str]) -> None:
        root = self._installation.root
        for ledger in ledgers:
            ledger.keep(root)
        for what, trails in (("lost", written - served), ("doubled", served - written)):
            (root / f"{what}.txt").write_text("".join(f"{name} {number}\n" for name, number in trails.items()), "utf-8")


@contextmanager
def held(store: Path) -> Iterator[None]:
    """Hold the store as another program would in a long transaction: nobody can write to it."""
    if not store.exists():
        yield
        return
    with closing(sqlite3.connect(store, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


def _wait(process: Process, expected: int) -> None:
    """Wait until all is there, or nothing has come for long."""
    state = (0, time.monotonic())

    def done() -> bool:
        nonlocal state
        records = process.ask("/api/v1/summary")["totals"]["records"]
        if records != state[0]:
            state = (records, time.monotonic())
        return time.monotonic() - state[1] > (2.0 if records >= expected else _SETTLED)

    eventually(done, seconds=600)


def stored(path: Path) -> Counter[str]:
    """Read the true count of every trail straight from the store."""
    found: Counter[str] = Counter()
    with closing(open_embedded(path, read_only=True)) as store:
        cursor: str | None = None
        while True:
            page = store.events(Query(), order=EventOrder.OLDEST, limit=1000, cursor=cursor)
            for event in page.events:
                found[event["trailhound"]["trail"]] += event["trailhound"]["count"]
            cursor = page.next
            if cursor is None or not page.events:
                return found
