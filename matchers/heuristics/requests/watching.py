"""Looks through requests for attacks: once for all families, since only few of what is asked for is worth a look."""

from collections.abc import Iterator, Sequence

import re2
from pydantic import Field

from matchers.findings import Found, Part, Thresholds
from matchers.heuristics.episodes import Episode, Episodes
from matchers.heuristics.exchange import COLUMNS, Request, is_outbound, request
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.lines import pattern
from matchers.heuristics.requests.decoding import decoded
from matchers.heuristics.requests.families import FAMILIES, Family
from matchers.heuristics.requests.patterns import ESCAPED, LOOKS
from matchers.heuristics.suspects import suspects
from matchers.heuristics.vertical import is_ours
from matchers.view import View, rows_of
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity
from trailhound.trail import TrailClass

_ANSWERED, _REFUSED = 20, -15  # What the answer adds to a score.
_BLIND = (
    "Bodies of requests, which neither Zeek nor Suricata logs; headers other than the user agent; what is said over"
    " TLS; of Suricata, what its `url` leaves out."
)


class Attacks(Thresholds):
    """From where on requests of one family are another attack."""

    seconds: int = Field(
        default=3600,
        ge=1,
        le=86_400,
        description="Requests of one host to another that come within so many seconds of each other are one attack,"
        " told when it begins and at each tenfold.",
    )


def _set() -> re2.Set:
    options = re2.Options()
    options.case_sensitive = False
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    options.max_mem = 64 * 1024 * 1024
    families = re2.Set.SearchSet(options)
    for look in LOOKS.values():
        families.Add("|".join(look.patterns).encode())
    families.Compile()
    return families


_SIGNS = pattern(ESCAPED, r"\\x", *(sign for look in LOOKS.values() for sign in look.signs))
_FAMILIES = _set()
_NAMES = tuple(LOOKS)
_UNLESS = {name: pattern(look.unless) for name, look in LOOKS.items() if look.unless}
_ALONE = {name: pattern(*LOOKS[name].patterns[1:]) for name in _UNLESS}


def family_of(uri: str) -> str | None:
    """Give the name of the family that a request belongs to, None for an ordinary one."""
    said = decoded(uri)
    for number in sorted(_FAMILIES.Match(said) or ()):
        name: str = _NAMES[number]
        if name not in _UNLESS or _UNLESS[name].search(said) is None or _ALONE[name].search(said) is not None:
            return name
    return None


def attacks(view: View) -> Sequence[tuple[int, str]]:
    """Give row and family of each attack in a batch; to be asked of `View.once`."""
    signs = view.once(suspects).with_any(_SIGNS)
    families = {cell: family for cell, uri in signs.items() if (family := family_of(uri)) is not None}
    column = view.column("uri")
    if not families or column is None:
        return ()
    return [(row, families[column[row]]) for row in rows_of(families.keys(), column)]


class _Watcher:
    def __init__(self, family: Family, thresholds: Attacks, surroundings: Surroundings) -> None:
        self._family = family
        self._surroundings = surroundings
        self._window = thresholds.seconds * MICROSECONDS
        self._episodes = Episodes(self._window, surroundings.slack)

    def held(self) -> int:
        return len(self._episodes)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        for row, family in view.once(attacks):
            if family != self._family.name:
                continue
            asked = request(view, row)
            if asked is None or (self._family.is_outbound and not is_outbound(self._surroundings, asked)):
                continue
            key = f"{asked.source} {asked.destination} {asked.host}"
            episode = self._episodes.add(key, asked.occasion, view.time(row))
            if episode is not None:
                yield row, self._found(asked, episode, f"{key} {episode.level}")

    def _found(self, asked: Request, episode: Episode, key: str) -> Found:
        again = f"{episode.count:,} times since it was told last, " if episode.level else ""
        parts = self._parts(asked)
        return Found(
            said=f"asked {asked.host} for {asked.shown}{', ' + again.rstrip(', ') if again else ''}",
            score=round(sum(part.points for part in parts)),
            severity=self._severity(asked),
            observed=asked.url,
            role="url.original",
            class_=TrailClass.HEURISTIC,
            parts=parts,
            count=episode.count,
            start=episode.start,
            end=episode.end,
            key=key,
            window=self._window,
        )

    def _parts(self, asked: Request) -> tuple[Part, ...]:
        parts = [Part("request", self._family.score, self._family.about)]
        if asked.is_answered_well:
            parts.append(Part("answer", _ANSWERED, f"the server answered {asked.status}"))
        elif asked.is_refused:
            parts.append(Part("answer", _REFUSED, f"the server refused it with {asked.status}"))
        return tuple(parts)

    def _severity(self, asked: Request) -> Severity:
        """Rate an attack: from the Internet it is everyday noise unless it is answered, from a host of ours not."""
        if self._family.is_outbound:
            return Severity.LOW
        level = 0
        if is_ours(self._surroundings, asked.source):
            level = 1 + self._family.is_grave
        elif asked.is_answered_well:
            level = 1
        if asked.is_refused:
            level -= 1
        return (Severity.LOW, Severity.MEDIUM, Severity.HIGH)[max(level, 0)]


def _heuristic(family: Family) -> Heuristic:
    def start(thresholds: Attacks, surroundings: Surroundings) -> _Watcher:
        return _Watcher(family, thresholds, surroundings)

    return Heuristic(
        name=family.name,
        title=family.title,
        about=family.about,
        reads={"http": COLUMNS},
        technique=family.technique,
        thresholds=Attacks,
        start=start,
        false_positives=family.false_positives,
        silence=f"Mute `{family.name}` for the host that asks or the one that is asked, or whitelist its address.",
        blind=_BLIND,
    )


REQUESTS: tuple[Heuristic, ...] = tuple(map(_heuristic, FAMILIES))
