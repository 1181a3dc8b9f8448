"""Which attacks the heuristics of the loop (also those off by default) find, how soon, and what they say wrongly.

python -m bench.detection                       made-up attacks among made-up traffic of an office
python -m bench.detection --labelled FOLDER     and the labelled sets in a folder

The attacks are scans as Zeek logs those of nmap, tunnels as dnscat2 and iodine make them, and names that families of
malware generate. Beacons show only over hours: `python -m bench.behaviour` measures those.
"""

import argparse
import base64
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench import generated_names, logs
from bench.logs import Row
from bench.shares import watched
from bench.traffic import START, Planted, Traffic
from ingest.formats import HEAD, detect, open_log, reader_of
from ingest.logtypes import log_of_file
from ingest.stretch import match
from matchers.compile import Compiler
from matchers.events import Events
from matchers.trailset import TrailSet
from trailhound.record import MICROSECONDS

if TYPE_CHECKING:
    from trailhound.event import Event

ATTACKER = "10.200.0.66"
VICTIM = "10.200.1.1"
FLOWS = 100_000  # Of the office, during some twenty seconds of a busy site.
MAX_LINE = 1 << 20
LABELLED = "| labelled log | attackers | told of | others told of |\n| --- | ---: | ---: | ---: |"


@dataclass(frozen=True, slots=True)
class Attack:
    """What one host does: rows of one log, from the start of the traffic on, and which heuristics should say so."""

    name: str
    log: str
    rows: Sequence[Row]
    expected: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of an attack, and after how many seconds of the records; `wrong` counts what others were said."""

    name: str
    found: Mapping[str, float]
    wrong: int

    def __str__(self) -> str:
        found = ", ".join(f"{rule} after {delay:,.1f} s" for rule, delay in self.found.items())
        return f"| {self.name} | {found or 'nothing'} | {self.wrong} |"


def attacks() -> Iterator[Attack]:
    yield from _scans()
    for name, rows in {"dnscat2": _dnscat(600), "iodine": _iodine(900)}.items():
        yield Attack(f"tunnel: {name}", "dns", rows, frozenset({"dns-tunnel", "long-name", "dns-exhaustion"}))
    for family, make in generated_names.FAMILIES.items():
        rows = [_dns(f"{label}.com", place * 2, "NXDOMAIN") for place, label in enumerate(make(200))]
        yield Attack(f"names: {family}", "dns", rows, frozenset({"generated-name", "nxdomain-excess"}))


def _scans() -> Iterator[Attack]:
    """Make scans of ports and of hosts as Zeek logs those of nmap."""
    ports = range(1, 1001)
    vertical = frozenset({"port-scan", "slow-port-scan", "udp-scan"})
    kinds = {"-sS": ("REJ", "Sr"), "-sS (nothing answers)": ("S0", "S"), "-sN": ("OTH", ""), "-sF": ("SH", "F")}
    for option, (state, history) in kinds.items():
        rows = [_conn(VICTIM, port, place / 100, state, history) for place, port in enumerate(ports)]
        yield Attack(f"nmap {option}", "conn", rows, vertical)
    rows = [_conn(VICTIM, port, place / 10, "S0", "D", "udp") for place, port in enumerate(ports)]
    yield Attack("nmap -sU", "conn", rows, vertical)
    rows = [_conn(VICTIM, port, place * 15, "REJ", "Sr") for place, port in enumerate(ports)]
    yield Attack("nmap -sS -T1 (a port in 15 s)", "conn", rows, vertical)
    horizontal = frozenset({"host-sweep", "infection"})
    for port in (445, 22, 8443):
        rows = [_conn(f"10.201.{host // 250}.{host % 250 + 1}", port, host / 20, "S0", "S") for host in range(500)]
        yield Attack(f"sweep of 500 hosts, port {port}", "conn", rows, horizontal)


def _conn(target: str, port: int, after: float, state: str, history: str, protocol: str = "tcp") -> Row:
    ends: Row = {"id.orig_h": ATTACKER, "id.orig_p": 40_000 + port % 20_000, "id.resp_h": target, "id.resp_p": port}
    sizes: Row = {"orig_pkts": 1, "orig_bytes": 0, "resp_bytes": 0, "resp_pkts": int(state == "REJ")}
    came: Row = {"proto": protocol, "conn_state": state, "history": history or None}
    return {"ts": START + after, "uid": f"C{port}", **ends, **came, **sizes}


def _dns(name: str, after: float, code: str = "NOERROR", type_: str = "A") -> Row:
    ends: Row = {"id.orig_h": ATTACKER, "id.orig_p": 40_000, "id.resp_h": "10.0.0.53", "id.resp_p": 53, "proto": "udp"}
    return {"ts": START + after, "uid": "C1", **ends, "query": name, "qtype_name": type_, "rcode_name": code}


def _dnscat(number: int) -> Sequence[Row]:
    names = (f"{_bytes(place, 30).hex()}.t.example.org" for place in range(number))
    return [_dns(name, place, type_=("TXT", "MX", "CNAME")[place % 3]) for place, name in enumerate(names)]


def _iodine(number: int) -> Sequence[Row]:
    def label(place: int) -> str:
        return base64.b32encode(_bytes(place, 35)).decode().lower().rstrip("=")

    return [_dns(f"0{label(place)}.{label(-place)}.t.example.org", place / 5, type_="NULL") for place in range(number)]


def _bytes(seed: int, size: int) -> bytes:
    return hashlib.shake_128(str(seed).encode()).digest(size)


def outcome(trails: TrailSet, attack: Attack, office: Sequence[Row]) -> Outcome:
    """Let one host attack among the traffic of an office."""
    rows = sorted((*office, *attack.rows), key=lambda row: float(str(row["ts"])))
    found = _found(trails, attack.log, logs.tsv(attack.log, rows))
    delays: dict[str, float] = {}
    for event in found:
        rule = str(event.ecs["rule.name"])
        if event.source_ip == ATTACKER and rule in attack.expected:
            delay = event.end / MICROSECONDS - START
            delays[rule] = min(delay, delays.get(rule, delay))
    return Outcome(attack.name, delays, sum(event.source_ip != ATTACKER for event in found))


def _found(trails: TrailSet, log: str, data: bytes) -> "list[Event]":
    machine = watched(trails, everything=True)
    kind = detect(data[:HEAD])
    if kind is None:
        return []
    reader = reader_of(kind, machine.wanted(), log)
    stretch = match(reader, machine, data, Events("bench"), max_line=MAX_LINE)
    return [event for event in stretch.events if "rule.name" in event.ecs]


def labelled(trails: TrailSet, folder: Path) -> Iterator[str]:
    """Say of each set with labels who attacked, who of them is told of, and who is told of that did not."""
    for path in sorted(folder.rglob("*.labeled")):
        with open_log(path) as stream:
            data = stream.read()
        log = log_of_file(path.name)
        if log not in logs.LOGS:
            continue
        bad = _sources(data)
        told = {str(event.source_ip) for event in _found(trails, log, data)}
        yield f"| {path.parts[-3]} {log} | {len(bad)} | {len(told & bad)} | {len(told - bad)} |"


def _sources(data: bytes) -> set[str]:
    """Give the sources of the records that are labelled as malicious."""
    lines = data.decode("utf-8", "replace").splitlines()
    place = next(line.split("\t").index("id.orig_h") - 1 for line in lines if line.startswith("#fields"))
    return {line.split("\t")[place] for line in lines if not line.startswith("#") and "Malicious" in line}


def table(trails: TrailSet) -> Iterator[str]:
    flows = Traffic(Planted(["bad.example"], [("203.0.113.1", 443)], [("bad.example", "/x")])).flows(FLOWS)
    office = {log: list(logs.rows(log, flows)) for log in ("conn", "dns")}
    yield "| attack | found by | wrong |"
    yield "| --- | --- | ---: |"
    for attack in attacks():
        yield str(outcome(trails, attack, office[attack.log]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.detection", description=__doc__)
    parser.add_argument("--labelled", type=Path, help="a folder of Zeek logs whose records have labels")
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = Path(folder, "none.set")
        Compiler().write(path)
        trails = TrailSet.open(path)
        sys.stdout.writelines(f"{line}\n" for line in table(trails))
        if chosen.labelled:
            sys.stdout.write(
                "\n| labelled log | attackers | told of | others told of |\n| --- | ---: | ---: | ---: |\n"
            )
            sys.stdout.writelines(f"{line}\n" for line in labelled(trails, chosen.labelled))


if __name__ == "__main__":
    main()
