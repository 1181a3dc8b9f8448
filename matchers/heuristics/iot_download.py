"""Downloads of programs for small devices from bare addresses, as the worms of cameras and routers fetch them."""

from collections.abc import Iterator

from matchers.findings import Found, Part, Technique, Thresholds
from matchers.heuristics.episodes import Episodes
from matchers.heuristics.exchange import COLUMNS, Request, request, url_value
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.lines import pattern
from matchers.heuristics.suspects import PROCESSORS, suspects
from matchers.heuristics.vertical import is_ours
from matchers.view import View, rows_of
from trailhound import canonical
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_WINDOW = 24 * 3600 * MICROSECONDS
_PROGRAMS = pattern(rf"(?:^|[/._-])(?:{PROCESSORS})(?:\?[^\n]*)?$")


class IotDownload(Thresholds):
    """Nothing to set."""


class _Watcher:
    def __init__(self, thresholds: IotDownload, surroundings: Surroundings) -> None:
        del thresholds
        self._surroundings = surroundings
        self._episodes = Episodes(_WINDOW, surroundings.slack)

    def held(self) -> int:
        return len(self._episodes)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        column = view.column("uri")
        if column is None:
            return
        for row in rows_of(view.once(suspects).with_any(_PROGRAMS).keys(), column):
            asked = request(view, row)
            if asked is None or not canonical.address(asked.host) or is_ours(self._surroundings, asked.host):
                continue
            if asked.is_refused and not is_ours(self._surroundings, asked.source):  # A scan for what is left behind.
                continue
            key = f"{asked.source} {asked.url}"
            episode = self._episodes.add(key, asked.occasion, view.time(row))
            if episode is not None:
                parts = _parts(asked)
                yield (
                    row,
                    Found(
                        said=f"fetched {asked.shown}, named as programs for small devices are",
                        score=round(sum(part.points for part in parts)),
                        severity=Severity.LOW if asked.is_refused else Severity.HIGH,
                        value=url_value(asked),
                        kind=TrailKind.URL,
                        observed=asked.url,
                        role="url.original",
                        parts=parts,
                        count=episode.count,
                        start=episode.start,
                        end=episode.end,
                        key=f"{key} {episode.level}",
                        window=_WINDOW,
                    ),
                )


def _parts(asked: Request) -> tuple[Part, ...]:
    parts = [Part("name", 50, "a name such as worms of small devices have"), Part("host", 15, "from a bare address")]
    if asked.is_answered_well:
        parts.append(Part("answer", 20, f"the server answered {asked.status}"))
    elif asked.is_refused:
        parts.append(Part("answer", -30, f"the server refused it with {asked.status}"))
    return tuple(parts)


IOT_DOWNLOAD = Heuristic(
    name="iot-download",
    title="potential iot-malware download",
    about="A host fetches from a bare address what is named as programs for small devices are: by their processor.",
    reads={"http": COLUMNS},
    technique=Technique("T1105", "Ingress Tool Transfer", "Command and Control"),
    thresholds=IotDownload,
    start=_Watcher,
    false_positives=("Mirrors of software that are known by their address",),
    silence="Mute `iot-download` for the server, or whitelist its address.",
    blind="What is fetched over TLS, TFTP or FTP, or from a host with a name; servers in the home networks.",
)
