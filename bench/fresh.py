"""What a process of its own needs: from its start to the first match, and memory.

python -m bench.fresh SET LOG FORMAT NAME     print a line at the first match, then memory as JSON
"""

import itertools
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from bench.engine import MAX_LINE, make_engine, open_set, run
from ingest.formats import whole_lines

FIRST = 200  # Lines of the log that are matched before the process says so.


class Memory(msgspec.Struct, frozen=True):
    """Bytes of a process that has matched a log: resident, and the part that no other process could share."""

    resident: int
    private: int
    opening_seconds: float


def measure(set_path: Path, log: Path, format_: str, name: str) -> tuple[float, Memory]:
    """Start a process that matches a log; give the seconds to its first match, and its memory."""
    command = [sys.executable, "-m", "bench.fresh", str(set_path), str(log), format_, name]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        if process.stdout is None:
            raise ValueError("the output of the fresh process cannot be read")
        process.stdout.readline()
        seconds = time.perf_counter() - began
        return seconds, msgspec.json.decode(process.stdout.read(), type=Memory)


def _memory(opening: float) -> Memory:
    kilobytes = {}
    for file in ("status", "smaps_rollup"):
        for line in Path("/proc/self", file).read_text().splitlines():
            name, _, rest = line.partition(":")
            if rest.endswith(" kB"):
                kilobytes[name] = int(rest.split()[0])
    private = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return Memory(kilobytes["VmRSS"] * 1024, private * 1024, opening)


def _main(set_path: str, log: str, format_: str, name: str) -> None:
    before = time.perf_counter()
    trails = open_set(Path(set_path))
    opening = time.perf_counter() - before
    with Path(log).open("rb") as stream:
        head = b"".join(stream.readline() for _ in range(FIRST))
        _, found = run(make_engine(trails), format_, name, [head])
        print(f"{found} matches", flush=True)
        rest = whole_lines(stream, Path(log), MAX_LINE)
        run(make_engine(trails), format_, name, itertools.chain([head], rest))
    print(msgspec.json.encode(_memory(opening)).decode())


if __name__ == "__main__":
    _main(*sys.argv[1:])
