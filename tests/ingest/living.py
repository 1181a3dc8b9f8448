"""Logs that live: a Zeek writer that can be told to do what writers do, and an engine that finds all it writes."""

from collections.abc import Iterable
from pathlib import Path

from ingest.tail import Piece, Tail
from matchers.compile import Compiler
from matchers.engine import Engine
from matchers.networks import HomeNetworks
from matchers.trailset import TrailSet
from matchers.whitelist import Whitelist
from trailhound.settings import HOME_NETWORKS
from trailhound.trail import Trail, TrailClass, TrailKind

START = 1_700_000_000
WANTED = {"dns": ("ts", "query", "answers")}
_FIELDS = ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "trans_id", "query", "rcode_name"]
_TYPES = ["time", "string", "addr", "port", "addr", "port", "enum", "count", "string", "string"]


def header(opened: int = 0) -> bytes:
    """Write a header of dns.log; `opened` tells one file from another, as the time in it does."""
    lines = (
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        "#path\tdns",
        f"#open\t2023-11-14-22-13-{opened:04d}",
        "\t".join(("#fields", *_FIELDS)),
        "\t".join(("#types", *_TYPES)),
    )
    return "".join(f"{line}\n" for line in lines).encode()


def name(number: int) -> str:
    return f"t{number}.example"


def row(number: int, query: str | None = None) -> bytes:
    """Write a row like no other of its log, asking for a name of its own unless told otherwise."""
    cells = f"{START + number}.000000 C{number:016d} 10.0.0.5 40000 10.0.0.1 53 udp {number % 65536}".split()
    return ("\t".join([*cells, query or name(number), "NOERROR"]) + "\n").encode()


def rows(numbers: Iterable[int]) -> bytes:
    return b"".join(map(row, numbers))


def append(path: Path, data: bytes) -> None:
    with path.open("ab", buffering=0) as file:
        file.write(data)


def trail_set(path: Path, names: int) -> TrailSet:
    """Compile a set in which every name up to a number is a trail."""
    compiler = Compiler()
    for number in range(names):
        compiler.add(Trail(TrailKind.DOMAIN, name(number), f"threat {number}", TrailClass.C2, ("test",)))
    compiler.write(path)
    return TrailSet.open(path)


def engine(trails: TrailSet) -> Engine:
    return Engine(trails, Whitelist(), HomeNetworks(HOME_NETWORKS))


def take(tail: Tail, *, max_line: int = 1 << 20) -> list[Piece]:
    """Read a file to its end and take all for done; the reader sees what it is due."""
    pieces = []
    while (piece := tail.read(max_line=max_line)) is not None:
        if piece.data and tail.reader is not None:
            list(tail.reader.feed(piece.data))
        tail.advance(piece)
        pieces.append(piece)
    return pieces


def text(pieces: Iterable[Piece]) -> bytes:
    return b"".join(piece.data for piece in pieces)
