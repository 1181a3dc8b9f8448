"""A small trail set over a large one: what people add by hand counts at once, without compiling millions anew."""

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import msgspec

from matchers import layout
from matchers.compile import Compiler
from matchers.trailset import About, TrailSet
from trailhound.trail import Trail, TrailKind


class Layers:
    """The look-ups of two trail sets. Of what both have, the upper one says what it is."""

    def __init__(self, upper: TrailSet, lower: TrailSet) -> None:
        self._upper = upper
        self._lower = lower

    @cached_property
    def about(self) -> About:
        """What both hold; what both have is counted twice."""
        upper, lower = self._upper.about, self._lower.about
        return msgspec.structs.replace(
            lower,
            trails=lower.trails + upper.trails,
            by_kind=_added(lower.by_kind, upper.by_kind),
            by_class=_added(lower.by_class, upper.by_class),
            custom=lower.custom + upper.custom,
        )

    def trail(self, key: bytes) -> Trail:
        if self._upper.exact(key) is None:
            return self._lower.trail(key)
        trail = self._upper.trail(key)
        if self._lower.exact(key) is None:
            return trail
        others = (source for source in self._lower.trail(key).sources if source not in trail.sources)
        return replace(trail, sources=(*trail.sources, *others))

    def domains(self, name: str) -> list[bytes]:
        return _longest_first(self._upper.domains(name), self._lower.domains(name))

    def wildcards(self, name: str) -> list[bytes]:
        return _both(self._upper.wildcards(name), self._lower.wildcards(name))

    def has_address(self, address: str) -> bool:
        return self._upper.has_address(address) or self._lower.has_address(address)

    def address(self, address: str) -> bytes | None:
        return self.exact(layout.address_key(address))

    def address_port(self, address: str, port: int) -> bytes | None:
        return self.exact(layout.address_key(address) + str(port).encode())

    def networks(self, address: str) -> list[bytes]:
        return _longest_first(self._upper.networks(address), self._lower.networks(address))

    def agents(self, user_agent: str) -> list[bytes]:
        found = _both(self._upper.agents(user_agent), self._lower.agents(user_agent))
        # Itself first, then patterns that are found in it.
        return sorted(found, key=lambda key: not key.startswith(layout.AGENT))

    def exact(self, key: bytes) -> bytes | None:
        return self._upper.exact(key) or self._lower.exact(key)

    def get(self, kind: TrailKind, value: str) -> Trail | None:
        key = self.exact(layout.key(kind, value))
        return self.trail(key) if key is not None else None


def small_set(trails: Iterable[Trail]) -> TrailSet | None:
    """Make a trail set that is in memory only; None without trails. Raises `TrailSetError`."""
    compiler = Compiler()
    compiler.add_all(trails)
    if not len(compiler):
        return None
    with tempfile.TemporaryDirectory(prefix="trailhound-") as folder:
        path = Path(folder, "own.set")
        compiler.write(path)
        # What is mapped stays when its name is gone.
        return TrailSet.open(path)


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}


def _both(upper: list[bytes], lower: list[bytes]) -> list[bytes]:
    return list(dict.fromkeys((*upper, *lower)))


def _longest_first(upper: list[bytes], lower: list[bytes]) -> list[bytes]:
    if not upper or not lower:
        return upper or lower
    return sorted({*upper, *lower}, key=len, reverse=True)
