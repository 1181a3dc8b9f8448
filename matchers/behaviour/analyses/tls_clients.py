"""Fingerprints of TLS clients that are new on the site and of few hosts."""

from collections.abc import Iterator
from typing import Any

from matchers.behaviour.analyses.novelty import has_learnt, new_values
from matchers.behaviour.analyses.rhythm import HOUR
from matchers.behaviour.rare_tls_client import RareTlsClient
from matchers.behaviour.window import Window
from matchers.findings import Found, Part
from trailhound.severity import Severity

_DAY = 24 * HOUR
_SHOWN = 3  # Servers that are named.


def clients(thresholds: RareTlsClient, window: Window) -> Iterator[tuple[str, int, Found]]:
    frame = window.frame("ssl")
    if frame is None or not has_learnt(window, thresholds.learn_days):
        return
    # JA4 sorts what browsers shuffle: where it is there, it is the better one.
    column = "ja4" if frame["ja4"].notna().any() else "ja3"
    known = window.first_seen.get(("ssl", column), {})
    homes = window.are_home("ssl", "id.orig_h")
    new = new_values(frame, column, known, window.start, thresholds.hosts, homes)
    repeated = [one for one in new if one["count"] >= thresholds.connections]
    for one in repeated[: thresholds.most]:
        yield "ssl", int(one["first_row"]), _found(frame, column, one)


def _found(frame: Any, column: str, one: dict[str, Any]) -> Found:
    row, count = int(one["first_row"]), int(one["count"])
    fingerprint, source = str(frame[column].iloc[row]), str(frame["id.orig_h"].iloc[row])
    those = frame[frame[column] == fingerprint]
    names = those["server_name"].astype(object).fillna(those["id.resp_h"].astype(object))
    servers = sorted(names.value_counts().items(), key=lambda pair: (-pair[1], str(pair[0])))
    shown = ", ".join(str(name)[:100] for name, _ in servers[:_SHOWN])
    return Found(
        said=f"was the only one here to open TLS as {column.upper()} {fingerprint} does, which is new, to {shown}",
        score=35,
        severity=Severity.LOW,
        observed=fingerprint,
        role=f"tls.client.{column}",
        parts=(
            Part("fingerprint", 20, f"{fingerprint} was never seen here before"),
            Part("repeated", 15, f"{count:,} connections to {len(servers):,} servers"),
        ),
        count=count,
        start=int(one["first"]),
        end=int(those["ts"].iloc[-1]),
        key=f"{source} {fingerprint}",
        window=_DAY,
    )
