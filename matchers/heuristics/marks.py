"""What answers carry where the sensor logs it: marks of sinkholes, and of domains that the police have seized.

Zeek writes `resp_server`, `resp_set_cookie`, `resp_location`, `resp_sinkhole` (the header X-Sinkhole) and `resp_title`
(the title of the page) with a script of its own; Suricata has the headers in `response_headers`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

import re2

from matchers.asked import Asked
from matchers.findings import Found
from matchers.heuristics.episodes import Episodes
from matchers.heuristics.exchange import Request, request
from matchers.heuristics.heuristic import Surroundings
from matchers.heuristics.lines import pattern
from matchers.view import View, rows_of
from trailhound import canonical
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity
from trailhound.trail import TrailClass, TrailKind

_WINDOW = 24 * 3600 * MICROSECONDS
_LONGEST = 2000  # Characters of a mark that are looked at.


class Marks:
    """Watches for marks: `signs` says by column how they read. The name that was asked for is what is found."""

    def __init__(
        self, signs: Mapping[str, str], words: str, score: int, class_: TrailClass, surroundings: Surroundings
    ) -> None:
        patterns = {name: pattern(sign) for name, sign in signs.items()}
        self._asked = {name: Asked(partial(_marked, one), capacity=4096) for name, one in patterns.items()}
        self._is_marked: Mapping[str, Callable[[str], bool]] = {
            name: partial(_has, one) for name, one in patterns.items()
        }
        self._words = words
        self._score = score
        self._class = class_
        self._episodes = Episodes(_WINDOW, surroundings.slack)

    def held(self) -> int:
        return len(self._episodes)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        for name, asked in self._asked.items():
            column = view.column(name)
            if column is None:
                continue
            distinct = view.distinct(name)
            if len(distinct) == 1 and None in distinct:
                continue
            for row in rows_of(asked.hot(view, name, distinct), column):
                texts, _ = view.texts(name, {column[row]})
                mark = next(filter(self._is_marked[name], texts))
                read = request(view, row)
                found = self._found(view, row, read, mark) if read is not None else None
                if found is not None:
                    yield row, found

    def _found(self, view: View, row: int, asked: Request, mark: str) -> Found | None:
        key = f"{asked.source} {asked.host}"
        episode = self._episodes.add(key, asked.occasion, view.time(row))
        if episode is None:
            return None
        is_address = canonical.address(asked.host) is not None
        return Found(
            said=f"was answered for {asked.host} {self._words} ({mark[:100]})",
            score=self._score,
            severity=Severity.HIGH if self._class is TrailClass.SINKHOLE else Severity.MEDIUM,
            value=asked.host,
            kind=canonical.address_kind(asked.host) if is_address else TrailKind.DOMAIN,
            observed=asked.host,
            role="destination.ip" if is_address else "url.domain",
            class_=self._class,
            count=episode.count,
            start=episode.start,
            end=episode.end,
            key=f"{key} {episode.level}",
            window=_WINDOW,
        )


def _has(found_by: re2._Regexp, text: str) -> bool:
    return found_by.search(text[:_LONGEST].encode("utf-8", "surrogatepass")) is not None


def _marked(found_by: re2._Regexp, texts: Sequence[str]) -> Collection[str]:
    return {text for text in texts if _has(found_by, text)}
