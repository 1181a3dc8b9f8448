"""Trails to a trail set: merge what several sources say of one value, write the file that every process maps."""

import os
import tempfile
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import marisa_trie
import msgspec

from matchers import layout
from matchers.gather import Gathering
from trailhound.errors import TrailSetError
from trailhound.trail import TrailClass, TrailKind

KINDS = tuple(TrailKind)
CLASSES = tuple(TrailClass)
_LATEST = 2**32 - 1  # In the year 2106.


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


class Compiler(Gathering):
    """Takes trails in any order; the same trails always give the same bytes."""

    def write(self, path: Path, *, built: int | None = None) -> Compiled:
        """Write the set and put it in its place in one step. `built` is for people, in seconds since the epoch."""
        trie = marisa_trie.BinaryTrie(self.numbers)
        rank = self._ranks()
        facts = array("I", bytes(4 * len(self.numbers)))
        for place, number in zip(map(trie.key_id, self.numbers), self.numbers.values(), strict=True):
            facts[place] = rank[number]
        rows, texts = self._rows(rank)
        sections = {
            "keys": trie.tobytes(),
            "facts": facts.tobytes(),
            "rows": rows,
            **_texts(texts),
            "blocks": layout.block_bits(self.numbers),
            "hosts": layout.host_bits(self.numbers),
            "paths": layout.path_bits(self.numbers),
        }
        compiled = self._counted(path, built or 0)
        about = {
            "trails": compiled.trails,
            "by_kind": compiled.by_kind,
            "by_class": compiled.by_class,
            "custom": compiled.custom,
            "built": built,
        }
        checksum, size = _write(path, about, sections)
        return replace(compiled, checksum=checksum, bytes=size)

    def _counted(self, path: Path, now: int) -> Compiled:
        """Count by facts, which are few, not by keys."""
        kinds: Counter[str] = Counter()
        classes: Counter[str] = Counter()
        custom = expired = 0
        for number, count in Counter(self.numbers.values()).items():
            facts = self.facts[number]
            kinds[facts.kind.value] += count
            classes[facts.class_.value] += count
            custom += count * facts.custom
            expired += count * (0 < facts.expires < now)
        by_kind, by_class = dict(sorted(kinds.items())), dict(sorted(classes.items()))
        return Compiled(path, len(self), self.merged, 0, "", by_kind, by_class, custom, expired)

    def _ranks(self) -> dict[int, int]:
        """Order the facts that are in use by their content, not by when they came."""
        return {number: rank for rank, number in enumerate(sorted(self.used(), key=self.facts.__getitem__))}

    def _rows(self, rank: Mapping[int, int]) -> tuple[bytes, list[str]]:
        texts: dict[str, int] = {}
        rows = bytearray()
        for number in rank:
            facts = self.facts[number]
            rows += layout.ROW.pack(
                texts.setdefault(facts.info, len(texts)),
                texts.setdefault(layout.SOURCES_SEPARATOR.join(facts.sources), len(texts)),
                texts.setdefault(facts.reference, len(texts)),
                min(max(facts.first_seen, 0), _LATEST),
                min(max(facts.expires, 0), _LATEST),
                KINDS.index(facts.kind),
                CLASSES.index(facts.class_),
                facts.agreed,
                facts.custom,
            )
        return bytes(rows), list(texts)


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
