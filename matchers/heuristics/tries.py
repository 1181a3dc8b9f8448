"""Tries: connections that came to nothing, as scans leave them, whichever tool wrote the log.

Ordinary clients speak with what they connect to; a scan mostly meets what is closed or silent, and says nothing to what
is open. So only connections without an answer, refused, or without any data count as tries. Their number is small in
most networks, which is what makes scans cheap to look for.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from enum import IntEnum, auto
from functools import lru_cache
from itertools import compress, count, repeat
from operator import itemgetter
from typing import cast

from matchers.view import View
from trailhound import canonical

_ENDS = ("proto", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
# The packets of the source tell an open port that was let go from a connection in use. What flags its packets had,
# Zeek says in `history`, Suricata in `orig_flags`.
COLUMNS = (*_ENDS, "conn_state", "orig_pkts", "history", "orig_flags")
_SAID = ("conn_state", "history", "orig_flags")
_SILENT = 3  # Packets that a source sends at most to open a connection and let it go: SYN, ACK, RST.
_STRAY = 2  # Packets of a stealth probe: one, and perhaps its repetition.
_LONGEST_NUMBER = 18  # Digits.
_TRACEROUTE = range(33434, 33535)  # UDP ports of traceroute, which meets one router after the other in vain.


class Kind(IntEnum):
    """What a try was: an ordinary one, or one of packets that open no connection (NULL, FIN, XMAS)."""

    TCP = auto()
    STEALTH = auto()
    UDP = auto()


# Row, time in microseconds since the epoch, source, target, port and kind: a plain tuple, since a storm makes millions.
Try = tuple[int, int, str, str, int, Kind]


# What is a try for certain, over TCP, and what is one over UDP when it is not the answer of a server.
_SURE = ("S0", "REJ", "RSTOS0")
# A try if nothing was said in it, and one if its packets were stray.
_SILENT_STATES = ("RSTO", "S1")
_STRAY_STATES = ("OTH", "SH", "RSTR", "RSTRH")
# How stray packets show in Zeek's history, with the refusal that they meet: none of SYN, ACK or data.
_STRAY_HISTORIES = frozenset({"", "F", "r", "Fr"})
_STRAY_FLAGS = frozenset({None, "00", "01", "29"})  # Suricata writes 00 for all that open no session.


def _cells_of(*texts: str) -> frozenset[Hashable]:
    return frozenset([*texts, *(text.encode() for text in texts)])


_SURE_CELLS, _UNSURE_CELLS = _cells_of(*_SURE), _cells_of(*_SILENT_STATES, *_STRAY_STATES)
_TCP, _UDP = _cells_of("tcp", "TCP"), _cells_of("udp", "UDP")


def tries_of(view: View) -> Sequence[Try]:
    """Give the tries of a batch, in the order of its rows; none of a log that lacks the columns."""
    columns = view.columns("conn_state", *_ENDS)
    if columns is None:
        return ()
    states, transports = columns[0], columns[1]
    sure = list(compress(count(), map(_SURE_CELLS.__contains__, states)))
    tries = _read(view, [row for row in sure if transports[row] in _TCP], repeat(Kind.TCP))
    udp = [row for row in sure if transports[row] in _UDP] if len(tries) < len(sure) else ()
    unsure = [row for row in compress(count(), map(_UNSURE_CELLS.__contains__, states)) if transports[row] in _TCP]
    for rows, kind_of in ((udp, _udp_kinds), (unsure, _unsure_kinds)):
        kinds = kind_of(view, rows) if rows else ()
        if any(kinds):
            tries += _read(view, list(compress(rows, kinds)), filter(None, kinds))
            tries.sort(key=itemgetter(0))
    return tries


def _read(view: View, rows: Sequence[int], kinds: Iterable[Kind]) -> list[Try]:
    if not rows:
        return []
    sources, targets = _addresses(view, "id.orig_h", rows), _addresses(view, "id.resp_h", rows)
    ports, times = _numbers(view, "id.resp_p", rows), map(view.batch.time, rows)
    tries = list(zip(rows, times, sources, targets, ports, kinds, strict=False))
    if None in sources or None in targets or None in ports:
        tries = [one for one in tries if None not in one]
    return cast("list[Try]", tries)


def _udp_kinds(view: View, rows: Sequence[int]) -> Sequence[Kind | None]:
    near_ports, ports = _numbers(view, "id.orig_p", rows), _numbers(view, "id.resp_p", rows)
    return [
        Kind.UDP if _is_upstream(near_port, port) and port not in _TRACEROUTE else None
        for near_port, port in zip(near_ports, ports, strict=True)
    ]


def _unsure_kinds(view: View, rows: Sequence[int]) -> Sequence[Kind | None]:
    # Few combinations of raw cells are distinct; only these are read.
    said = list(zip(*(_cells(view, name, rows) for name in _SAID), strict=True))
    known = {one: _kind_said(*(_text(view, *cell) for cell in zip(_SAID, one, strict=True))) for one in set(said)}
    numbers = (_numbers(view, name, rows) for name in ("id.orig_p", "id.resp_p", "orig_pkts"))
    kinds: list[Kind | None] = []
    for one, near_port, port, packets in zip(said, *numbers, strict=True):
        kind = known[one]
        if kind is Kind.TCP:
            kinds.append(kind if packets is not None and packets <= _SILENT else None)
        else:
            is_stray = _is_upstream(near_port, port) and (packets is None or packets <= _STRAY)
            kinds.append(kind if is_stray else None)
    return kinds


def _kind_said(state: str | None, history: str | None, flags: str | None) -> Kind | None:
    """Tell what a connection is a try of, if its packets are few enough."""
    if state in _SILENT_STATES:
        return Kind.TCP
    # `^` says only that Zeek took the ends for each other at first.
    is_stray = (history or "").strip("^") in _STRAY_HISTORIES and flags in _STRAY_FLAGS
    return Kind.STEALTH if is_stray else None


def _is_upstream(near_port: int | None, port: int | None) -> bool:
    """Tell a client's port from a server's.

    What a server sends last, or sends to clients whose side of it is not seen, goes from a low port to high ones.
    """
    return near_port is not None and port is not None and near_port > port


def _text(view: View, name: str, cell: Hashable) -> str | None:
    return None if cell is None else view.text(name, cell)


def _cells(view: View, name: str, rows: Sequence[int]) -> Sequence[Hashable]:
    """Give the raw cells of a column at some rows; all are unset in a log that does not have it."""
    column = view.column(name)
    if column is None:
        return [None] * len(rows)
    return [column[row] for row in rows]


def _addresses(view: View, name: str, rows: Sequence[int]) -> Sequence[str | None]:
    """Read a column of addresses; of IPv6 ones Suricata writes zeros that Zeek leaves out."""
    cells = _cells(view, name, rows)
    texts, owners = view.texts(name, set(cells))
    known: Mapping[Hashable, str | None] = {
        cell: canonical.address(text) if ":" in text else text for cell, text in zip(owners, texts, strict=True)
    }
    return list(map(known.get, cells))


def _numbers(view: View, name: str, rows: Sequence[int]) -> Sequence[int | None]:
    return list(map(_number, _cells(view, name, rows)))


@lru_cache(maxsize=16_384)
def _number(cell: Hashable) -> int | None:
    """Read a raw cell as a whole number; it repeats more often than it is worth to ask the batch."""
    if isinstance(cell, bytes | str):
        return int(cell) if len(cell) <= _LONGEST_NUMBER and cell.isdigit() and cell.isascii() else None
    return cell if cell.__class__ is int else None
