"""Hosts of ours that look for victims: one speaks, on a port that worms and intruders spread by, to many hosts at once.

Here every connection counts, whatever became of it: in a network where all hosts answer, a worm is never refused.
"""

from collections.abc import Hashable, Iterator

from pydantic import Field

from matchers.findings import Found, Part, Technique, Thresholds
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.scans import Scans, Told
from matchers.heuristics.vertical import is_ours, seconds
from matchers.view import View, rows_of
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity

_COLUMNS = ("id.orig_h", "id.resp_h", "id.resp_p")
# Those of the reference system. Port -> what listens there; the last three are what ransomware sent to.
PORTS = {
    135: "RPC",
    139: "NetBIOS",
    445: "SMB",
    1433: "SQL Server",
    3389: "RDP",
    6379: "Redis",
    6892: "Cerber",
    6893: "Cerber",
    6901: "",
}
_CELLS: dict[Hashable, int] = {
    **{port: port for port in PORTS},
    **{str(port): port for port in PORTS},
    **{str(port).encode(): port for port in PORTS},
}
_POINTS = (50, 75, 90)
_ABROAD = 10


class Infection(Thresholds):
    """From where on connections are an infection."""

    hosts: int = Field(
        default=32,
        ge=2,
        le=1000,
        description="More distinct hosts than these on one of the ports; clients use a few servers.",
    )
    seconds: int = Field(default=30, ge=1, le=3600, description="Within so many seconds, as worms are quick.")


class _Watcher:
    def __init__(self, thresholds: Infection, surroundings: Surroundings) -> None:
        self._window = thresholds.seconds * MICROSECONDS
        self._surroundings = surroundings
        self._scans: Scans[tuple[str, int], str] = Scans(self._window, thresholds.hosts, surroundings.slack)

    def held(self) -> int:
        return len(self._scans)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        ports = view.distinct("id.resp_p") & _CELLS.keys()
        columns = view.columns(*_COLUMNS) if ports else None
        if columns is None:
            return
        sources, targets, of_port = columns
        for row in rows_of(ports, of_port):
            source, target = view.text(_COLUMNS[0], sources[row]), view.text(_COLUMNS[1], targets[row])
            if source is None or target is None or not is_ours(self._surroundings, source):
                continue
            port = _CELLS[of_port[row]]
            told = self._scans.add((source, port), target, view.time(row))
            if told is not None:
                yield row, self._found(source, target, port, told)

    def _found(self, source: str, target: str, port: int, told: Told) -> Found:
        named = f" ({PORTS[port]})" if PORTS[port] else ""
        what = f"port {port}{named} of {told.things:,} hosts"
        parts = [Part("hosts", _POINTS[min(told.level, len(_POINTS) - 1)], f"{what} in {seconds(told)} s")]
        is_abroad = not is_ours(self._surroundings, target)
        if is_abroad:
            parts.append(Part("abroad", _ABROAD, f"{target} is none of ours"))
        return Found(
            said=f"connected to {what} in {seconds(told)} s",
            score=round(sum(part.points for part in parts)),
            severity=Severity.HIGH if told.level or is_abroad else Severity.MEDIUM,
            parts=tuple(parts),
            count=told.tries,
            start=told.start,
            end=told.end,
            key=f"{source} {port} {told.level}",
            window=self._window,
        )


INFECTION = Heuristic(
    name="infection",
    title="potential infection",
    about="A host of ours connects to many hosts at once, on a port that worms and intruders spread by.",
    reads={"conn": _COLUMNS},
    technique=Technique("T1210", "Exploitation of Remote Services", "Lateral Movement"),
    thresholds=Infection,
    start=_Watcher,
    false_positives=(
        "Backup, inventory and deployment servers, which connect to all hosts",
        "Jump hosts of administrators",
    ),
    silence="Mute `infection` for the address of the server, or whitelist it.",
    blind="Worms on other ports (`host-sweep` tells these when they meet closed ones) or slower than the window.",
)
