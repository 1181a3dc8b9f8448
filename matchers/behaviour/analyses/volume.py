"""What connections come to over a window: how long, how many, how much, and to how many hosts of the site."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matchers.behaviour.analyses.rhythm import HOUR, duration
from matchers.behaviour.data_leaving import DataLeaving
from matchers.behaviour.long_connection import LongConnection
from matchers.behaviour.new_scanner import NewScanner
from matchers.behaviour.strobe import Strobe
from matchers.behaviour.window import Window, by_category
from matchers.findings import Found, Part
from matchers.networks import is_public
from trailhound import canonical
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity

_DAY = 24 * HOUR
_FEW = 3
_ENDS = ["id.orig_h", "id.resp_h", "id.resp_p"]
# Mail that is waited for, push messages of Apple and Google, the usual VPN, voice.
_HELD_OPEN = (143, 993, 5222, 5223, 5228, 5229, 5230, 1194, 500, 4500, 51820, 1701, 3478, 5060, 5061)
_BY_NATURE = (53, 123)  # Forwarders do little but ask.
_SILENT = frozenset({"S0", "REJ", "RSTOS0", "RSTRH", "SH"})
_MEGABYTE = 1_000_000
_PEERS = 10  # Hosts; with fewer, what is usual on the site is not known.
_LONG = 3.0  # Times the threshold: what is much longer is surer.


def _outbound(window: Window, frame: Any) -> NDArray[np.bool_]:
    def is_abroad(text: str) -> bool:
        address = canonical.address(text)
        return address is not None and is_public(address)

    abroad = by_category(frame["id.resp_h"], is_abroad) & ~window.are_home("conn", "id.resp_h")
    return np.asarray(window.are_home("conn", "id.orig_h") & abroad)


def long_connections(thresholds: LongConnection, window: Window) -> Iterator[tuple[str, int, Found]]:
    frame = window.frame("conn")
    if frame is None:
        return
    seconds = np.nan_to_num(frame["duration"].to_numpy())
    carried = np.nan_to_num(frame["resp_bytes"].to_numpy()) > 0
    port = np.nan_to_num(frame["id.resp_p"].to_numpy())
    long = (seconds >= thresholds.hours * 3600) & carried & _outbound(window, frame) & ~np.isin(port, _HELD_OPEN)
    chosen = frame[long].assign(seconds=seconds[long], row=np.flatnonzero(long))
    if chosen.empty:
        return
    hosts = chosen.groupby("id.resp_h", observed=True)["id.orig_h"].nunique()
    site = frame["id.orig_h"][window.are_home("conn", "id.orig_h")].nunique()
    usual = max(_FEW, thresholds.hosts_percent / 100 * site)
    longest = chosen.sort_values(["seconds", "row"], ascending=[False, True]).drop_duplicates(_ENDS)
    for row, lasted, server in zip(longest["row"], longest["seconds"], longest["id.resp_h"], strict=True):
        if hosts[server] > usual:
            continue
        times = lasted / (thresholds.hours * 3600)
        source, where = str(frame["id.orig_h"].iloc[row]), f"{server} port {int(port[row])}"
        begun = int(frame["ts"].iloc[row])
        yield (
            "conn",
            int(row),
            Found(
                said=f"held a connection to {where} for {duration(float(lasted))}",
                score=min(50 + int(10 * times), 80),
                severity=Severity.MEDIUM if times >= _LONG else Severity.LOW,
                observed=str(server),
                role="destination.ip",
                start=begun,
                end=begun + int(lasted * MICROSECONDS),
                key=f"{source} {where}",
                window=_DAY,
            ),
        )


def strobes(thresholds: Strobe, window: Window) -> Iterator[tuple[str, int, Found]]:
    frame = window.frame("conn")
    if frame is None:
        return
    which = _outbound(window, frame) & ~np.isin(frame["id.resp_p"].to_numpy(), _BY_NATURE)
    chosen = frame.loc[which, [*_ENDS, "ts"]].assign(row=np.flatnonzero(which))
    summed = chosen.groupby(_ENDS, observed=True, sort=False).agg(
        count=("ts", "size"), first=("ts", "min"), last=("ts", "max"), row=("row", "max")
    )
    summed = summed[summed["count"] >= thresholds.connections]
    for one in summed.sort_values(["count", "row"], ascending=[False, True]).reset_index().to_dict("records"):
        seconds = max((one["last"] - one["first"]) / MICROSECONDS, 1.0)
        if one["count"] / seconds < thresholds.per_second:
            continue
        where = f"{one['id.resp_h']} port {int(one['id.resp_p'])}"
        yield (
            "conn",
            int(one["row"]),
            Found(
                said=f"opened {one['count']:,} connections to {where} in {duration(seconds)}",
                score=70,
                severity=Severity.MEDIUM,
                observed=str(one["id.resp_h"]),
                role="destination.ip",
                count=int(one["count"]),
                start=int(one["first"]),
                end=int(one["last"]),
                key=f"{one['id.orig_h']} {where}",
                window=_DAY,
            ),
        )


def data_leaving(thresholds: DataLeaving, window: Window) -> Iterator[tuple[str, int, Found]]:
    frame = window.frame("conn")
    if frame is None:
        return
    which = _outbound(window, frame)
    chosen = frame.loc[which, ["id.orig_h", "id.resp_h", "ts"]].assign(
        row=np.flatnonzero(which),
        sent=np.nan_to_num(frame["orig_bytes"].to_numpy()[which]).astype(np.float64),
        got=np.nan_to_num(frame["resp_bytes"].to_numpy()[which]).astype(np.float64),
    )
    of_host = chosen.groupby("id.orig_h", observed=True)["sent"].sum()
    pairs = chosen.groupby(["id.orig_h", "id.resp_h"], observed=True, sort=False).agg(
        sent=("sent", "sum"),
        got=("got", "sum"),
        first=("ts", "min"),
        last=("ts", "max"),
        row=("row", "max"),
        count=("row", "size"),
    )
    large = pairs[
        (pairs["sent"] >= thresholds.megabytes * _MEGABYTE) & (pairs["sent"] >= thresholds.ratio * pairs["got"])
    ].reset_index()
    busiest = _busiest_days(window)
    learnt = window.start - window.begun >= thresholds.learn_days * _DAY
    for one in large.sort_values(["sent", "row"], ascending=[False, True]).to_dict("records"):
        source, sent = str(one["id.orig_h"]), float(one["sent"])
        before = busiest.get(source, 0.0) if learnt else None
        peers = of_host[of_host.index != one["id.orig_h"]]
        usual = float(np.percentile(peers, 95)) if len(peers) >= _PEERS else None
        if not _is_unusual(sent, before, usual, thresholds):
            continue
        yield ("conn", int(one["row"]), _leaving(one, before, usual))


def _is_unusual(sent: float, before: float | None, usual: float | None, thresholds: DataLeaving) -> bool:
    if before is None and usual is None:
        return False
    beyond_past = before is None or sent >= thresholds.times_past * before
    beyond_peers = usual is None or sent >= thresholds.times_peers * usual
    return beyond_past and beyond_peers


def _leaving(one: Mapping[str, Any], before: float | None, usual: float | None) -> Found:
    sent = float(one["sent"])
    parts = [Part("amount", min(40.0, 40 * sent / (5000 * _MEGABYTE)), f"{sent / _MEGABYTE:,.0f} MB")]
    if before is not None:
        parts.append(Part("past", 35.0, f"{before / _MEGABYTE:,.0f} MB to all on its busiest day before"))
    if usual is not None:
        parts.append(Part("peers", 25.0, f"{usual / _MEGABYTE:,.1f} MB at most by nineteen of twenty hosts"))
    score = min(100, round(40 + 0.6 * sum(part.points for part in parts)))
    return Found(
        said=f"sent {sent / _MEGABYTE:,.0f} MB to {one['id.resp_h']}",
        score=score,
        severity=Severity.HIGH if before is not None and usual is not None else Severity.MEDIUM,
        observed=str(one["id.resp_h"]),
        role="destination.ip",
        parts=tuple(parts),
        count=int(one["count"]),
        start=int(one["first"]),
        end=int(one["last"]),
        key=f"{one['id.orig_h']} {one['id.resp_h']}",
        window=_DAY,
    )


def _busiest_days(window: Window) -> Mapping[str, float]:
    """Give what each host sent on its busiest day before the window, as far as it is remembered."""
    first = window.start // HOUR
    days: dict[tuple[str, int], float] = defaultdict(float)
    for hour, sums in window.sent.items():
        if hour < first:
            for address, total in sums.items():
                days[address, (first - 1 - hour) // 24] += total
    busiest: dict[str, float] = {}
    for (address, _), total in days.items():
        busiest[address] = max(total, busiest.get(address, 0.0))
    return busiest


def new_scanners(thresholds: NewScanner, window: Window) -> Iterator[tuple[str, int, Found]]:
    frame = window.frame("conn")
    if frame is None:
        return
    ports = _tried_inside(window, frame)
    enough = ports["silent"] >= np.maximum(thresholds.hosts, thresholds.failed_percent / 100 * ports["tried"])
    told: set[str] = set()
    for one in ports[enough].sort_values(["silent", "row"], ascending=[False, True]).to_dict("records"):
        source = str(one["id.orig_h"])
        known = window.found.get(f"new-scanner {source}")
        if source not in told and (known is None or known >= int(one["last"]) - _DAY):
            told.add(source)
            yield "conn", int(one["row"]), _scanner(source, one)


def _tried_inside(window: Window, frame: Any) -> Any:
    """Give by source and port how many hosts of the site were tried, and how many of them never answered."""
    inside = window.are_home("conn", "id.orig_h") & window.are_home("conn", "id.resp_h")
    silent = by_category(frame["conn_state"], _SILENT.__contains__)
    tried = frame.loc[inside, [*_ENDS, "ts"]].assign(row=np.flatnonzero(inside), silent=silent[inside])
    hosts = tried.groupby(_ENDS, observed=True, sort=False).agg(
        silent=("silent", "all"), first=("ts", "min"), last=("ts", "max"), row=("row", "max")
    )
    by_port = hosts.reset_index().groupby(["id.orig_h", "id.resp_p"], observed=True, sort=False)
    return by_port.agg(
        tried=("silent", "size"),
        silent=("silent", "sum"),
        first=("first", "min"),
        last=("last", "max"),
        row=("row", "max"),
    ).reset_index()


def _scanner(source: str, one: Mapping[str, Any]) -> Found:
    seconds = (one["last"] - one["first"]) / MICROSECONDS
    return Found(
        said=f"tried port {int(one['id.resp_p'])} of {one['tried']:,} hosts of the site in {duration(seconds)},"
        f" {one['silent']:,} of which did not answer",
        score=70,
        severity=Severity.MEDIUM,
        observed=source,
        role="source.ip",
        count=int(one["tried"]),
        start=int(one["first"]),
        end=int(one["last"]),
        key=source,
        window=_DAY,
    )
