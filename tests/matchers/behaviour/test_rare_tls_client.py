"""TLS clients that one host has, and that nobody had before."""

from collections.abc import Sequence

import pytest

from matchers.behaviour.behaviour import Seen
from tests.matchers.behaviour.making import DAY, START, Row, seen, window

_NAME = "rare-tls-client"
_KNOWN, _NEW = "aa" * 16, "bb" * 16
_NOW = START + 8 * DAY


def _connections(
    fingerprint: str, number: int, *, host: str = "10.0.0.7", start: float = _NOW, column: str = "ja3", step: float = 60
) -> list[Row]:
    return [
        {
            "ts": start + step * n,
            "id.orig_h": host,
            "id.orig_p": 40_000 + n,
            "id.resp_h": "192.0.2.9",
            "id.resp_p": 443,
            "server_name": "cdn.example.org",
            column: fingerprint,
        }
        for n in range(number)
    ]


def _habits(column: str = "ja3") -> list[Row]:
    """Give a week and a day of what everybody does."""
    return [
        row
        for day in range(9)
        for host in ("10.0.0.7", "10.0.0.8")
        for row in _connections(_KNOWN, 5, host=host, start=START + day * DAY, column=column)
    ]


def _seen(*rows: Sequence[Row], **thresholds: float) -> list[Seen]:
    return seen(_NAME, window(_NOW, ssl=[row for those in rows for row in those]), **thresholds)


@pytest.mark.parametrize("column", ["ja3", "ja4"])
def test_a_new_fingerprint_of_one_host_is_told(column: str) -> None:
    (one,) = _seen(_habits(column), _connections(_NEW, 5, column=column))
    found = one.found
    assert found.said == (
        f"was the only one here to open TLS as {column.upper()} {_NEW} does, which is new, to cdn.example.org"
    )
    assert (found.count, found.observed, found.role) == (5, _NEW, f"tls.client.{column}")
    assert sum(part.points for part in found.parts) == found.score


@pytest.mark.parametrize(
    "rows",
    [
        _connections(_NEW, 4),
        _connections(_NEW, 5) + _connections(_NEW, 1, host="10.0.0.8"),
        _connections(_NEW, 5) + _connections(_NEW, 1, start=START + DAY),
        _connections(_NEW, 5, host="192.0.2.66"),
        [row for n in range(60) for row in _connections(f"{n:032x}", 1, start=_NOW + n)],
    ],
    ids=["too few", "two hosts", "known before", "from abroad", "a browser that shuffles"],
)
def test_near_misses_are_silent(rows: list[Row]) -> None:
    assert _seen(_habits(), rows) == []


def test_nothing_is_new_before_a_week_was_learnt() -> None:
    assert seen(_NAME, window(START + 5 * DAY, ssl=_habits() + _connections(_NEW, 9, start=START + 6 * DAY))) == []


def test_ja4_counts_where_it_is_there() -> None:
    shuffled = [dict(row, ja3=f"{n:032x}") for n, row in enumerate(_connections(_NEW, 5, column="ja4"))]
    (one,) = _seen(_habits("ja4"), shuffled)
    assert one.found.role == "tls.client.ja4"


def test_thresholds_are_the_sites() -> None:
    both = _connections(_NEW, 5) + _connections(_NEW, 1, host="10.0.0.8")
    assert len(_seen(_habits(), both, hosts=2)) == 1
    assert len(_seen(_habits(), _connections(_NEW, 2), connections=2)) == 1
