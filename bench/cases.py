"""Labelled records: trails as they would occur in traffic, and near misses of them."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from trailhound.canonical import host_port, with_port
from trailhound.trail import Trail, TrailKind

Cell = tuple[str, dict[str, Any]]
# Kinds of a family that stand in logs as values of their own.
KINDS = (
    TrailKind.DOMAIN,
    TrailKind.IPV4,
    TrailKind.IPV6,
    TrailKind.CIDR,
    TrailKind.IP_PORT,
    TrailKind.URL,
    TrailKind.HTTP_HOST,
    TrailKind.PATH,
)


@dataclass(frozen=True, slots=True)
class Case:
    """One record. `planted` tells whether it holds the trail; if not, it comes near."""

    trail: Trail
    log: str
    row: Mapping[str, Any]
    planted: bool


class Cases:
    """Makes cases; `known` are the values of all trails, so that no near miss is a hit."""

    def __init__(self, known: AbstractSet[str], seed: int = 1) -> None:
        self._known = known
        self._draw = random.Random(seed)

    def of(self, trail: Trail) -> Iterator[Case]:
        hits, misses = _MAKERS[trail.kind]
        chosen = list(hits(trail.value))
        log, row = self._draw.choice(chosen)
        yield Case(trail, log, row, planted=True)
        near = [(log, row) for log, row in misses(trail.value) if not self._is_known(row)]
        if near:
            log, row = self._draw.choice(near)
            yield Case(trail, log, row, planted=False)

    def _is_known(self, row: Mapping[str, Any]) -> bool:
        """Tell by the simplest means whether a near miss of one trail is, or is below, another."""
        address, port = row.get("id.resp_h", ""), row.get("id.resp_p")
        host = row.get("query") or row.get("host") or row.get("server_name") or address
        labels = host_port(host)[0].split(".")
        parents = {".".join(labels[start:]) for start in range(len(labels))}
        path = row.get("uri", "/").lower()
        # A trail for a folder stands for the files in it.
        pieces = {path[start:] for start in range(len(path)) if path[start] == "/"} | {path, path.rpartition("/")[0]}
        spelled = {address, f"{address}:{port}", f"[{address}]:{port}", f"{host}/", *(host + piece for piece in pieces)}
        return not self._known.isdisjoint(spelled | parents | pieces)


def _asked(name: str) -> Iterator[Cell]:
    yield "dns", {"query": name}
    yield "dns", {"query": name, "answers": ["192.0.2.77"]}
    yield "ssl", {"server_name": name}
    yield "quic", {"server_name": name}
    yield "http", {"host": name, "uri": "/"}


def _name_hits(value: str) -> Iterator[Cell]:
    for name in (value, f"a7.{value}", f"x.y.{value}", value.upper(), f"{value}.", value.title()):
        yield from _asked(name)
    yield "http", {"host": f"{value}:8080", "uri": "/"}
    yield "http", {"host": "proxy.test", "uri": f"http://{value}/"}
    yield "http", {"host": "good.test", "uri": "/", "referrer": f"http://{value}/"}
    yield "dns", {"query": "good.test", "answers": [value]}


def _name_misses(value: str) -> Iterator[Cell]:
    first, _, rest = value.partition(".")
    siblings = (f"sib7.{rest}",) if "." in rest else ()
    # Below another name, a hidden service is what a gateway shows.
    beginnings = () if rest in ("onion", "i2p") else (f"{value}.test",)
    for name in (f"not{value}", f"not-{value}", f"{first}x.{rest}", f"{first}-{value}", *siblings, *beginnings):
        yield from _asked(name)


def _to(address: str, port: int) -> Iterator[Cell]:
    for proto in ("tcp", "udp"):
        yield "conn", {"id.resp_h": address, "id.resp_p": port, "proto": proto}
    yield "ssl", {"id.resp_h": address, "id.resp_p": port, "server_name": "good.test"}


def _address_hits(value: str) -> Iterator[Cell]:
    mapped = f"::ffff:{value}" if ":" not in value else ip_address(value).exploded.upper()
    for address in (value, mapped):
        yield from _to(address, 443)
    yield "dns", {"query": "good.test", "answers": ["192.0.2.77", value]}


def _neighbour(value: str) -> str:
    return str(ip_address(int(ip_address(value)) ^ 1)) if ":" not in value else str(ip_address(value) + 1)


def _address_misses(value: str) -> Iterator[Cell]:
    yield from _to(_neighbour(value), 443)


def _network_hits(value: str) -> Iterator[Cell]:
    network = ip_network(value)
    for address in (network[0], network[-1], network[network.num_addresses // 2]):
        yield from _to(str(address), 443)


def _network_misses(value: str) -> Iterator[Cell]:
    network = ip_network(value)
    yield from _to(str(network[-1] + 1), 443)
    yield from _to(str(network[0] - 1), 443)


def _port_hits(value: str) -> Iterator[Cell]:
    address, port = host_port(value)
    for spelled in (address, f"::ffff:{address}" if ":" not in address else address.upper()):
        yield from _to(spelled, port or 0)


def _port_misses(value: str) -> Iterator[Cell]:
    address, port = host_port(value)
    yield from _to(address, (port or 0) % 65535 + 1)
    yield from _to(_neighbour(address), port or 0)


def _request(host: str, path: str) -> Cell:
    return "http", {"host": host, "uri": path, "id.resp_p": host_port(host)[1] or 80}


def _spellings(path: str) -> Iterator[str]:
    yield path
    yield path.upper()
    yield f"/{path}"
    yield f"/%{ord(path[1]):02x}{path[2:]}" if path[1].isalnum() else path
    if "?" not in path:
        yield f"{path}?id=7&x=%20"
        yield f"{path}/"


def _url_hits(value: str) -> Iterator[Cell]:
    host, _, rest = value.partition("/")
    for path in _spellings(f"/{rest}"):
        yield _request(host, path)
    yield _request(host.upper(), f"/{rest}")
    yield "http", {"host": "proxy.test", "uri": f"http://{host}/{rest}"}
    if host_port(host)[1] is None:
        yield _request(f"{host}:80", f"/{rest}")
        if not host.replace(".", "").isdigit():
            yield _request(f"www.{host}", f"/{rest}")


def _url_misses(value: str) -> Iterator[Cell]:
    host, _, rest = value.partition("/")
    bare, port = host_port(host)
    bare_path = rest.partition("?")[0]
    yield _request(host, f"/{bare_path}ology7")
    yield _request(host, f"/no7/{bare_path}z7")
    other = _neighbour(bare) if bare.replace(".", "").isdigit() else f"not{bare}"
    yield _request(with_port(other, port) if port else other, f"/{rest}")
    yield _request(host if port else f"{host}:8099", f"/q7{rest}")


def _path_hits(value: str) -> Iterator[Cell]:
    for path in _spellings(value):
        yield _request("any7.test", path)


def _path_misses(value: str) -> Iterator[Cell]:
    bare = value.partition("?")[0]
    yield _request("any7.test", f"{bare}z7")
    yield _request("any7.test", f"/z7{bare[1:]}")
    yield "dns", {"query": "any7.test"}


def _host_hits(value: str) -> Iterator[Cell]:
    host = value.removesuffix("/")
    for path in ("/", "/a/b7.bin", "/?x=1", "/A%20b"):
        yield _request(host, path)
        yield "http", {"host": "proxy.test", "uri": f"http://{host}{path}"}


def _host_misses(value: str) -> Iterator[Cell]:
    bare, port = host_port(value.removesuffix("/"))
    other = _neighbour(bare) if bare.replace(".", "").isdigit() else f"not{bare}"
    yield _request(with_port(other, port) if port else other, "/")
    yield _request(with_port(bare, (port or 8080) + 1), "/")


Maker = Callable[[str], Iterable[Cell]]
_MAKERS: Mapping[TrailKind, tuple[Maker, Maker]] = {
    TrailKind.DOMAIN: (_name_hits, _name_misses),
    TrailKind.IPV4: (_address_hits, _address_misses),
    TrailKind.IPV6: (_address_hits, _address_misses),
    TrailKind.CIDR: (_network_hits, _network_misses),
    TrailKind.IP_PORT: (_port_hits, _port_misses),
    TrailKind.URL: (_url_hits, _url_misses),
    TrailKind.HTTP_HOST: (_host_hits, _host_misses),
    TrailKind.PATH: (_path_hits, _path_misses),
}
