"""The trail set: all trails in force, in one file that every process maps read-only."""

import mmap
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import marisa_trie
import msgspec
import re2

from matchers import layout
from matchers.compile import CLASSES, KINDS
from trailhound.errors import TrailSetError
from trailhound.trail import Trail, TrailKind

# The ends of a whole text, whose lines have ends of their own; and what makes such a sign mean itself.
_NOT_OF_LINES = re.compile(r"\\[AzQ]")
PATTERN_MEMORY = 64 * 1024 * 1024  # Bytes; RE2's own limit of 8 MB is reached with some ten thousand patterns.


class About(msgspec.Struct, frozen=True):
    """The header of a compiled set."""

    trails: int
    checksum: str
    size: int
    sections: dict[str, tuple[int, int]]
    by_kind: dict[str, int]
    by_class: dict[str, int]
    custom: int = 0
    built: int | None = None


@dataclass(frozen=True, slots=True)
class _Patterns:
    """Regexes that are tried at once, with the key of each; `lines` are the same for texts of several lines."""

    set: re2.Set | None
    lines: re2.Set | None
    keys: tuple[bytes, ...]

    def match(self, text: str) -> list[bytes]:
        found = self.set.Match(text) if self.set is not None else None
        return [self.keys[number] for number in sorted(found)] if found else []

    def match_any(self, lines: str) -> bool:
        """Tell whether any of several texts, a line each, could match."""
        if not self.keys:
            return False
        return self.lines is None or bool(self.lines.Match(lines))


