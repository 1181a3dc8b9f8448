"""A trail set to measure with, compiled from real trails or from made-up ones of the same number and kinds.

python -m bench.trails SET [TRAILS | NUMBER]    compile in a process of its own and print what it took, as JSON
"""

import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench.traffic import Planted
from feeds.entry import Refused
from feeds.files import read_trails
from matchers.compile import Compiler
from trailhound import canonical
from trailhound.trail import Trail, TrailClass, TrailKind

# What Maltrail's static trails come to.
_DOMAINS, _ENDPOINTS, _PATHS, _HOSTS, _ADDRESSES, _URLS = 1_160_000, 280_000, 92_000, 57_000, 23_000, 16_000
_NETWORKS, _ADDRESSES6 = 1_100, 2_000
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_SUFFIXES = ("com", "com", "net", "ru", "org", "info", "top", "xyz", "duckdns.org", "ddns.net")
_FAMILIES = 2_000
SAMPLE = 500  # Trails of each kind that rows can be planted with.


class Cost(msgspec.Struct, frozen=True):
    """What compiling took. `names`, `endpoints` and `urls` are a sample of the trails."""

    trails: int
    bytes: int
    cpu_seconds: float
    peak_bytes: int
    names: list[str]
    endpoints: list[tuple[str, int]]
    urls: list[tuple[str, str]]

    @property
    def planted(self) -> Planted:
        return Planted(self.names, self.endpoints, self.urls)


def made_up(number: int | None = None, seed: int = 1) -> Iterator[Trail]:
    """Make trails up: as many as Maltrail has or about `number`, the kinds in the same proportion."""
    draw = random.Random(seed)
    factor = number / sum(usual for _, usual in _NUMBERS) if number else 1
    for kind, usual in _NUMBERS:
        for _ in range(round(usual * factor)):
            family = draw.randrange(_FAMILIES)
            value = canonical.indicator(kind, _VALUES[kind](draw)).value
            reference = f"https://reports.example/{family}/{draw.randrange(20)}"
            yield Trail(kind, value, f"family{family}", TrailClass.MALWARE, ("made up",), reference, 80)


def _word(draw: random.Random) -> str:
    return "".join(draw.choices(_LETTERS, k=draw.randint(6, 14)))


def _domain(draw: random.Random) -> str:
    return f"{_word(draw)}.{draw.choice(_SUFFIXES)}"


def _address(draw: random.Random) -> str:
    return f"{draw.randrange(100, 224)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(1, 255)}"


_NUMBERS = (
    (TrailKind.DOMAIN, _DOMAINS),
    (TrailKind.IP_PORT, _ENDPOINTS),
    (TrailKind.PATH, _PATHS),
    (TrailKind.HTTP_HOST, _HOSTS),
    (TrailKind.IPV4, _ADDRESSES),
    (TrailKind.URL, _URLS),
    (TrailKind.CIDR, _NETWORKS),
    (TrailKind.IPV6, _ADDRESSES6),
)
_VALUES: dict[TrailKind, Any] = {
    TrailKind.DOMAIN: _domain,
    TrailKind.IP_PORT: lambda draw: f"{_address(draw)}:{draw.randrange(1, 65536)}",
    TrailKind.PATH: lambda draw: f"/{_word(draw)}/{_word(draw)}.php",
    TrailKind.HTTP_HOST: lambda draw: f"{_address(draw)}/",
    TrailKind.IPV4: _address,
    TrailKind.URL: lambda draw: f"{_domain(draw)}/{_word(draw)}.exe",
    TrailKind.CIDR: lambda draw: f"{draw.randrange(224, 239)}.{draw.randrange(256)}.{draw.randrange(256)}.0/24",
    TrailKind.IPV6: lambda draw: f"2001:db8:{draw.randrange(65536):x}::{draw.randrange(1, 65536):x}",
}


def compile_apart(target: Path, source: Path | int | None = None) -> Cost:
    """Compile in a process of its own, whose memory is then only that of compiling."""
    command = [sys.executable, "-m", "bench.trails", str(target), *([str(source)] if source else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=Cost)


def compile_set(target: Path, entries: Iterable[Trail | Refused]) -> Cost:
    compiler = Compiler()
    samples: dict[TrailKind, list[str]] = {kind: [] for kind in (TrailKind.DOMAIN, TrailKind.IP_PORT, TrailKind.URL)}
    for place, entry in enumerate(entries):
        if isinstance(entry, Refused):
            continue
        compiler.add(entry)
        sample = samples.get(entry.kind)
        if sample is not None and len(sample) < SAMPLE and place % 31 == 0:
            sample.append(entry.value)
    compiled = compiler.write(target)
    return Cost(
        trails=compiled.trails,
        bytes=compiled.bytes,
        cpu_seconds=time.process_time(),
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        names=samples[TrailKind.DOMAIN],
        endpoints=[(host, port or 0) for host, port in map(canonical.host_port, samples[TrailKind.IP_PORT])],
        urls=[(host, f"/{path}") for host, _, path in (value.partition("/") for value in samples[TrailKind.URL])],
    )


def entries(source: str = "") -> Iterable[Trail | Refused]:
    """Give the trails of a file, folder or archive, or a number of made-up ones."""
    return made_up(int(source or 0)) if source.isdecimal() or not source else read_trails(Path(source))


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(compile_set(Path(sys.argv[1]), entries(*sys.argv[2:]))))
