"""User agents that give away what made a request: attackers' tools and malware."""

from collections.abc import Collection, Iterator, Sequence

from pydantic import Field

from matchers.asked import Asked
from matchers.findings import Found, Technique, Thresholds
from matchers.heuristics import agents
from matchers.heuristics.episodes import Episode, Episodes
from matchers.heuristics.exchange import COLUMNS, Request, request
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.vertical import is_ours
from matchers.view import View, rows_of
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_COLUMN = "user_agent"


class UserAgent(Thresholds):
    """From where on the same user agent is told of anew."""

    seconds: int = Field(
        default=86_400,
        ge=1,
        le=604_800,
        description="One program of one host is told of when it begins and at each tenfold, until it was quiet for so"
        " many seconds.",
    )


class _Watcher:
    def __init__(self, thresholds: UserAgent, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._window = thresholds.seconds * MICROSECONDS
        self._asked = Asked(_known, capacity=16_384)
        self._episodes = Episodes(self._window, surroundings.slack)

    def held(self) -> int:
        return len(self._episodes)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        column = view.column(_COLUMN)
        if column is None:
            return
        for row in rows_of(self._asked.hot(view, _COLUMN, view.distinct(_COLUMN)), column):
            agent = view.text(_COLUMN, column[row]) or ""
            name, asked = agents.tool(agent), request(view, row)
            if name is None or asked is None:
                continue
            key = f"{asked.source} {name}"
            episode = self._episodes.add(key, asked.occasion, view.time(row))
            if episode is not None:
                yield row, self._found(asked, agent, name, episode)

    def _found(self, asked: Request, agent: str, name: str, episode: Episode) -> Found:
        return Found(
            said=f"called itself {agent[:120]!r} to {asked.host}, as {name} does",
            score=75,
            severity=Severity.MEDIUM if is_ours(self._surroundings, asked.source) else Severity.LOW,
            value=name.lower(),
            kind=TrailKind.USER_AGENT,
            observed=agent.strip(),
            role="user_agent.original",
            count=episode.count,
            start=episode.start,
            end=episode.end,
            key=f"{asked.source} {name} {episode.level}",
            window=self._window,
        )


def _known(texts: Sequence[str]) -> Collection[str]:
    return {text for text in texts if agents.tool(text) is not None}


USER_AGENT = Heuristic(
    name="user-agent",
    title="user agent (suspicious)",
    about="A request gives a user agent that only attackers' tools and malware have.",
    reads={"http": (*COLUMNS, _COLUMN)},
    technique=Technique("T1071.001", "Application Layer Protocol: Web Protocols", "Command and Control"),
    thresholds=UserAgent,
    start=_Watcher,
    false_positives=("Scanners of the site's own",),
    silence="Mute `user-agent` for the address of the scanner, or with the tool's name as its `value`.",
    blind="What is said over TLS; tools that call themselves a browser.",
)