class TrailSet:
    """Look-ups by canonical value. Immutable; safe to share between threads."""

    def __init__(self, path: Path, about: About, view: memoryview) -> None:
        self.path = path
        self.about = about
        self._view = view
        self._trie = marisa_trie.BinaryTrie().map(self._section("keys"))
        self._facts = self._section("facts").cast("I")
        self._rows = self._section("rows")
        self._offsets = self._section("offsets").cast("I")
        self._texts = self._section("texts")
        self.blocks = self._section("blocks")
        self.hosts = self._section("hosts")
        self.bare_paths = self._section("paths")
        self._has_networks = "cidr" in about.by_kind
        self._names = self._trie.prefixes
        self._any = self._trie.iterkeys

    @classmethod
    def open(cls, path: Path, *, verify: bool = True) -> "TrailSet":
        """Map a compiled set. Raises `TrailSetError` when it is missing, damaged or of another version."""
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError as error:
            raise TrailSetError(
                f"{path}: there is no such trail set; make it with `trailhound trails compile`"
            ) from error
        except (OSError, ValueError) as error:
            raise TrailSetError(f"{path}: the trail set cannot be read: {error}") from error
        view = memoryview(mapped)
        about, start = _read_header(path, view)
        if len(view) != start + about.size:
            raise TrailSetError(
                f"{path}: the trail set is damaged: {start + about.size:,} bytes expected, {len(view):,} found;"
                " compile it anew"
            )
        payload = view[start:]
        if verify and _checksum(payload, about) != about.checksum:
            raise TrailSetError(
                f"{path}: the trail set is damaged: its checksum is not that of its content; compile it anew"
            )
        return cls(path, about, payload)

    def __len__(self) -> int:
        return self.about.trails

    def domains(self, name: str) -> list[bytes]:
        """Give the keys of all trails that are this name or a parent of it, the longest first."""
        spelled = layout.NAME + name.encode()[::-1]
        found = [key for key in self._names(spelled) if len(key) == len(spelled) or spelled[len(key)] == 0x2E]
        found.reverse()
        return found

    def prefixes(self, keys: Iterable[bytes]) -> Iterator[list[bytes]]:
        """Give for each key all keys of the set that it begins with."""
        return map(self._names, keys)

    def has_keys_from(self, beginning: bytes) -> bool:
        """Tell whether any key of the set begins with this."""
        return next(self._any(beginning), None) is not None

    def wildcards(self, name: str) -> list[bytes]:
        """Give the keys of all wildcards that are found in a name."""
        return self._wildcards.match(name)

    def any_wildcard(self, names: str) -> bool:
        """Tell whether any of several names, a line each, could meet a wildcard."""
        return self._wildcards.match_any(names)

    def has_address(self, address: str) -> bool:
        """Tell whether any trail has to do with an address: itself, one of its ports, or a network around it."""
        if self.has_keys_from(layout.address_key(address)):
            return True
        return self._has_networks and bool(self._names(layout.network_key(address)))

    def address(self, address: str) -> bytes | None:
        return self.exact(layout.address_key(address))

    def address_port(self, address: str, port: int) -> bytes | None:
        return self.exact(layout.address_key(address) + str(port).encode())

    def networks(self, address: str) -> list[bytes]:
        """Give the keys of all networks around an address, the narrowest first."""
        found: list[bytes] = self._names(layout.network_key(address)) if self._has_networks else []
        found.reverse()
        return found

    def has_urls(self, authority: str) -> bool:
        """Tell whether any URL trail begins with this host."""
        return self.has_keys_from(layout.URL + layout.text(authority) + b"/")

    def paths(self, path: str) -> list[bytes]:
        """Give the keys of all path trails that `path` begins with, the longest last."""
        found: list[bytes] = self._names(layout.PATH + layout.text(path))
        return found

    def has_paths_from(self, beginning: str) -> bool:
        """Tell whether any path trail begins with this."""
        return self.has_keys_from(layout.PATH + layout.text(beginning))

    def agents(self, user_agent: str) -> list[bytes]:
        """Give the keys of a user agent: itself, then all patterns that are found in it."""
        itself = self.exact(layout.AGENT + layout.text(user_agent))
        found = self._agents.match(user_agent)
        return [itself, *found] if itself is not None else found

    def has(self, keys: Iterable[bytes]) -> Iterator[bool]:
        return map(self._trie.__contains__, keys)

    def exact(self, key: bytes) -> bytes | None:
        """Give a key back when it is in the set."""
        return key if key in self._trie else None

    def trail(self, key: bytes) -> Trail:
        """Put together what is known of a key that is in the set."""
        return self._trail(self.row(key), value_of(key))

    def keys(self, beginning: bytes = b"") -> Iterator[bytes]:
        """Give all keys that begin with this, in no order that means anything."""
        keys: Iterator[bytes] = self._any(beginning)
        return keys

    def row(self, key: bytes) -> int:
        """Give the number of what is known of a key that is in the set; keys of which the same is known share it."""
        row: int = self._facts[self._trie.key_id(key)]
        return row

    def facts(self, row: int) -> Trail:
        """Give what is known of all keys of a row, as a trail without a value."""
        return self._trail(row, "")

    def _trail(self, row: int, value: str) -> Trail:
        info, sources, reference, first_seen, expires, kind, class_, confidence, custom = layout.ROW.unpack_from(
            self._rows, row * layout.ROW.size
        )
        return Trail(
            kind=KINDS[kind],
            value=value,
            info=self._text(info),
            class_=CLASSES[class_],
            sources=tuple(self._text(sources).split(layout.SOURCES_SEPARATOR)),
            reference=self._text(reference),
            confidence=confidence,
            first_seen=first_seen or None,
            expires=expires or None,
            custom=bool(custom),
        )

    def get(self, kind: TrailKind, value: str) -> Trail | None:
        key = self.exact(layout.key(kind, value))
        return self.trail(key) if key is not None else None

    def __iter__(self) -> Iterator[Trail]:
        return map(self.trail, self._trie.iterkeys())

    def shared_facts(self) -> Iterator[tuple[Trail, int]]:
        """Give what is known of trails, as trails without a value, each with the number of trails of which it is known.

        Reads a number of every trail, so it is for people, not for the loop.
        """
        for row, count in Counter(self._facts).items():
            yield self._trail(row, ""), count

    def by_source(self) -> Mapping[str, int]:
        """Count the trails of each source, the largest first."""
        counts: Counter[str] = Counter()
        for trail, count in self.shared_facts():
            for source in trail.sources:
                counts[source] += count
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @cached_property
    def _wildcards(self) -> _Patterns:
        return self._patterns(layout.WILDCARD)

    @cached_property
    def _agents(self) -> _Patterns:
        return self._patterns(layout.AGENT_REGEX)

    def _patterns(self, prefix: bytes) -> _Patterns:
        keys = tuple(sorted(self._trie.iterkeys(prefix)))
        if not keys:
            return _Patterns(None, None, ())
        patterns = list(map(value_of, keys))
        try:
            # With `(?m)`, `^` and `$` stand for the ends of each line.
            of_lines = not any(map(_NOT_OF_LINES.search, patterns))
            lines = _compiled([f"(?m){pattern}" for pattern in patterns]) if of_lines else None
            return _Patterns(_compiled(patterns), lines, keys)
        except re2.error as error:
            reason = (
                f"its {len(keys):,} patterns cannot be compiled together ({error.args[0] if error.args else error})"
            )
            raise TrailSetError(f"{self.path}: the trail set cannot be used: {reason}") from error

    def _section(self, name: str) -> memoryview:
        try:
            start, length = self.about.sections[name]
        except KeyError as error:
            raise TrailSetError(f"{self.path}: the trail set is damaged: it has no section {name!r}") from error
        return self._view[start : start + length]

    def _text(self, number: int) -> str:
        return bytes(self._texts[self._offsets[number] : self._offsets[number + 1]]).decode("utf-8", "surrogatepass")


