"""User agents of browsers and systems that get no fixes any more, or of malware that calls itself one."""

from collections.abc import Collection, Iterator, Sequence

from pydantic import Field

from matchers.asked import Asked
from matchers.findings import Found, Technique, Thresholds
from matchers.heuristics import agents
from matchers.heuristics.exchange import COLUMNS, request
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.vertical import is_ours
from matchers.heuristics.windows import Lately
from matchers.view import View, rows_of
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_COLUMN = "user_agent"


class ObsoleteUserAgent(Thresholds):
    """From where on the same program is told of anew."""

    seconds: int = Field(
        default=86_400,
        ge=1,
        le=2_592_000,
        description="One program of one host is told of once within about so many seconds: it hardly changes.",
    )


class _Watcher:
    def __init__(self, thresholds: ObsoleteUserAgent, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._window = thresholds.seconds * MICROSECONDS
        self._asked = Asked(_known, capacity=16_384)
        self._told: Lately[tuple[str, str]] = Lately(self._window, capacity=20_000)

    def held(self) -> int:
        return len(self._told)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        columns = view.columns("id.orig_h", _COLUMN)
        if columns is None:
            return
        sources, column = columns
        rows = list(rows_of(self._asked.hot(view, _COLUMN, view.distinct(_COLUMN)), column))
        first = {(sources[row], column[row]): row for row in reversed(rows)}
        for row in sorted(first.values()):
            found = self._found(view, row, view.text(_COLUMN, column[row]) or "")
            if found is not None:
                yield row, found

    def _found(self, view: View, row: int, agent: str) -> Found | None:
        name, asked = agents.obsolete(agent), request(view, row)
        if name is None or asked is None or not is_ours(self._surroundings, asked.source):
            return None
        if not self._told.new({(asked.source, name)}, view.time(row)):
            return None
        return Found(
            said=f"called itself {agent[:120]!r} to {asked.host}, which is {name}",
            score=30,
            severity=Severity.LOW,
            value=name.lower(),
            kind=TrailKind.USER_AGENT,
            observed=agent.strip(),
            role="user_agent.original",
            key=f"{asked.source} {name}",
            window=self._window,
        )


def _known(texts: Sequence[str]) -> Collection[str]:
    return {text for text in texts if agents.obsolete(text) is not None}


OBSOLETE_USER_AGENT = Heuristic(
    name="obsolete-user-agent",
    title="obsolete user agent (suspicious)",
    about="A host of ours runs a browser or a system that gets no fixes any more, or malware that calls itself one.",
    reads={"http": (*COLUMNS, _COLUMN)},
    technique=Technique("T1036", "Masquerading", "Defense Evasion"),
    thresholds=ObsoleteUserAgent,
    start=_Watcher,
    false_positives=("Programs that have called themselves an old browser ever since", "Machines and instruments"),
    silence="Mute `obsolete-user-agent` for the host, or with the program's name as its `value`.",
    blind="What is said over TLS.",
)
