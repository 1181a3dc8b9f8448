"""Web scans: one host asks another for many things at the top of its site that are not there."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from urllib.parse import unquote

from pydantic import Field

from matchers.findings import Found, Part, Technique, Thresholds
from matchers.heuristics.exchange import COLUMNS, Request, request
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.scans import Scans, Told
from matchers.heuristics.vertical import is_ours, seconds, severity_of
from matchers.view import View, rows_of
from trailhound import canonical
from trailhound.record import MICROSECONDS

_REFUSALS = range(400, 600)
_POINTS = (55, 75, 85)  # By how many times the threshold was passed tenfold.


class WebScan(Thresholds):
    """From where on requests that are refused are a scan."""

    places: int = Field(
        default=10,
        ge=2,
        le=1000,
        description="More distinct first parts of paths than these that were refused (status 400 to 599); broken pages"
        " miss few.",
    )
    seconds: int = Field(default=30, ge=1, le=3600, description="Within so many seconds, as fast scans are.")


class _Watcher:
    def __init__(self, thresholds: WebScan, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._window = thresholds.seconds * MICROSECONDS
        self._scans: Scans[tuple[str, str], str] = Scans(self._window, thresholds.places, surroundings.slack)

    def held(self) -> int:
        return len(self._scans)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        column = view.column("status_code")
        if column is None:
            return
        refusals = {cell for cell in view.distinct("status_code") if _is_refusal(view, cell)}
        for row, source, target, place in _refused(view, list(rows_of(refusals, column))):
            if place and not (is_ours(self._surroundings, source) and is_ours(self._surroundings, target)):
                told = self._scans.add((source, target), place, view.time(row))
                asked = request(view, row) if told is not None else None
                if told is not None and asked is not None:
                    yield row, self._found(asked, told)

    def _found(self, asked: Request, told: Told) -> Found:
        said = f"{told.things:,} distinct parts of {asked.host} that it was refused in {seconds(told)} s"
        points = _POINTS[min(told.level, len(_POINTS) - 1)]
        return Found(
            said=f"asked for {said}",
            score=points,
            severity=severity_of(self._surroundings, asked.source, told),
            parts=(Part("places", points, said),),
            count=told.tries,
            start=told.start,
            end=told.end,
            key=f"{asked.source} {asked.destination} {told.level}",
            window=self._window,
        )


def _is_refusal(view: View, cell: Hashable) -> bool:
    return cell is not None and view.number("status_code", cell) in _REFUSALS


def _refused(view: View, rows: Sequence[int]) -> Iterator[tuple[int, str, str, str]]:
    """Give row, source, target and the first part of the path of refused requests; each distinct cell is read once."""
    read: tuple[tuple[str, Callable[[str], str | None]], ...] = (
        ("id.orig_h", canonical.address),
        ("id.resp_h", canonical.address),
        ("uri", _place),
    )
    known = [_known(view, name, rows, how) for name, how in read]
    for row, source, target, place in zip(rows, *known, strict=True):
        if source is not None and target is not None and place is not None:
            yield row, source, target, place


def _known(view: View, name: str, rows: Sequence[int], read: Callable[[str], str | None]) -> Sequence[str | None]:
    column = view.column(name)
    if column is None or not rows:
        return [None] * len(rows)
    cells = [column[row] for row in rows]
    texts, owners = view.texts(name, set(cells))
    known: Mapping[Hashable, str | None] = {cell: read(text) for cell, text in zip(owners, texts, strict=True)}
    return list(map(known.get, cells))


def _place(uri: str) -> str:
    """Give the first part of a path in lower case, its escapes undone as Zeek does."""
    return unquote(uri.partition("?")[0].lstrip("/").partition("/")[0]).lower()


WEB_SCAN = Heuristic(
    name="web-scan",
    title="potential web scanning",
    about="One host asks another for many distinct places of its site within a short time, and is refused; told again"
    " at each tenfold.",
    reads={"http": COLUMNS},
    technique=Technique("T1595.003", "Active Scanning: Wordlist Scanning", "Reconnaissance"),
    thresholds=WebScan,
    start=_Watcher,
    false_positives=("Crawlers that follow old links", "Clients of a service that is down"),
    silence="Mute `web-scan` for the address of the scanner or of the server, or whitelist it.",
    blind="Scans over TLS; servers that answer every request with a page (200) or send it elsewhere (300 to 399);"
    " scans among the home networks; scans slower than the window.",
)
