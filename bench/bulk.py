"""Logs of any size out of a few made-up rows; each time they are written again, ids, times and names are others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench import logs
from bench.traffic import START, Flow, Traffic
from bench.trails import Cost

HOUR = 3_600
_STEP = 100  # Seconds whose times begin with the same digits, so that they are moved by one replacement.


@dataclass(frozen=True, slots=True)
class Step:
    """Rows of 100 seconds of one log, in the first hour."""

    start: int
    data: bytes
    rows: int

    def again(self, hour: int) -> bytes:
        """Write the same rows `hour` hours later: of other connections, that ask for other hosts and other URLs."""
        old, new = (b"%d" % ((self.start + later) // _STEP) for later in (0, hour * HOUR))
        data = (b"\n" + self.data).replace(b"\n" + old, b"\n" + new)[1:]
        mark = b"%d" % hour
        return (
            data.replace(b"\tC", b"\tC" + mark)
            .replace(b"\twww.", b"\tw" + mark + b".")
            .replace(b"\tcdn.", b"\tc" + mark + b".")
            .replace(b"?id=", b"?id=" + mark)
        )


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of one log."""

    log: str
    head: bytes
    steps: Sequence[Step]

    @property
    def rows(self) -> int:
        return sum(step.rows for step in self.steps)

    def again(self, hour: int) -> Iterator[bytes]:
        for step in self.steps:
            yield step.again(hour)


def hours(cost: Cost, rows: int) -> list[Hour]:
    """Make up an hour of dns, conn and http, `rows` in each, no flow in two of them."""
    traffic = Traffic(cost.planted)
    return [_hour(log, traffic.flows(rows)) for log in logs.LOGS]


def _hour(log: str, flows: Sequence[Flow]) -> Hour:
    share = HOUR / len(flows)
    begin = int(START)
    steps: dict[int, list[Flow]] = {begin + step: [] for step in range(0, HOUR, _STEP)}
    for place, flow in enumerate(flows):
        moment = begin + place * share
        steps[int(moment) // _STEP * _STEP].append(replace(flow, time=moment))
    written = [(start, logs.zeek_tsv(log, few).splitlines(keepends=True), len(few)) for start, few in steps.items()]
    head = [line for line in written[0][1] if line.startswith(b"#")]
    return Hour(
        log, b"".join(head), [Step(start, b"".join(lines[len(head) :]), rows) for start, lines, rows in written]
    )
