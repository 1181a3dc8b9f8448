"""Look-ups in DNS as heuristics see them: who asked, in which zone, and what a resolver denied."""

import ipaddress
from collections.abc import Hashable, Iterator
from functools import lru_cache
from importlib import resources

from publicsuffixlist import PublicSuffixList

from matchers.view import View, rows_of
from trailhound import canonical
from trailhound.local_names import LOCAL_SUFFIXES

LONGEST = 1024  # Characters of a name: 255 bytes, as Zeek writes those that are no letters.
ENDS = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
# Columns that `asker` and `denied` read.
DENIED = (*ENDS, "query", "rcode_name")
_NO_SUCH_NAME: frozenset[Hashable] = frozenset({b"NXDOMAIN", "NXDOMAIN"})
_COMMON = frozenset({"co", "com", "edu", "gov", "net", "org"})
_DNS_PORT: frozenset[Hashable] = frozenset({b"53", "53", 53})
# NetBIOS, multicast DNS, LLMNR: hosts call each other there, no resolver answers.
_NEIGHBOURS: frozenset[Hashable] = frozenset({b"137", "137", 137, b"5353", "5353", 5353, b"5355", "5355", 5355})


def asker(view: View, row: int) -> str | None:
    """Give the address of who asked, None where hosts only call each other; Suricata may have the ends swapped."""
    columns = view.columns(*ENDS)
    if columns is None:
        return None
    client, client_port, server, server_port = (column[row] for column in columns)
    if server_port in _NEIGHBOURS or client_port in _NEIGHBOURS:
        return None
    if client_port in _DNS_PORT and server_port not in _DNS_PORT:
        return view.text("id.resp_h", server)
    return view.text("id.orig_h", client)


def denied(view: View) -> Iterator[tuple[int, str, str]]:
    """Give row, client and canonical name of each look-up that was answered with NXDOMAIN, each pair once."""
    columns = view.columns("id.orig_h", "id.resp_h", "query", "rcode_name")
    if columns is None:
        return
    clients, servers, queries, codes = columns
    rows = rows_of(view.distinct("rcode_name") & _NO_SUCH_NAME, codes)
    first = {(clients[row], servers[row], queries[row]): row for row in reversed(list(rows))}
    for (_, _, query), row in reversed(first.items()):
        client, asked = asker(view, row), name(view.text("query", query) or "")
        if client is not None and asked is not None and not is_local(asked):
            yield row, client, asked


def name(text: str) -> str | None:
    """Give the canonical form of a name, None when it is none; what took time is remembered for all who ask."""
    return _name(text) if len(text) <= LONGEST else None


_name = lru_cache(maxsize=16_384)(canonical.name)


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)


@lru_cache(maxsize=1)
def _registries() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)


@lru_cache(maxsize=16_384)
def zone(name: str) -> str | None:
    """Give the part of a canonical name that one owner has: `example.com`, or `site.github.io` as anybody may have it.

    None for a name that no registry delegates.
    """
    owned: str | None = _suffixes().privatesuffix(name)
    return owned


@lru_cache(maxsize=16_384)
def registered(name: str) -> str | None:
    """Give the part of a canonical name that somebody registered with a registry (`github.io`), None if nobody can."""
    owned: str | None = _registries().privatesuffix(name)
    return owned


def longest(text: str) -> int:
    """Give the length of the longest label of a name, 0 for what is too long to be one."""
    return max(map(len, text.split("."))) if len(text) <= LONGEST else 0


def holds_whole_name(before: str) -> bool:
    """Tell whether what stands before a zone is another whole name: with search suffixes, resolvers try them all."""
    return not _COMMON.isdisjoint(before.split(".")[1:])


def is_local(name: str) -> bool:
    """Tell whether a canonical name is one that only the site itself answers for, or a reverse look-up."""
    _, _, tail = name.rpartition(".")
    return tail in LOCAL_SUFFIXES or tail == "arpa" or canonical.address(name) is not None


@lru_cache(maxsize=1)
def _busy() -> frozenset[str]:
    text = resources.files("matchers.heuristics").joinpath("busy_zones.txt").read_text("utf-8")
    return frozenset(filter(None, (line.partition("#")[0].strip() for line in text.splitlines())))


def is_busy(name: str) -> bool:
    """Tell whether a name lies in a zone whose names carry data by design: see `busy_zones.txt`."""
    busy = _busy()
    while name:
        if name in busy:
            return True
        name = name.partition(".")[2]
    return False


def is_black_list_question(name: str) -> bool:
    """Tell whether a name asks a black list about an address: its octets or nibbles reversed, then the list's zone."""
    labels = name.split(".")
    if all(len(label) == 1 for label in labels[:32]) and len(labels) > 32:
        return True
    try:
        ipaddress.IPv4Address(".".join(labels[:4]))
    except ValueError:
        return False
    return len(labels) > 4
