"""Measure Trailhound: rows a second, what heuristics cost of them, memory, start, compiling.

python -m bench                                made-up trails, as many as Maltrail has
python -m bench --trails trails-static.tar.gz  real ones
"""

import argparse
import gc
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench import fresh, logs, rates, report, rivals, shares
from bench.engine import open_set
from bench.traffic import Flow, Traffic
from bench.trails import Cost, compile_apart


@dataclass(frozen=True, slots=True)
class _Form:
    """A log in one format: its name for people, the reader's name of the format, the log's name, how it is written."""

    name: str
    format: str
    log: str
    write: Callable[[Iterable[Flow]], bytes]


_FORMS = (
    *(_Form(f"Zeek TSV {log}", "zeek-tsv", log, partial(logs.zeek_tsv, log)) for log in logs.LOGS),
    *(_Form(f"Zeek JSON {log}", "zeek-json", log, partial(logs.zeek_json, log)) for log in ("dns", "conn")),
    _Form("EVE mixed", "eve", "eve", logs.eve),
)
RIVALED = "Zeek TSV dns"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--trails", type=Path, help="file, folder or archive of trails; made up when not given")
    parser.add_argument("--set", type=Path, help="keep the compiled set here")
    parser.add_argument("--rows", type=int, default=500_000, help="rows of each log")
    parser.add_argument("--runs", type=int, default=3, help="runs of each measurement; the median counts")
    parser.add_argument("--only", default="", help="measure only formats whose name has this in it")
    parser.add_argument("--json", type=Path, help="write the numbers to this file too")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        set_path = chosen.set or Path(folder, "trails.set")
        cost = compile_apart(set_path, chosen.trails)
        found = _measure(Path(folder), set_path, cost, chosen)
    report.show(found)
    if chosen.json:
        chosen.json.write_bytes(msgspec.json.format(msgspec.json.encode(found)))


def _measure(folder: Path, set_path: Path, cost: Cost, chosen: argparse.Namespace) -> report.Report:
    flows = Traffic(cost.planted).flows(chosen.rows)
    gc.freeze()  # A process at work would not hold these objects, and need not have its collector look at them.
    found: list[rates.Rate] = []
    starts: list[float] = []
    shared: list[shares.Shares] = []
    memory = None
    trails = open_set(set_path)
    for form in _FORMS:
        if chosen.only.lower() not in form.name.lower():
            continue
        data, file = form.write(flows), folder / "rows.log"
        file.write_bytes(data)
        if memory is None:
            fresh_ones = [fresh.measure(set_path, file, form.format, form.log) for _ in range(chosen.runs)]
            starts, memory = [seconds for seconds, _ in fresh_ones], fresh_ones[-1][1]
        shared.append(shares.measure(form.name, trails, form.format, form.log, data, chosen.runs))
        found += rates.of_engine(form.name, trails, form.format, form.log, data, chosen.runs)
        if form.format == "zeek-tsv":
            found += rates.yardsticks(form.name, data, file, chosen.runs)
        if form.name == RIVALED:
            found += rivals.measure(form.name, data, folder, chosen.trails)
    return report.Report(cost, found, starts, memory, shared)


if __name__ == "__main__":
    main()
