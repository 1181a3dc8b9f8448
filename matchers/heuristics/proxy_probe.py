"""Probes for open proxies: a web server is asked for what another host has, to see whether it would fetch it."""

from collections.abc import Iterator

from matchers.findings import Found, Part, Technique, Thresholds
from matchers.heuristics.episodes import Episodes
from matchers.heuristics.exchange import COLUMNS, Request, request
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.lines import pattern
from matchers.heuristics.suspects import suspects
from matchers.heuristics.vertical import is_ours
from matchers.view import View, rows_of
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity
from trailhound.trail import TrailClass

_WINDOW = 24 * 3600 * MICROSECONDS
_WEB_PORT = 80
# Pages that say to whoever asks what address they see, as those who look for open proxies use them.
_PAGES = r"azenv\.php|proxyjudge|judge\.php|prxjdg|/ip(?:\.php)?$|ifconfig|icanhazip|ipify|whatismyip|checkip"
_PROBES = pattern(rf"^[a-z]+://[^\n]*(?:probe|proxy|echo|check|{_PAGES})")


class ProxyProbe(Thresholds):
    """Nothing to set."""


class _Watcher:
    def __init__(self, thresholds: ProxyProbe, surroundings: Surroundings) -> None:
        del thresholds
        self._surroundings = surroundings
        self._episodes = Episodes(_WINDOW, surroundings.slack)

    def held(self) -> int:
        return len(self._episodes)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        column = view.column("uri")
        if column is None:
            return
        for row in rows_of(view.once(suspects).with_any(_PROBES).keys(), column):
            asked = request(view, row)
            if asked is None or not self._is_probe(asked):
                continue
            key = f"{asked.source} {asked.destination} {asked.host}"
            episode = self._episodes.add(key, asked.occasion, view.time(row))
            if episode is None:
                continue
            parts = [Part("request", 45, "a web server was asked for what another host has")]
            if asked.is_answered_well:
                parts.append(Part("answer", 25, f"it answered {asked.status}"))
            yield (
                row,
                Found(
                    said=f"asked {asked.destination} to fetch {asked.shown}",
                    score=round(sum(part.points for part in parts)),
                    severity=Severity.MEDIUM if asked.is_answered_well else Severity.LOW,
                    observed=asked.url,
                    role="url.original",
                    class_=TrailClass.SCANNER,
                    parts=tuple(parts),
                    count=episode.count,
                    start=episode.start,
                    end=episode.end,
                    key=f"{key} {episode.level}",
                    window=_WINDOW,
                ),
            )

    def _is_probe(self, asked: Request) -> bool:
        """Tell a probe from the use of a proxy of our own, and of one that is where its requests are for."""
        is_own = is_ours(self._surroundings, asked.source) and is_ours(self._surroundings, asked.destination)
        return asked.destination_port == _WEB_PORT and not is_own and asked.host != asked.destination


PROXY_PROBE = Heuristic(
    name="proxy-probe",
    title="potential proxy probe",
    about="A web server is asked to fetch what another host has, to see whether it is an open proxy.",
    reads={"http": COLUMNS},
    technique=Technique("T1090.002", "Proxy: External Proxy", "Command and Control"),
    thresholds=ProxyProbe,
    start=_Watcher,
    false_positives=("Clients of a proxy on the Internet that listens on port 80",),
    silence="Mute `proxy-probe` for the client, or whitelist the address of the proxy.",
    blind="Probes with CONNECT, over SOCKS or TLS, and of other ports than 80.",
)
