"""Measure what is found and what is not: precision and recall for families of real trails, in every format.

python -m bench.recall --trails trails-static.tar.gz --families remcos,simda
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.cases import KINDS, Case, Cases
from bench.forms import FORMATS, write
from feeds.entry import Refused
from feeds.files import read_trails
from ingest.formats import reader_of
from ingest.stretch import match
from matchers.compile import Compiler
from matchers.engine import Engine
from matchers.events import Events
from matchers.memory import Occasions
from matchers.networks import HomeNetworks
from matchers.trailset import TrailSet
from matchers.whitelist import Whitelist
from trailhound.settings import HOME_NETWORKS
from trailhound.trail import Trail

MAX_LINE = 1 << 20
SHOWN = 20  # Misses and false alarms that are listed.


@dataclass(slots=True)
class Score:
    """What became of the cases of one family, kind and format."""

    planted: int = 0
    found: int = 0
    near: int = 0
    alarms: int = 0
    wrong: list[str] = field(default_factory=list)

    def shown(self) -> str:
        if not self.planted:
            return "-"
        return f"{self.found / self.planted:.1%} / {self.found / max(self.found + self.alarms, 1):.1%}"


def trails_of(path: Path, families: Iterable[str]) -> list[Trail]:
    """Read the trails of some families, of those kinds that cases can be made for."""
    wanted = set(families)
    entries = (entry for entry in read_trails(path) if not isinstance(entry, Refused))
    return [entry for entry in entries if entry.info in wanted and entry.kind in KINDS]


def engine_of(trails: Iterable[Trail]) -> Engine:
    """Compile trails and make an engine that nothing is hidden from."""
    compiler = Compiler()
    compiler.add_all(trails)
    with TemporaryDirectory() as folder:
        compiler.write(Path(folder, "trails.set"))
        return Engine(TrailSet.open(Path(folder, "trails.set")), Whitelist(), HomeNetworks(HOME_NETWORKS))


def cases_of(trails: Sequence[Trail], most: int) -> list[Case]:
    """Make cases of at most so many trails of each family and kind, evenly from all of them."""
    groups: dict[tuple[str, str], list[Trail]] = defaultdict(list)
    for trail in trails:
        groups[trail.info, trail.kind].append(trail)
    cases = Cases({trail.value for trail in trails})
    chosen = (trail for group in groups.values() for trail in group[:: -(-len(group) // most)])
    return [case for trail in chosen for case in cases.of(trail)]


def scores(engine: Engine, cases: Sequence[Case], format_: str) -> dict[tuple[str, str], Score]:
    """Let an engine read all cases in one format; each case has a client of its own, by which it is told."""
    met = _met(engine, cases, format_)
    found: dict[tuple[str, str], Score] = defaultdict(Score)
    for number, case in enumerate(cases):
        score, values = found[case.trail.info, case.trail.kind], met.get(_client(number), set())
        if case.planted:
            score.planted += 1
            score.found += case.trail.value in values
        else:
            score.near += 1
            score.alarms += bool(values)
        if (case.trail.value in values) if case.planted else not values:
            continue
        word = "missed" if case.planted else "false alarm"
        score.wrong.append(f"{word}: {format_} {case.log} {case.trail.value} in {dict(case.row)}, met {sorted(values)}")
    return found


def _client(number: int) -> str:
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def _met(engine: Engine, cases: Sequence[Case], format_: str) -> dict[str, set[str]]:
    met: dict[str, set[str]] = defaultdict(set)
    engine.occasions = Occasions()  # The same connections in another format would count as known.
    wanted = engine.wanted()
    for log in sorted({case.log for case in cases}):
        rows = [
            {"id.orig_h": _client(n), "uid": f"C{n}", **case.row} for n, case in enumerate(cases) if case.log == log
        ]
        stretch = match(
            reader_of(format_, wanted, log),
            engine,
            write(format_, log, rows),
            Events("recall"),
            max_line=MAX_LINE,
        )
        assert len(rows) == stretch.records, (log, format_, stretch.bad_lines[:3])
        for event in stretch.events:
            met[event.source_ip or ""].add(event.trail.value)
    return met


def table(trails: Sequence[Trail], by_format: Sequence[dict[tuple[str, str], Score]]) -> Iterator[str]:
    """Write recall and precision as a table of Markdown."""
    yield "| family | kind | trails | planted | near misses | Zeek TSV | Zeek JSON | EVE |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for trail in trails:
        counts[trail.info, trail.kind] += 1
    for group in sorted(by_format[0]):
        score = by_format[0][group]
        cells = (*group, f"{counts[group]:,}", f"{score.planted:,}", f"{score.near:,}")
        yield "| " + " | ".join((*cells, *(found[group].shown() for found in by_format))) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.recall", description=__doc__)
    parser.add_argument("--trails", type=Path, required=True, help="file, folder or archive of trails")
    parser.add_argument("--families", required=True, help="names of threats, with commas between")
    parser.add_argument("--most", type=int, default=500, help="trails of each family and kind that are tried")
    chosen = parser.parse_args()
    trails = trails_of(chosen.trails, chosen.families.split(","))
    engine, cases = engine_of(trails), cases_of(trails, chosen.most)
    by_format = [scores(engine, cases, format_) for format_ in FORMATS]
    print("Each cell: recall / precision.\n")
    print("\n".join(table(trails, by_format)))
    wrong = [line for found in by_format for score in found.values() for line in score.wrong]
    print(f"\n{len(wrong)} of {len(cases) * len(FORMATS):,} wrong", *wrong[:SHOWN], sep="\n")


if __name__ == "__main__":
    main()