def _compiled(patterns: Iterable[str]) -> re2.Set:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    compiled = re2.Set.SearchSet(options)
    for pattern in patterns:
        compiled.Add(pattern)
    compiled.Compile()
    return compiled


def value_of(key: bytes) -> str:
    """Give the canonical value back from a key."""
    prefix, rest = key[:1], key[1:].decode("utf-8", "surrogatepass")
    if prefix == layout.NAME:
        return rest[::-1]
    if prefix == layout.ADDRESS:
        address, _, port = rest.partition("/")
        if not port:
            return address
        return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    if prefix in (layout.NETWORK4, layout.NETWORK6):
        return _network_of(prefix, rest)
    return rest


def _network_of(prefix: bytes, bits: str) -> str:
    import ipaddress  # noqa: PLC0415 - only a person's look-up of a network comes here

    if prefix == layout.NETWORK4:
        return f"{ipaddress.IPv4Address(int(bits.ljust(32, '0'), 2))}/{len(bits)}"
    return f"{ipaddress.IPv6Address(int(bits.ljust(128, '0'), 2))}/{len(bits)}"


def _read_header(path: Path, view: memoryview) -> tuple[About, int]:
    if len(view) < layout.PREAMBLE.size or bytes(view[: len(layout.MAGIC)]) != layout.MAGIC:
        raise TrailSetError(f"{path}: this is no compiled trail set; make one with `trailhound trails compile`")
    _, version, length = layout.PREAMBLE.unpack_from(view)
    if version != layout.VERSION:
        raise TrailSetError(
            f"{path}: the trail set is of version {version}, this Trailhound reads version {layout.VERSION};"
            " compile it anew"
        )
    start = layout.PREAMBLE.size + length
    try:
        return msgspec.json.decode(view[layout.PREAMBLE.size : start], type=About), start
    except msgspec.MsgspecError as error:
        raise TrailSetError(f"{path}: the trail set is damaged: its header cannot be read; compile it anew") from error


def _checksum(payload: memoryview, about: About) -> str:
    sections = (payload[start : start + length] for start, length in about.sections.values())
    return layout.checksum(msgspec.structs.asdict(about), sections)
