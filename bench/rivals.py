"""What else one could do with a list of names and a DNS log: pandas with zat's reader of frames, and grep.

python -m bench.rivals LOG NAMES     count with pandas the rows, and those that ask for one of the names
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zat.log_to_dataframe import LogToDataFrame

from bench.rates import Rate
from bench.trails import entries
from feeds.entry import Refused
from trailhound.trail import TrailKind

_MEGA = 1_000_000
_ENVIRONMENT = {**os.environ, "LC_ALL": "C"}  # With the characters of UTF-8 to mind, grep takes longer.
_LAUNCH = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


@dataclass(frozen=True, slots=True)
class _Cost:
    cpu_seconds: float
    peak_bytes: int


def measure(name: str, data: bytes, folder: Path, source: Path | None) -> list[Rate]:
    """Measure both on one log with the names of the trails; what they need to start is in what they are called."""
    names, log, nothing = folder / "names.txt", folder / "rival.log", folder / "nothing.log"
    with names.open("w", encoding="utf-8") as file:
        kept = (one for one in entries(str(source or "")) if not isinstance(one, Refused))
        file.writelines(f"{trail.value}\n" for trail in kept if trail.kind is TrailKind.DOMAIN)
    log.write_bytes(data)
    # One row: zat cannot read a log without any.
    lines = data.splitlines(keepends=True)
    head = [line for line in lines[:20] if line.startswith(b"#")]
    nothing.write_bytes(b"".join([*head, lines[len(head)]]))
    rows = len(lines) - len(head)
    return [
        _rate(f"{name}: zat's frame and isin", _pandas, (log, nothing), names, rows, len(data)),
        _rate(f"{name}: grep -F -f", _grep, (log, nothing), names, rows, len(data)),
    ]


def _rate(
    name: str,
    command: Callable[[Path, Path], Sequence[str]],
    logs: tuple[Path, Path],
    names: Path,
    rows: int,
    size: int,
) -> Rate:
    whole, start = (_run(command(log, names)) for log in logs)
    about = f"{name} ({start.cpu_seconds:.1f} s to start, {whole.peak_bytes / _MEGA:,.0f} MB)"
    spent = max(whole.cpu_seconds - start.cpu_seconds, 0.001)
    return Rate(about, rows, 0, size / rows, rows / spent, yardstick=True)


def _pandas(log: Path, names: Path) -> Sequence[str]:
    return (sys.executable, "-m", "bench.rivals", str(log), str(names))


def _grep(log: Path, names: Path) -> Sequence[str]:
    return ("grep", "-c", "-F", "-f", str(names), str(log))


def _run(command: Sequence[str]) -> _Cost:
    # A small process in between: what starts as a copy of a large one is counted with the memory of that.
    launcher = (sys.executable, "-I", "-S", "-c", _LAUNCH, *command)
    done = subprocess.run(launcher, stdout=subprocess.PIPE, env=_ENVIRONMENT, check=True)
    status, seconds, kilobytes = done.stdout.split()
    if int(status) not in (0, 1):  # With 1, grep says that it found nothing.
        raise ValueError(f"{command[0]}: ended with status {int(status)}, 0 or 1 was expected")
    return _Cost(float(seconds), int(kilobytes) * 1024)


def _main(log: str, names: str) -> None:
    wanted = Path(names).read_text("utf-8").splitlines()
    frame = LogToDataFrame().create_dataframe(log)
    print(len(frame), int(frame["query"].isin(wanted).sum()))


if __name__ == "__main__":
    _main(*sys.argv[1:])
