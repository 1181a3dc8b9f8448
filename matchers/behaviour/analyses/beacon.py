"""Beacons: groups of calls whose rhythm is that of a machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchers.behaviour.analyses.rhythm import HOUR, Rhythm, duration, parts_of, rhythm, scores
from matchers.behaviour.beacon import Beacon
from matchers.behaviour.named_beacon import NamedBeacon
from matchers.behaviour.remembered import domain
from matchers.behaviour.window import Window, by_category
from matchers.findings import Found
from matchers.heuristics.lookups import is_busy
from matchers.networks import is_public
from trailhound import canonical
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_DAY = 24 * HOUR
_CLOCKS = (53, 123, 137, 138, 1900, 3478, 5353, 5355)  # Services of which regular questions are all there is.
_FEW = 3  # Hosts; what so few call is rare however small the site.
_SURE, _LIKELY = 90, 80
_NEW_SHARE = 0.5  # Of the look-ups in a domain: questions repeat, orders do not.


@dataclass(frozen=True, slots=True)
class _Group:
    """Calls of one source for one thing: numbers of both, and of the pair."""

    pair: NDArray[np.int64]
    thing: NDArray[np.int64]
    hosts: NDArray[np.int64]  # How many sources call a thing.


def by_address(thresholds: Beacon, window: Window) -> Iterator[tuple[str, int, Found]]:
    frame = window.frame("conn")
    if frame is None:
        return
    port = np.nan_to_num(frame["id.resp_p"].to_numpy()).astype(np.int64)
    calls = window.are_home("conn", "id.orig_h") & _abroad(frame["id.resp_h"]) & ~np.isin(port, _CLOCKS)
    calls &= ~window.are_home("conn", "id.resp_h") & ~_is_icmp(frame["proto"]) & ~_have_name(window, frame)
    groups = _groups(frame["id.orig_h"], frame["id.resp_h"], port, calls)
    found = _measured(groups, frame, thresholds, frame["orig_bytes"].to_numpy())
    for place, score, parts, hosts in _regular(found, groups, window, thresholds):
        row = int(found.last[place])
        source, server = str(frame["id.orig_h"].iloc[row]), str(frame["id.resp_h"].iloc[row])
        where = f"{server} port {port[row]}"
        yield (
            "conn",
            row,
            _found(
                found,
                place,
                frame,
                f"called {where}",
                score,
                parts_of(found, parts, place, hosts),
                key=f"{source} {server} {port[row]}",
            ),
        )


def by_name(thresholds: NamedBeacon, window: Window) -> Iterator[tuple[str, int, Found]]:
    told: set[tuple[str, str]] = set()
    for log, column, role in (("http", "host", "url.domain"), ("ssl", "server_name", "tls.client.server_name")):
        frame = window.frame(log)
        if frame is None or column not in frame.columns:
            continue
        calls = window.are_home(log, "id.orig_h") & by_category(frame[column], _is_foreign_name)
        sizes = frame["response_body_len"].to_numpy() if log == "http" else np.full(len(frame), np.nan)
        yield from _named(thresholds, window, log, column, role, calls, sizes, told)
    yield from _by_domain(thresholds, window, told)


def _by_domain(thresholds: NamedBeacon, window: Window, told: set[tuple[str, str]]) -> Iterator[tuple[str, int, Found]]:
    """Look for orders that are fetched as ever new names of one domain."""
    frame = window.frame("dns")
    if frame is None:
        return
    queries = frame["query"]
    domains = [None if is_busy(text) else domain(text) for text in queries.cat.categories]
    codes, distinct = pd.factorize(np.array([*domains, None], dtype=object))
    zones = pd.Categorical.from_codes(codes[queries.cat.codes.to_numpy()], pd.Index(list(distinct), dtype=object))
    zoned = frame.assign(zone=zones)
    first = ~frame.duplicated(["id.orig_h", "query"]).to_numpy()
    calls = window.are_home("dns", "id.orig_h") & (zones.codes >= 0)
    groups = _groups(frame["id.orig_h"], zoned["zone"], np.zeros(len(frame), np.int64), calls)
    fresh = np.bincount(np.maximum(groups.pair, 0), first & calls, minlength=1)
    total = np.bincount(np.maximum(groups.pair, 0), calls, minlength=1)
    varied = fresh >= _NEW_SHARE * np.maximum(total, 1)
    kept = np.where((groups.pair >= 0) & first & varied[np.maximum(groups.pair, 0)], groups.pair, -1)
    groups = _Group(kept, groups.thing, groups.hosts)
    lengths = np.array([*map(len, queries.cat.categories), 0], np.float64)[queries.cat.codes.to_numpy()]
    found = _measured(groups, frame, thresholds, lengths)
    for place, score, parts, hosts in _regular(found, groups, window, thresholds):
        row = int(found.last[place])
        yield from _of_name(
            found,
            place,
            frame,
            ("dns", row),
            (str(zones[row]), "dns.question.name"),
            score,
            parts_of(found, parts, place, hosts),
            told,
            "asked for ever new names of",
        )


def _named(
    thresholds: NamedBeacon,
    window: Window,
    log: str,
    column: str,
    role: str,
    calls: Any,
    sizes: Any,
    told: set[tuple[str, str]],
) -> Iterator[tuple[str, int, Found]]:
    frame = window.frames[log]
    groups = _groups(frame["id.orig_h"], frame[column], np.zeros(len(frame), np.int64), calls)
    found = _measured(groups, frame, thresholds, sizes)
    for place, score, parts, hosts in _regular(found, groups, window, thresholds):
        row = int(found.last[place])
        name = str(frame[column].iloc[row])
        yield from _of_name(
            found, place, frame, (log, row), (name, role), score, parts_of(found, parts, place, hosts), told, "called"
        )


def _of_name(
    found: Rhythm,
    place: int,
    frame: Any,
    at: tuple[str, int],
    name: tuple[str, str],
    score: int,
    parts: Any,
    told: set[tuple[str, str]],
    verb: str,
) -> Iterator[tuple[str, int, Found]]:
    source = str(frame["id.orig_h"].iloc[at[1]])
    if (source, name[0]) in told:
        return
    told.add((source, name[0]))
    made = _found(found, place, frame, f"{verb} {name[0]}", score, parts, key=f"{source} {name[0]}", name=name)
    yield (*at, made)


def _found(
    found: Rhythm,
    place: int,
    frame: Any,
    said: str,
    score: int,
    parts: Any,
    *,
    key: str,
    name: tuple[str, str] | None = None,
) -> Found:
    calls, gap = int(found.calls[place]), duration(float(found.median[place]))
    severity = Severity.HIGH if score >= _SURE else Severity.MEDIUM if score >= _LIKELY else Severity.LOW
    return Found(
        said=f"{said} {calls:,} times, every {gap}, for {duration(float(found.span[place]))}",
        score=score,
        severity=severity,
        kind=TrailKind.DOMAIN if name is not None else TrailKind.RULE,
        value=name[0] if name is not None else "",
        observed=name[0] if name is not None else str(frame["id.resp_h"].iloc[int(found.last[place])]),
        role=name[1] if name is not None else "destination.ip",
        parts=parts,
        count=calls,
        start=int(frame["ts"].iloc[int(found.first[place])]),
        end=int(frame["ts"].iloc[int(found.last[place])]),
        key=key,
        window=_DAY,
    )


def _groups(source: Any, thing: Any, more: NDArray[np.int64], calls: Any) -> _Group:
    """Give each pair of source and thing a number, -1 where none calls; `more` (up to 65535) tells things apart."""
    sources = source.cat.codes.to_numpy().astype(np.int64)
    calls = np.asarray(calls) & (sources >= 0) & (thing.cat.codes.to_numpy() >= 0)
    things = (thing.cat.codes.to_numpy().astype(np.int64) << 16) | np.clip(more, 0, 65_535)
    thing_codes, _ = pd.factorize(np.where(calls, things, -1))
    thing_codes = thing_codes.astype(np.int64)
    pairs, distinct = pd.factorize(np.where(calls, thing_codes * (int(sources.max(initial=0)) + 1) + sources, -1))
    pairs = np.where(calls, pairs.astype(np.int64), -1)
    of_pair = np.zeros(len(distinct), np.int64)
    of_pair[pairs[calls]] = thing_codes[calls]
    used = np.zeros(len(distinct), bool)
    used[pairs[calls]] = True
    hosts = np.bincount(of_pair[used], minlength=int(thing_codes.max(initial=0)) + 1)
    return _Group(pairs, thing_codes, hosts)


def _measured(groups: _Group, frame: Any, thresholds: Beacon, sizes: Any) -> Rhythm:
    times = frame["ts"].to_numpy()
    return rhythm(groups.pair, times, sizes, thresholds.calls, thresholds.together, thresholds.hours * 3600)


def _regular(
    found: Rhythm, groups: _Group, window: Window, thresholds: Beacon
) -> Iterator[tuple[int, int, list[Any], int]]:
    """Give place, score, points and how many hosts do so of the groups that are regular enough, the surest first."""
    if not len(found.group):
        return
    hosts = groups.hosts[groups.thing[found.first]]
    site = max(_site(window), 1)
    usual = np.maximum(_FEW, thresholds.hosts_percent / 100 * site)
    rarity = np.clip(1 - (hosts - 1) / np.maximum(usual, 1), 0, 1)
    score, parts = scores(found, rarity)
    enough = np.flatnonzero((score >= thresholds.score) & (hosts <= usual))
    for place in enough[np.lexsort((found.first[enough], -score[enough]))].tolist():
        yield place, min(int(score[place]), 100), parts, int(hosts[place])


def _site(window: Window) -> int:
    """Count the hosts of the site that open connections or ask for something."""
    counts = [0]
    for log, frame in window.frames.items():
        if len(frame) and "id.orig_h" in frame.columns:
            codes = frame["id.orig_h"].cat.codes.to_numpy()[window.are_home(log, "id.orig_h")]
            counts.append(len(np.unique(codes)))
    return max(counts)


def _abroad(column: Any) -> NDArray[np.bool_]:
    def is_host(text: str) -> bool:
        address = canonical.address(text)
        return address is not None and is_public(address)

    return by_category(column, is_host)


def _is_icmp(column: Any) -> NDArray[np.bool_]:
    return by_category(column, lambda text: text.lower() in ("icmp", "icmp6", "ipv6-icmp"))


def _is_foreign_name(text: str) -> bool:
    return domain(text) is not None


def _have_name(window: Window, frame: Any) -> NDArray[np.bool_]:
    """Tell of connections whether some of the same ends have a name: those are looked at by name."""
    named: set[tuple[str, str]] = set()
    for log, column in (("http", "host"), ("ssl", "server_name")):
        other = window.frame(log)
        if other is None or column not in other.columns:
            continue
        pairs = other.loc[by_category(other[column], _is_foreign_name), ["id.orig_h", "id.resp_h"]].drop_duplicates()
        named.update(zip(pairs["id.orig_h"], pairs["id.resp_h"], strict=True))
    if not named:
        return np.zeros(len(frame), bool)
    sources = {text: code for code, text in enumerate(frame["id.orig_h"].cat.categories)}
    servers = {text: code for code, text in enumerate(frame["id.resp_h"].cat.categories)}
    width = len(servers) + 1
    keys = [sources[one] * width + servers[two] for one, two in named if one in sources and two in servers]
    own = frame["id.orig_h"].cat.codes.to_numpy().astype(np.int64) * width + frame["id.resp_h"].cat.codes.to_numpy()
    return np.isin(own, np.array(keys, np.int64))
