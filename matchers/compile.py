"""Trails to a trail set: merge what several sources say of one value, write the file that every process maps."""

import os
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import marisa_trie
import msgspec

from matchers import layout
from trailhound.errors import TrailSetError
from trailhound.trail import Trail, TrailClass, TrailKind

KINDS = tuple(TrailKind)
CLASSES = tuple(TrailClass)
# When sources disagree on what a value is, the site's own list wins; then the more telling word; then the more
# confident source.
_TELLING = {
    class_: rank
    for rank, class_ in enumerate(
        (
            TrailClass.HEURISTIC,
            TrailClass.POLICY,
            TrailClass.PARKED,
            TrailClass.SUSPICIOUS,
            TrailClass.ANONYMIZER,
            TrailClass.SPAM,
            TrailClass.SCANNER,
            TrailClass.ATTACKER,
            TrailClass.EXPLOIT,
            TrailClass.PHISHING,
            TrailClass.SINKHOLE,
            TrailClass.MALWARE,
            TrailClass.C2,
        )
    )
}
_LATEST = 2**32 - 1  # In the year 2106.
AGREEMENT = 5  # Confidence added by each further source that lists the same value.


@dataclass(frozen=True, slots=True, order=True)
class _Facts:
    """What is known of a trail, without its value."""

    kind: TrailKind
    class_: TrailClass
    info: str
    sources: tuple[str, ...]
    reference: str
    confidence: int
    first_seen: int
    expires: int
    custom: bool


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a compiled set holds. `expired` are the trails whose time was over already when it was built."""

    path: Path
    trails: int
    merged: int
    bytes: int
    checksum: str
    by_kind: Mapping[str, int] = field(default_factory=dict)
    by_class: Mapping[str, int] = field(default_factory=dict)
    custom: int = 0
    expired: int = 0


class Compiler:
    """Takes trails in any order; the same trails always give the same bytes."""

    def __init__(self) -> None:
        self._facts_of: dict[bytes, int] = {}
        self._numbers: dict[_Facts, int] = {}
        self._facts: list[_Facts] = []
        self._unions: dict[tuple[int, int], int] = {}
        self.merged = 0

    def add(self, trail: Trail) -> None:
        number = self._number(
            _Facts(
                trail.kind,
                trail.class_,
                trail.info,
                trail.sources,
                trail.reference,
                trail.confidence,
                trail.first_seen or 0,
                trail.expires or 0,
                trail.custom,
            )
        )
        known = self._facts_of.setdefault(layout.key(trail.kind, trail.value), number)
        if known != number:
            self.merged += 1
            self._facts_of[layout.key(trail.kind, trail.value)] = self._union(known, number)

    def add_all(self, trails: Iterable[Trail]) -> None:
        for trail in trails:
            self.add(trail)

    def write(self, path: Path, *, built: int | None = None) -> Compiled:
        """Write the set and put it in its place in one step. `built` is for people, in seconds since the epoch."""
        trie = marisa_trie.BinaryTrie(self._facts_of)
        order = array("I", bytes(4 * len(self._facts_of)))
        kinds: Counter[str] = Counter()
        classes: Counter[str] = Counter()
        custom = expired = 0
        rank = self._ranks()
        for key, number in self._facts_of.items():
            order[trie.key_id(key)] = rank[number]
            facts = self._facts[number]
            kinds[facts.kind.value] += 1
            classes[facts.class_.value] += 1
            custom += facts.custom
            expired += 0 < facts.expires < (built or 0)
        rows, texts = self._rows(rank)
        sections = {
            "keys": trie.tobytes(),
            "facts": order.tobytes(),
            "rows": rows,
            **_texts(texts),
            "blocks": layout.block_bits(self._facts_of),
            "hosts": layout.host_bits(self._facts_of),
        }
        by_kind, by_class = dict(sorted(kinds.items())), dict(sorted(classes.items()))
        about = {"trails": len(order), "by_kind": by_kind, "by_class": by_class, "custom": custom, "built": built}
        checksum, size = _write(path, about, sections)
        return Compiled(path, len(order), self.merged, size, checksum, by_kind, by_class, custom, expired)

    def _number(self, facts: _Facts) -> int:
        number = self._numbers.setdefault(facts, len(self._facts))
        if number == len(self._facts):
            self._facts.append(facts)
        return number

    def _union(self, known: int, new: int) -> int:
        pair = (known, new)
        if pair not in self._unions:
            self._unions[pair] = self._number(_union(self._facts[known], self._facts[new]))
        return self._unions[pair]

    def _ranks(self) -> dict[int, int]:
        """Order the facts that are in use by their content, not by when they came."""
        used = sorted(set(self._facts_of.values()), key=self._facts.__getitem__)
        return {number: rank for rank, number in enumerate(used)}

    def _rows(self, rank: Mapping[int, int]) -> tuple[bytes, list[str]]:
        texts: dict[str, int] = {}
        rows = bytearray()
        for number in rank:
            facts = self._facts[number]
            rows += layout.ROW.pack(
                texts.setdefault(facts.info, len(texts)),
                texts.setdefault(layout.SOURCES_SEPARATOR.join(facts.sources), len(texts)),
                texts.setdefault(facts.reference, len(texts)),
                min(max(facts.first_seen, 0), _LATEST),
                min(max(facts.expires, 0), _LATEST),
                KINDS.index(facts.kind),
                CLASSES.index(facts.class_),
                min(max(facts.confidence + AGREEMENT * (len(facts.sources) - 1), 0), 100),
                facts.custom,
            )
        return bytes(rows), list(texts)


def _union(one: _Facts, other: _Facts) -> _Facts:
    """Put together what two sources say of one value; in whatever order three come, the outcome is the same."""
    first, second = sorted((one, other), key=_precedence)
    seen = [moment for moment in (first.first_seen, second.first_seen) if moment]
    return _Facts(
        kind=first.kind,
        class_=first.class_,
        info=first.info,
        sources=(first.sources[0], *sorted({*first.sources, *second.sources} - {first.sources[0]})),
        reference=first.reference,
        confidence=first.confidence,
        first_seen=min(seen, default=0),
        # One source that never lets it expire keeps it.
        expires=max(first.expires, second.expires) if first.expires and second.expires else 0,
        custom=first.custom,
    )


def _precedence(facts: _Facts) -> tuple[object, ...]:
    return (
        not facts.custom,
        -_TELLING[facts.class_],
        -facts.confidence,
        not facts.reference,
        facts.info,
        facts.sources[0],
        facts.reference,
        facts.kind,
    )


def _texts(texts: list[str]) -> dict[str, bytes]:
    offsets, blob = array("I", [0]), bytearray()
    for item in texts:
        blob += layout.text(item)
        offsets.append(len(blob))
    return {"offsets": offsets.tobytes(), "texts": bytes(blob)}


def _write(path: Path, about: Mapping[str, Any], sections: Mapping[str, bytes]) -> tuple[str, int]:
    places, position = {}, 0
    for name, content in sections.items():
        places[name] = (position, len(content))
        position += -(-len(content) // layout.ALIGNMENT) * layout.ALIGNMENT
    about = {**about, "sections": places, "size": position}
    checksum = layout.checksum(about, sections.values())
    header = msgspec.json.encode({**about, "checksum": checksum})
    start = layout.PREAMBLE.size + len(header)
    header += b" " * (-start % layout.ALIGNMENT)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                file.write(layout.PREAMBLE.pack(layout.MAGIC, layout.VERSION, len(header)) + header)
                for content in sections.values():
                    file.write(content + bytes(-len(content) % layout.ALIGNMENT))
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).chmod(0o644)
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise TrailSetError(f"{path}: the compiled trail set cannot be written: {error.strerror or error}") from error
    return checksum, layout.PREAMBLE.size + len(header) + position
