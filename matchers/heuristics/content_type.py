"""Web servers that hand out scripts and shortcuts of kinds that browsers hardly ever ask for.

Zeek says what it sniffed (`resp_mime_types`), and with a script of its own what the server declared
(`resp_content_type`), Suricata what it declared: both ways to name each kind are known here.
"""

from collections.abc import Iterator, Sequence

from matchers.asked import Asked
from matchers.findings import Found, Technique, Thresholds
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.view import View, rows_of
from trailhound.severity import Severity

_COLUMNS = ("resp_mime_types", "resp_content_type")
_KINDS = frozenset(
    [
        "application/hta",
        "application/vnd.ms-htmlhelp",
        "application/x-bsh",
        "application/x-chm",
        "application/x-ms-shortcut",
        "application/x-sh",
        "application/x-shellscript",
        "text/x-scriptlet",
        "text/x-sh",
        "text/x-shellscript",
        "application/x-ms-vsto",
    ]
)


class ContentType(Thresholds):
    """Nothing to set."""


class _Watcher:
    def __init__(self, thresholds: ContentType, surroundings: Surroundings) -> None:
        del thresholds, surroundings
        self._asked = Asked(_suspicious, capacity=4096)

    def held(self) -> int:
        return 0

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        kinds = {row: kind for name in reversed(_COLUMNS) for row, kind in self._kinds(view, name)}
        for row in sorted(kinds):
            yield (
                row,
                Found(
                    said=f"was sent {kinds[row]}",
                    score=50,
                    severity=Severity.MEDIUM,
                    observed=kinds[row],
                    role="http.response.mime_type",
                ),
            )

    def _kinds(self, view: View, name: str) -> Iterator[tuple[int, str]]:
        column = view.column(name) or ()
        for row in rows_of(self._asked.hot(view, name, view.distinct(name)), column):
            texts, _ = view.texts(name, {column[row]})
            yield row, min(_suspicious(texts))


def _suspicious(texts: Sequence[str]) -> set[str]:
    return {text for text in texts if text.partition(";")[0].strip().lower() in _KINDS}


CONTENT_TYPE = Heuristic(
    name="content-type",
    title="content type (suspicious)",
    about="A web server hands out a script or a shortcut of a kind that browsers hardly ever ask for.",
    reads={"http": _COLUMNS},
    technique=Technique("T1105", "Ingress Tool Transfer", "Command and Control"),
    thresholds=ContentType,
    start=_Watcher,
    false_positives=("Installers that are piped into a shell", "Mirrors of software"),
    silence="Mute `content-type` for the address of the server, or whitelist the host.",
    blind="What is said over TLS. Zeek sniffs the content, Suricata tells the header: one has what the other misses.",
)
