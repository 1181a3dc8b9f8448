"""CrowdSec's bouncers: decisions in their form, and what each of them was told already.

A bouncer keeps what it is told until its duration has run out or it is told that it is deleted. One that nothing is
known of (we were restarted) is told everything again, and of what could stand there and does not that it is deleted.
"""

import ipaddress
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock
from typing import Any

from api.lists.entry import Entry
from api.lists.kept import BlockLists
from api.lists.rule import HOUR, Rule
from stores.desk import Desk
from stores.desk.contract import DecisionScope, Verdict
from trailhound.record import MICROSECONDS

ORIGIN = "trailhound"
TYPE = "ban"
# What a bouncer is told of what stays for good; it is told again when that has run out.
_FOR_GOOD = 365 * 24 * HOUR
# Decisions that were lifted are told to have been so for so long.
_REMEMBERED = 30 * 24 * HOUR
# Values that bouncers are remembered to know, of all of them together.
_MOST_TOLD = 1_000_000
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which decisions are asked for. An empty tuple: any."""

    scopes: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    containing: tuple[str, ...] = ()
    not_containing: tuple[str, ...] = ()

    def takes(self, entry: Entry) -> bool:
        said = scenario(entry).lower()
        return (
            (not self.scopes or scope(entry.value).lower() in self.scopes)
            and (not self.origins or ORIGIN in self.origins)
            and (not self.types or TYPE in self.types)
            and (not self.containing or any(part in said for part in self.containing))
            and not any(part in said for part in self.not_containing)
        )


def scope(value: str) -> str:
    return "Range" if "/" in value else "Ip"


def scenario(entry: Entry) -> str:
    return f"trailhound/{entry.says[:100] or 'detected'}" if entry.candidate is not None else "trailhound/decided"


def row(entry: Entry, now: int) -> Row:
    """Write a decision as CrowdSec's local API does."""
    digest = blake2b(entry.value.encode(), digest_size=16).digest()
    return {
        # JavaScript reads whole numbers up to 2**53.
        "id": int.from_bytes(digest[:8]) >> 11 or 1,
        "uuid": digest.hex(),
        "origin": ORIGIN,
        "type": TYPE,
        "scope": scope(entry.value),
        "value": entry.value,
        "duration": _duration(_until(entry, now) - now),
        "scenario": scenario(entry),
        "simulated": False,
    }


def _until(entry: Entry, now: int) -> int:
    return now + _FOR_GOOD if entry.until is None else entry.until


def _duration(microseconds: int) -> str:
    """Write a duration as Go reads it: `3h59m59s`."""
    minutes, seconds = divmod(microseconds // MICROSECONDS, 60)
    return f"{minutes // 60}h{minutes % 60}m{seconds}s" if minutes >= 0 else "0s"


def holding(network: str, *, contains: bool) -> Callable[[Entry], bool]:
    """Tell which entries contain a network or address, or with `contains` false which lie in it."""
    wanted = ipaddress.ip_network(network)

    def holds(entry: Entry) -> bool:
        if entry.value == network:
            return True
        if contains and "/" not in entry.value:
            return False
        found = ipaddress.ip_network(entry.value)
        outer, inner = (found, wanted) if contains else (wanted, found)
        return (
            outer.version == inner.version
            and int(outer.network_address) <= int(inner.network_address)
            and int(inner.broadcast_address) <= int(outer.broadcast_address)
        )

    return holds


class Bouncers:
    """Gives bouncers their decisions, and each of them only what is new to it."""

    def __init__(self, lists: BlockLists, desk: Desk) -> None:
        self._lists = lists
        self._desk = desk
        # Until when (microseconds) each of them was told to block a value; the last to ask stands last.
        self._told: dict[Collection[object], dict[str, int]] = {}
        self._lock = Lock()

    def decisions(self, rules: Sequence[Rule], filters: Filters, now: int) -> Sequence[Entry]:
        return list(self._entries(rules, filters, now).values())

    def stream(
        self, who: tuple[str, ...], rules: Sequence[Rule], filters: Filters, now: int, *, startup: bool, keep: bool
    ) -> tuple[Sequence[Entry], Sequence[Entry]]:
        """Give what is new to a bouncer and what is deleted; with `keep` it counts as told."""
        entries = self._entries(rules, filters, now)
        key = (who, filters, tuple(rules))
        with self._lock:
            known = None if startup else self._told.get(key)
            told = {} if known is None else {value: until for value, until in known.items() if until > now}
            new = [entry for value, entry in entries.items() if value not in told]
            if known is None:
                gone = list(self._gone(rules, entries, now))
            else:
                gone = [Entry(value, until) for value, until in told.items() if value not in entries]
            if keep:
                told = {value: told.get(value) or _until(entry, now) for value, entry in entries.items()}
                self._told.pop(key, None)
                self._told[key] = told
                self._forget()
        return new, [entry for entry in gone if not filters.scopes or scope(entry.value).lower() in filters.scopes]

    def _entries(self, rules: Sequence[Rule], filters: Filters, now: int) -> Mapping[str, Entry]:
        found: dict[str, Entry] = {}
        for rule in rules:
            for entry in self._lists.get(rule, now).entries:
                known = found.get(entry.value)
                if known is None or _until(known, now) < _until(entry, now):
                    found[entry.value] = entry
        return {value: entry for value, entry in found.items() if filters.takes(entry) and _until(entry, now) > now}

    def _gone(self, rules: Sequence[Rule], entries: Mapping[str, Entry], now: int) -> Iterator[Entry]:
        """Give what a bouncer may have been told once and does not stand there any more."""
        for rule in rules:
            for one in self._lists.candidates(rule, now):
                if one.value not in entries:
                    yield Entry(one.value, now, one)
        if not any(rule.decisions for rule in rules):
            return
        for decision in self._desk.decisions(now=now, ended_since=max(0, now - _REMEMBERED)):
            is_over = decision.verdict is Verdict.BLOCK and not decision.in_force(now)
            if is_over and decision.scope is not DecisionScope.DOMAIN and decision.value not in entries:
                yield Entry(decision.value, now, None, decision.reason)

    def _forget(self) -> None:
        """Forget the bouncers that have not asked for longest, when all together know too much."""
        while len(self._told) > 1 and sum(map(len, self._told.values())) > _MOST_TOLD:
            del self._told[next(iter(self._told))]
