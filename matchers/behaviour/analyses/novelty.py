"""What is new on the site, of what few hosts do."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from matchers.behaviour.analyses.rhythm import HOUR
from matchers.behaviour.first_seen import FirstSeenDomain, RareUserAgent
from matchers.behaviour.remembered import form
from matchers.behaviour.window import Window
from matchers.findings import Found
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_DAY = 24 * HOUR


def domains(thresholds: FirstSeenDomain, window: Window) -> Iterator[tuple[str, int, Found]]:
    frame = window.frame("dns")
    if frame is None or not has_learnt(window, thresholds.learn_days):
        return
    known = window.first_seen.get(("dns", "query"), {})
    for one in new_values(frame, "query", known, window.start, thresholds.hosts)[: thresholds.most]:
        row, name = int(one["first_row"]), str(one["form"])
        source = str(frame["id.orig_h"].iloc[row])
        yield (
            "dns",
            row,
            Found(
                said=f"was the first here to ask for {name}",
                score=20,
                severity=Severity.LOW,
                kind=TrailKind.DOMAIN,
                value=name,
                observed=name,
                role="dns.question.name",
                count=int(one["count"]),
                start=int(one["first"]),
                end=int(one["first"]),
                key=f"{source} {name}",
                window=_DAY,
            ),
        )


def agents(thresholds: RareUserAgent, window: Window) -> Iterator[tuple[str, int, Found]]:
    frame = window.frame("http")
    if frame is None or not has_learnt(window, thresholds.learn_days):
        return
    known = window.first_seen.get(("http", "user_agent"), {})
    new = [
        one
        for one in new_values(
            frame, "user_agent", known, window.start, thresholds.hosts, window.are_home("http", "id.orig_h")
        )
        if one["count"] >= thresholds.requests
    ]
    for one in new[: thresholds.most]:
        row = int(one["first_row"])
        agent, source = str(frame["user_agent"].iloc[row]), str(frame["id.orig_h"].iloc[row])
        yield (
            "http",
            row,
            Found(
                said=f"was the only one here to use the user agent {agent!r}, which is new",
                score=30,
                severity=Severity.LOW,
                observed=agent,
                role="user_agent.original",
                count=int(one["count"]),
                start=int(one["first"]),
                end=int(one["first"]),
                key=f"{source} {one['form']}",
                window=_DAY,
            ),
        )


def has_learnt(window: Window, days: float) -> bool:
    return window.start - window.begun >= days * _DAY


def new_values(
    frame: Any, column: str, known: Any, since: int, most_hosts: int, which: Any = None
) -> list[dict[str, Any]]:
    """Give the values, as they are remembered, that were not seen before a time, of few hosts; the rarest first."""
    forms = [_new_form(column, text, known, since) for text in frame[column].cat.categories]
    codes, distinct = pd.factorize(np.array([*forms, None], dtype=object))
    code = codes[frame[column].cat.codes.to_numpy()]
    chosen = code >= 0 if which is None else (code >= 0) & which
    rows = pd.DataFrame(
        {
            "code": code[chosen],
            "source": frame["id.orig_h"].cat.codes.to_numpy()[chosen],
            "ts": frame["ts"].to_numpy()[chosen],
            "row": np.flatnonzero(chosen),
        }
    )
    summed = rows.groupby("code", sort=True).agg(
        hosts=("source", "nunique"), count=("row", "size"), first=("ts", "min"), first_row=("row", "min")
    )
    summed = summed[summed["hosts"] <= most_hosts].reset_index()
    summed["form"] = [distinct[place] for place in summed["code"]]
    found: list[dict[str, Any]] = summed.sort_values(["hosts", "first", "form"]).to_dict("records")
    return found


def _new_form(column: str, text: str, known: Any, since: int) -> str | None:
    value = form(column, text)
    return value if value is not None and known.get(value, 0) >= since else None
