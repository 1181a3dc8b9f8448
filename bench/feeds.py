"""Measure updates: all feeds at once, one small feed that changed, nothing new; with lists served by this host.

python -m bench.feeds                                        made-up trails, as many and of the same kinds as Maltrail's
python -m bench.feeds --static trails-static.tar.gz --lists FOLDER
"""

import argparse
import functools
import http.server
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from rich.console import Console
from rich.table import Table

from bench.trails import made_up
from feeds import catalogue
from feeds.feed import Feed
from feeds.manners import Manners
from feeds.shelf import Shelf
from feeds.update import update
from trailhound import log
from trailhound.settings import Settings

_SMALL = "small"
_LARGE = "large"
_MEGA = 1_000_000


class Cost(msgspec.Struct, frozen=True):
    """What one update took, in a process of its own."""

    what: str
    trails: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.feeds", description=__doc__)
    parser.add_argument("--static", type=Path, help="an archive of Maltrail's static trails; else made-up ones")
    parser.add_argument("--lists", type=Path, help="a folder of plain lists of attackers (*.txt), each a feed")
    parser.add_argument("--json", type=Path, help="write the numbers to this file too")
    parser.add_argument("--child", nargs=4, metavar="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        _child(*chosen.child)
        return
    with TemporaryDirectory() as folder:
        costs = list(_measure(Path(folder), chosen.static, chosen.lists))
    if chosen.json:
        chosen.json.write_bytes(msgspec.json.format(msgspec.json.encode(costs)))
    table = Table("update", "trails", "seconds", "of CPU", "memory at its peak")
    for column in table.columns[1:]:
        column.justify = "right"
    for cost in costs:
        memory = f"{cost.peak_bytes / _MEGA:,.0f} MB"
        table.add_row(cost.what, f"{cost.trails:,}", f"{cost.seconds:.1f}", f"{cost.cpu_seconds:.1f}", memory)
    Console().print(table)


def _measure(folder: Path, static: Path | None, lists: Path | None) -> Iterator[Cost]:
    served, state = folder / "served", folder / "state"
    served.mkdir()
    small, large = served / _SMALL, served / _LARGE
    if static is not None:
        large.write_bytes(static.read_bytes())
    else:
        large.write_text("".join(f"{trail.value}\n" for trail in made_up()))
    small.write_text("".join(f"n{number}.small.example\n" for number in range(1_000)))
    for file in sorted(lists.glob("*.txt")) if lists is not None else ():
        if file.stat().st_size:
            (served / f"list-{file.stem.lower().replace('_', '-')}").write_bytes(file.read_bytes())
    format_ = "maltrail-static" if static is not None else "lines"
    with _server(served) as port:
        for what in ("all feeds, for the first time", "nothing new"):
            yield _apart(what, served, state, port, format_)
        small.write_text(f"{small.read_text()}new.small.example\n")
        yield _apart("one small feed changed", served, state, port, format_)
        (state / "feeds" / "harvests.json").unlink()
        yield _apart("all feeds are read anew", served, state, port, format_)


@contextmanager
def _server(folder: Path) -> Iterator[int]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is the library's
            del format, args

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()


def _apart(what: str, served: Path, state: Path, port: int, format_: str) -> Cost:
    command = [sys.executable, "-m", "bench.feeds", "--child", str(served), str(state), str(port), format_]
    began = time.perf_counter()
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    cost = msgspec.json.decode(output, type=Cost)
    return msgspec.structs.replace(cost, what=what, seconds=time.perf_counter() - began)


def _child(served: str, state: str, port: str, format_: str) -> None:
    settings = Settings.model_validate({"state_dir": state, "log_level": "error"})
    log.configure(settings)
    feeds = {path.name: _feed(path.name, port, format_) for path in sorted(Path(served).iterdir())}
    done = update(
        None, settings, Shelf(settings.shelf_path), feeds, manners=Manners(reachable=(ip_network("127.0.0.0/8"),))
    )
    used = resource.getrusage(resource.RUSAGE_SELF)
    trails = done.compiled.trails if done.compiled is not None else 0
    cost = Cost("", trails, 0, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
    sys.stdout.buffer.write(msgspec.json.encode(cost))


def _feed(name: str, port: str, format_: str) -> Feed:
    table: dict[str, object] = {"url": f"http://127.0.0.1:{port}/{name}", "confidence": 80, "class": "malware"}
    if name == _LARGE:
        table["format"] = format_
    elif name != _SMALL:
        table["class"] = "attacker"
    return catalogue.feed(name, table, "the benchmark")


if __name__ == "__main__":
    main()
