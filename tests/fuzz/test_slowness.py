"""No input makes the work grow out of proportion: ten times as long takes not much more than ten times as long."""

import json
from collections.abc import Callable
from time import process_time

import pytest

from tests.fuzz.checks import machine
from tests.fuzz.seeds import AT, CELLS, TYPES, event
from tests.matchers.build import matched, tsv

SHORT, FACTOR = 60_000, 10
# Between what is in proportion (10) and what grows with the square (100).
MOST = 45
SHAPES: dict[str, Callable[[int], str]] = {
    "one long label": lambda size: "a" * size,
    "many labels": lambda size: "a." * (size // 2) + "evil.example",
    "dots": lambda size: "." * size,
    "letters beyond ASCII": lambda size: "é." * (size // 2),
    "percent signs": lambda size: "/" + "%" * size,
    "escapes": lambda size: "/" + "%41%zz" * (size // 6),
    "slashes": lambda size: "/" * size,
    "parameters": lambda size: "/a?" + "a=b&" * (size // 4),
    "questions": lambda size: "/" + "?=" * (size // 2),
    "brackets": lambda size: "[" * size,
    "colons": lambda size: ":" * size,
    "digits": lambda size: "9" * size,
    "commas": lambda size: "1.1.1.1," * (size // 8),
    "gateways": lambda size: "a.onion." * (size // 8) + "x",
    "schemes": lambda size: "http://" * (size // 7),
    "subjects": lambda size: "CN=" * (size // 3),
    "escapes of Zeek": lambda size: "\\x41" * (size // 4),
}


def http_tsv(value: str) -> tuple[str, str, bytes]:
    row = [*AT, *CELLS["http"]]
    for name in ("host", "uri", "referrer", "user_agent", "proxied"):
        row[list(TYPES["http"]).index(name)] = value
    return "zeek-tsv", "http", tsv("http", TYPES["http"], [row])


def dns_json(value: str) -> tuple[str, str, bytes]:
    row = {"ts": 1.5, "query": value, "qtype": 1, "answers": [value, "203.0.113.5"]}
    return "zeek-json", "dns", json.dumps(row).encode() + b"\n"


def http_eve(value: str) -> tuple[str, str, bytes]:
    part = {"hostname": value, "url": value, "http_refer": value, "http_user_agent": value, "xff": value}
    return "eve", "eve", event("http", http=part)


def tls_eve(value: str) -> tuple[str, str, bytes]:
    return "eve", "eve", event("tls", tls={"sni": value, "subject": value, "fingerprint": value})


def cost(log: tuple[str, str, bytes]) -> float:
    format_, name, data = log
    costs = []
    for _ in range(3):
        start = process_time()
        matched(machine(), format_, data, name)
        costs.append(process_time() - start)
    return min(costs)


@pytest.mark.parametrize("write", [http_tsv, dns_json, http_eve, tls_eve])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_work_grows_in_proportion(shape: str, write: Callable[[str], tuple[str, str, bytes]]) -> None:
    make = SHAPES[shape]
    short = cost(write(make(SHORT)))
    long = cost(write(make(SHORT * FACTOR)))
    assert long <= MOST * max(short, 0.0002), (short, long)
