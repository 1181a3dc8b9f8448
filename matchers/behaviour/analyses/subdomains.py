"""Data in very many names of one domain, however slowly they are asked for."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from matchers.behaviour.analyses.rhythm import HOUR, duration
from matchers.behaviour.remembered import domain
from matchers.behaviour.subdomain_tunnel import SubdomainTunnel
from matchers.behaviour.window import Window
from matchers.findings import Found, Part
from matchers.heuristics.lookups import is_black_list_question, is_busy
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_DAY = 24 * HOUR
_SURE = 75
_NEIGHBOURS = (137, 5353, 5355)  # Hosts call each other there.
_ROOM = frozenset({"TXT", "NULL", "CNAME", "MX", "SRV", "KEY", "DNSKEY", "PRIVATE"})


def tunnels(thresholds: SubdomainTunnel, window: Window) -> Iterator[tuple[str, int, Found]]:
    frame = window.frame("dns")
    if frame is None:
        return
    pairs = _pairs(frame)
    # Suricata writes a question and its answer as one record each.
    repeats = 2 if "suricata" in frame["module"].cat.categories else 1
    many = pairs[
        (pairs["names"] >= thresholds.names)
        & (pairs["carried"] >= thresholds.characters * pairs["names"])
        & (pairs["carried"] >= thresholds.kilobytes * 1000)
        & (pairs["names"] * repeats >= thresholds.new_percent / 100 * pairs["count"])
    ]
    for one in many.sort_values(["carried", "row"], ascending=[False, True]).to_dict("records"):
        row = int(one["row"])
        yield "dns", row, _tunnel(thresholds, str(frame["id.orig_h"].iloc[row]), one)


def _pairs(frame: Any) -> Any:
    """Give by source and zone how much was asked: look-ups, names, and characters in these before the zone."""
    names = list(frame["query"].cat.categories)
    zones = [_zone(name) for name in names]
    before = [len(name) - len(zone) - 1 if zone else 0 for name, zone in zip(names, zones, strict=True)]
    codes, distinct = pd.factorize(np.array([*zones, None], dtype=object))
    query = frame["query"].cat.codes.to_numpy()
    asked = (codes[query] >= 0) & ~np.isin(frame["id.resp_p"].to_numpy(), _NEIGHBOURS)
    rows = pd.DataFrame(
        {
            "source": frame["id.orig_h"].cat.codes.to_numpy()[asked],
            "code": codes[query][asked],
            "query": query[asked],
            "ts": frame["ts"].to_numpy()[asked],
            "row": np.flatnonzero(asked),
            "room": frame["qtype_name"].isin(_ROOM).to_numpy()[asked],
        }
    )
    pairs = rows.groupby(["source", "code"], sort=False).agg(
        count=("row", "size"), first=("ts", "min"), last=("ts", "max"), row=("row", "max"), room=("room", "mean")
    )
    once = rows.drop_duplicates(["source", "code", "query"])
    once = once.assign(length=np.array([*before, 0], np.float64)[once["query"].to_numpy()])
    sizes = once.groupby(["source", "code"], sort=False).agg(names=("row", "size"), carried=("length", "sum"))
    both = pairs.join(sizes).reset_index()
    return both.assign(zone=[distinct[code] for code in both["code"]])


def _tunnel(thresholds: SubdomainTunnel, source: str, one: Mapping[str, Any]) -> Found:
    zone, names, carried = str(one["zone"]), int(one["names"]), float(one["carried"])
    parts = (
        Part("names", min(40.0, 10 * names / thresholds.names), f"{names:,} names"),
        Part("bytes", min(40.0, 10 * carried / (thresholds.kilobytes * 1000)), f"{carried:,.0f} bytes"),
        Part("types", 20.0 * float(one["room"]), f"{one['room']:.0%} of types whose answers have room"),
    )
    score = min(100, round(50 + 0.5 * sum(part.points for part in parts)))
    spent = duration((one["last"] - one["first"]) / MICROSECONDS)
    return Found(
        said=f"asked for {names:,} names of {zone} with {carried:,.0f} bytes in them, in {spent}",
        score=score,
        severity=Severity.HIGH if score >= _SURE else Severity.MEDIUM,
        kind=TrailKind.DOMAIN,
        value=zone,
        observed=zone,
        role="dns.question.name",
        parts=parts,
        count=int(one["count"]),
        start=int(one["first"]),
        end=int(one["last"]),
        key=f"{source} {zone}",
        window=_DAY,
    )


def _zone(name: str) -> str | None:
    found = domain(name)
    if found is None or found == name or is_busy(name) or is_black_list_question(name):
        return None
    return found
