"""Measure what heuristics of connections cost in a storm of scans, and how much they hold.

python -m bench.heuristics_storm              a million flows a minute, for two minutes
python -m bench.heuristics_storm --only port-scan
"""

import argparse
import random
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from bench.engine import MAX_LINE, chunks, open_set
from bench.trails import compile_apart
from ingest.formats import reader_of
from ingest.stretch import match
from matchers.engine import Engine
from matchers.events import Events
from matchers.heuristics import chosen, registry
from matchers.heuristics.heuristic import Surroundings
from matchers.heuristics.running import Heuristics
from matchers.networks import HomeNetworks
from matchers.whitelist import load
from trailhound.record import MICROSECONDS
from trailhound.settings import HOME_NETWORKS

A_MINUTE = 1_000_000
ACTIVE = 100_000  # Hosts that speak in an ordinary way meanwhile, of which one connection in ten comes to nothing.
_START = 1_767_225_600.0
_PIECE = 100_000
_TRAILS = 10_000
_HEADER = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tconn_state\thistory\torig_pkts\n"
    "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tstring\tstring\tcount\n"
)


class Storm:
    """Draws flows of four kinds in equal parts; the same seed draws the same ones.

    SYN from made-up sources to one host; sources that try ports of one host; sources that try hosts on one port, hosts
    of ours among them; and ordinary traffic.
    """

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._place = 0

    def piece(self, number: int) -> bytes:
        """Write so many flows as Zeek does."""
        kinds = (self._made_up, self._vertical, self._horizontal, self._ordinary)
        lines = [self._line(*kinds[place % len(kinds)]()) for place in range(number)]
        return (_HEADER + "\n".join(lines) + "\n").encode()

    def _line(self, source: str, target: str, port: int, state: str, history: str, packets: int) -> str:
        self._place += 1
        time = _START + self._place * 60 / A_MINUTE
        near_port = self._random.randrange(33_000, 61_000)
        cells = (f"{time:.6f}", f"C{self._place:017x}", source, near_port, target, port, "tcp", "-", state, history)
        return "\t".join(map(str, (*cells, packets)))

    def _made_up(self) -> tuple[str, str, int, str, str, int]:
        source = self._random.getrandbits(32)
        return _address(source), "10.0.0.7", self._random.randrange(1, 65_536), "S0", "S", 1

    def _vertical(self) -> tuple[str, str, int, str, str, int]:
        scanner = self._random.randrange(20_000)
        return f"203.0.{scanner >> 8}.{scanner & 255}", "10.0.0.9", self._random.randrange(1, 1000), "REJ", "Sr", 1

    def _horizontal(self) -> tuple[str, str, int, str, str, int]:
        scanner, target = self._random.randrange(10_000), self._random.getrandbits(16)
        ours = "10" if scanner % 10 == 0 else "198"
        return f"{ours}.51.{scanner >> 8}.{scanner & 255}", f"10.2.{target >> 8}.{target & 255}", 445, "S0", "S", 1

    def _ordinary(self) -> tuple[str, str, int, str, str, int]:
        client, server = self._random.randrange(ACTIVE), self._random.getrandbits(20)
        target = f"23.{server >> 16}.{server >> 8 & 255}.{server & 255}"
        is_vain = self._random.random() < 0.1
        said = ("S0", "S", 1) if is_vain else ("SF", "ShADadFf", 12)
        return f"10.{client >> 16}.{client >> 8 & 255}.{client & 255}", target, 443, *said


def _address(number: int) -> str:
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def _resident() -> int:
    """Give the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one pass came to: the processor's seconds, events, bytes of memory that the process grew by.

    `spent` and `held` say of each heuristic the seconds and the keys.
    """

    seconds: float
    events: int
    grown: int
    spent: Mapping[str, float]
    held: Mapping[str, int]


def _pass(set_path: Path, flows: int, names: Sequence[str]) -> _Outcome:
    """Match a storm piece by piece, with some heuristics at work."""
    homes = HomeNetworks(HOME_NETWORKS)
    engine = Engine(open_set(set_path), load(()), homes)
    off = [name for name in registry() if name not in names]
    surroundings = Surroundings(homes, engine.rules, 300 * MICROSECONDS)
    running = Heuristics(chosen(off, [], {}), surroundings, clock=process_time)
    engine.use(running)
    storm, seconds, found = Storm(), 0.0, 0
    storm.piece(_PIECE)  # So that its own memory is there before.
    before = _resident()
    for _ in range(0, flows, _PIECE):
        parts = chunks(storm.piece(_PIECE))
        reader, events = reader_of("zeek-tsv", engine.wanted(), "conn"), Events("bench")
        begun = process_time()
        found += sum(len(match(reader, engine, part, events, max_line=MAX_LINE).events) for part in parts)
        seconds += process_time() - begun
    return _Outcome(seconds, found, _resident() - before, running.spent, running.held())


def _in_a_process(set_path: Path, flows: int, names: Sequence[str]) -> _Outcome:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_pass, set_path, flows, names).result()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.heuristics_storm", description=__doc__)
    parser.add_argument("--flows", type=int, default=2 * A_MINUTE)
    parser.add_argument("--only", default="", help="measure this heuristic alone")
    asked = parser.parse_args()
    names = [name for name, one in registry().items() if "conn" in one.reads and asked.only in ("", name)]
    with TemporaryDirectory() as folder:
        set_path = Path(folder, "trails.set")
        compile_apart(set_path, _TRAILS)
        bare, full = (_in_a_process(set_path, asked.flows, some) for some in ((), names))
    micros = 1e6 / asked.flows
    sys.stdout.write(
        f"{asked.flows:,} flows: {bare.seconds * micros:.2f} us a row without heuristics,"
        f" {full.seconds * micros:.2f} us with them ({asked.flows / full.seconds:,.0f} rows/s);"
        f" memory grew by {bare.grown >> 20} MB without, {full.grown >> 20} MB with; {full.events:,} events\n"
    )
    for name, seconds in full.spent.items():
        sys.stdout.write(f"  {name:12} {seconds * micros:.2f} us a row, {full.held[name]:,} keys held\n")


if __name__ == "__main__":
    main()
