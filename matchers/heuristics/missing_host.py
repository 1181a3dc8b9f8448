"""Requests without a Host header: what no browser sends, and many a tool written in haste does."""

from collections.abc import Iterator

from pydantic import Field

from matchers.findings import Found, Technique, Thresholds
from matchers.heuristics.episodes import Episodes
from matchers.heuristics.exchange import COLUMNS, request
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.view import View, rows_of
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity


class MissingHost(Thresholds):
    """From where on such requests are told of anew."""

    seconds: int = Field(
        default=86_400,
        ge=1,
        le=604_800,
        description="Requests of one host to another within so many seconds of each other are told of once, and at each"
        " tenfold.",
    )


class _Watcher:
    def __init__(self, thresholds: MissingHost, surroundings: Surroundings) -> None:
        self._window = thresholds.seconds * MICROSECONDS
        self._episodes = Episodes(self._window, surroundings.slack)

    def held(self) -> int:
        return len(self._episodes)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        column = view.column("host")
        if column is None:
            return
        unset = {cell for cell in view.distinct("host") & {None, b"-", b"(empty)", ""} if _is_unset(view, cell)}
        for row in rows_of(unset, column):
            asked = request(view, row)
            if asked is None or asked.host != asked.destination or not asked.path.startswith("/"):
                continue
            key = f"{asked.source} {asked.destination}"
            episode = self._episodes.add(key, asked.occasion, view.time(row))
            if episode is not None:
                yield (
                    row,
                    Found(
                        said=f"asked for {asked.shown} without naming a host",
                        score=20,
                        severity=Severity.LOW,
                        observed=asked.url,
                        role="url.original",
                        count=episode.count,
                        start=episode.start,
                        end=episode.end,
                        key=f"{key} {episode.level}",
                        window=self._window,
                    ),
                )


def _is_unset(view: View, cell: object) -> bool:
    return cell is None or not view.text("host", cell)


MISSING_HOST = Heuristic(
    name="missing-host",
    title="missing host header (suspicious)",
    about="A request does not name the host that it is for, as every browser does.",
    reads={"http": COLUMNS},
    technique=Technique("T1071.001", "Application Layer Protocol: Web Protocols", "Command and Control"),
    thresholds=MissingHost,
    start=_Watcher,
    false_positives=("Health checks of load balancers", "Devices and agents that speak HTTP/1.0"),
    silence="Leave it off, or mute `missing-host` for the client or the server.",
    blind="What is said over TLS. Zeek and Suricata leave the host unset as well when the request was not seen whole.",
    enabled=False,
)
