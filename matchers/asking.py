"""What the rules ask of a trail set, and how a person sees each question."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

from matchers import layout
from matchers.layers import Layers
from matchers.trailset import TrailSet, value_of
from trailhound.trail import Trail, TrailKind

_LAST = 1 << 16  # More than any name leaves unsaid.
_WORDS = {
    layout.WILDCARD: "wildcard",
    layout.NETWORK4: "network",
    layout.NETWORK6: "network",
    layout.PATH: "path",
    layout.AGENT: "user agent",
    layout.AGENT_REGEX: "user agent pattern",
    layout.CERTIFICATE: "certificate",
    layout.JA3: "JA3",
    layout.JA3S: "JA3S",
    layout.JA4: "JA4",
    layout.FILE: "file hash",
    layout.EMAIL: "e-mail address",
}


class LookUps(Protocol):
    """A trail set, as far as the rules ask it."""

    def trail(self, key: bytes) -> Trail: ...

    def domains(self, name: str) -> list[bytes]: ...

    def wildcards(self, name: str) -> list[bytes]: ...

    def has_address(self, address: str) -> bool: ...

    def address(self, address: str) -> bytes | None: ...

    def address_port(self, address: str, port: int) -> bytes | None: ...

    def networks(self, address: str) -> list[bytes]: ...

    def agents(self, user_agent: str) -> list[bytes]: ...

    def exact(self, key: bytes) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One key that was asked for: in words, as bytes (none for patterns, which are tried all at once), and its rank."""

    what: str
    key: bytes
    rank: int = 0


class Noted:
    """The look-ups of a trail set, which notes each key that is asked for.

    The answers are those of the set. So what the rules do with it is what they do in the loop, and what is noted is
    what they look for.
    """

    def __init__(self, trails: TrailSet | Layers) -> None:
        self._trails = trails
        self._asked: list[Asked] = []

    def asked(self) -> list[Asked]:
        """Give the keys in the order in which they count."""
        return sorted(self._asked, key=lambda one: one.rank)

    def trail(self, key: bytes) -> Trail:
        return self._trails.trail(key)

    def domains(self, name: str) -> list[bytes]:
        for parent in _parents(name):
            key = layout.key(TrailKind.DOMAIN, parent)
            self._note(key, unsaid(name, key))
        return self._trails.domains(name)

    def wildcards(self, name: str) -> list[bytes]:
        found = self._trails.wildcards(name)
        self._patterns(TrailKind.WILDCARD, "wildcards", found, _LAST)
        return found

    def has_address(self, address: str) -> bool:
        """Say yes: this only spares the questions that follow, which a person wants to see."""
        del address
        return True

    def address(self, address: str) -> bytes | None:
        return self.exact(layout.address_key(address))

    def address_port(self, address: str, port: int) -> bytes | None:
        return self.exact(layout.address_key(address) + str(port).encode())

    def networks(self, address: str) -> list[bytes]:
        bits = layout.network_key(address)
        for length in range(ip_address(address).max_prefixlen - 1, -1, -1):
            self._note(bits[: 1 + length])
        return self._trails.networks(address)

    def agents(self, user_agent: str) -> list[bytes]:
        itself = layout.AGENT + layout.text(user_agent)
        self._note(itself)
        found = self._trails.agents(user_agent)
        self._patterns(TrailKind.USER_AGENT_REGEX, "user agent patterns", [key for key in found if key != itself])
        return found

    def exact(self, key: bytes) -> bytes | None:
        self._note(key)
        return self._trails.exact(key)

    def _note(self, key: bytes, rank: int = 0) -> None:
        self._asked.append(Asked(named(key), key, rank))

    def _patterns(self, kind: TrailKind, words: str, found: Iterable[bytes], rank: int = 0) -> None:
        """Note that all patterns were tried at once, and those that were found."""
        self._asked.append(Asked(f"{words} ({self._trails.about.by_kind.get(kind.value, 0):,})", b"", rank))
        for key in found:
            self._note(key, rank)


def named(key: bytes) -> str:
    """Say in words what a key asks for."""
    prefix, value = key[:1], value_of(key)
    if prefix == layout.NAME:
        word = "domain" if "." in value else "top-level domain"
    elif prefix == layout.ADDRESS:
        word = "address" if key.endswith(b"/") else "address:port"
    elif prefix == layout.URL:
        word = "host" if value.find("/") == len(value) - 1 else "URL"
    else:
        word = _WORDS[prefix]
    return f"{word} {value}"


def unsaid(name: str, key: bytes) -> int:
    """Count the characters of a name that the key of a trail for it or for a parent leaves unsaid."""
    return len(name) + len(layout.NAME) - len(key)


def _parents(name: str) -> Iterator[str]:
    """Give a name and its parents, the longest first."""
    while name:
        yield name
        name = name.partition(".")[2]
