"""Horizontal scans: one host tries one TCP port of many hosts within a short time, and mostly in vain."""

from collections.abc import Iterator

from pydantic import Field

from matchers.findings import Found, Part, Technique, Thresholds
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.infection import PORTS as OF_INFECTION
from matchers.heuristics.scans import Scans, Told
from matchers.heuristics.tries import COLUMNS, Kind, tries_of
from matchers.heuristics.vertical import is_ours, seconds, severity_of
from matchers.view import View
from trailhound.record import MICROSECONDS

_POINTS = (60, 80, 90)


class HostSweep(Thresholds):
    """From where on tries are a sweep."""

    hosts: int = Field(
        default=32,
        ge=2,
        le=1000,
        description="More distinct hosts than these that were tried in vain; a client or a relay meets a few dead"
        " servers at most.",
    )
    seconds: int = Field(
        default=60, ge=1, le=3600, description="Within so many seconds; even careful sweeps try a host every second."
    )


class _Watcher:
    def __init__(self, thresholds: HostSweep, surroundings: Surroundings) -> None:
        self._window = thresholds.seconds * MICROSECONDS
        self._surroundings = surroundings
        self._scans: Scans[tuple[str, int], str] = Scans(self._window, thresholds.hosts, surroundings.slack)

    def held(self) -> int:
        return len(self._scans)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        add = self._scans.add
        for row, time, source, target, port, kind in view.once(tries_of):
            # What hosts of ours do on the ports of infections, the heuristic for these tells.
            if kind is Kind.UDP or (port in OF_INFECTION and is_ours(self._surroundings, source)):
                continue
            told = add((source, port), target, time)
            if told is not None:
                yield row, self._found(source, target, port, told)

    def _found(self, source: str, target: str, port: int, told: Told) -> Found:
        what = f"TCP port {port} of {told.things:,} hosts"
        points = _POINTS[min(told.level, len(_POINTS) - 1)]
        # Of ours to ours is how an intruder looks for the next host.
        is_inside = is_ours(self._surroundings, source) and is_ours(self._surroundings, target)
        return Found(
            said=f"tried {what} in {seconds(told)} s",
            score=points,
            severity=severity_of(self._surroundings, source, told, is_sure=is_inside),
            parts=(Part("hosts", points, f"{what} in {seconds(told)} s, none spoken with"),),
            count=told.tries,
            start=told.start,
            end=told.end,
            key=f"{source} {port} {told.level}",
            window=self._window,
        )


HOST_SWEEP = Heuristic(
    name="host-sweep",
    title="potential host sweep",
    about="One host tries one TCP port of many hosts in vain within a short time; told again at each tenfold.",
    reads={"conn": COLUMNS},
    technique=Technique("T1018", "Remote System Discovery", "Discovery"),
    thresholds=HostSweep,
    start=_Watcher,
    false_positives=(
        "Inventory, monitoring and vulnerability scanners of the site's own",
        "Clients of file sharing, whose peers are often gone",
        "Crawlers, and gateways that speak for many clients",
    ),
    silence="Mute `host-sweep` for the address of the scanner or gateway, or whitelist it.",
    blind="Sweeps with ICMP, ARP or UDP; sweeps slower than the window, or that a firewall before the sensor drops.",
)
