"""STIX patterns: the values of which one alone is enough for the pattern. A pattern that asks for more gives none.

`[a = 'x' OR b = 'y']` and `[a = 'x'] OR [b = 'y']` give both. Of `AND`, only hashes of one file (any of them is that
file) and an address with its port are values; whatever else is joined says less than a trail would.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from trailhound import canonical
from trailhound.errors import TrailError
from trailhound.trail import TrailKind as Kind

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<typed>[thb]'(?:[^'\\]|\\.)*')|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<path>[a-z0-9-]+:(?:'[^']*'|[\w.\[\]*-])+)|(?P<word>[A-Za-z]+)|(?P<sign><=|>=|!=|[\[\]()=<>,]))"
)
_MAX_PATTERN = 20_000
_KINDS: Mapping[str, Kind] = {
    "domain-name:value": Kind.DOMAIN,
    "ipv4-addr:value": Kind.IPV4,
    "ipv6-addr:value": Kind.IPV6,
    "url:value": Kind.URL,
    "email-addr:value": Kind.EMAIL,
    "email-message:from_ref.value": Kind.EMAIL,
    "email-message:sender_ref.value": Kind.EMAIL,
    "file:hashes.md5": Kind.FILE_MD5,
    "file:hashes.sha-1": Kind.FILE_SHA1,
    "file:hashes.sha1": Kind.FILE_SHA1,
    "file:hashes.sha-256": Kind.FILE_SHA256,
    "file:hashes.sha256": Kind.FILE_SHA256,
    "x509-certificate:hashes.sha-1": Kind.CERT_SHA1,
    "x509-certificate:hashes.sha-256": Kind.CERT_SHA256,
    "network-traffic:dst_ref.value": Kind.IPV4,
    "network-traffic:src_ref.value": Kind.IPV4,
    "network-traffic:extensions.http-request-ext.request_header.user-agent": Kind.USER_AGENT,
    "network-traffic:extensions.http-request-ext.request_value": Kind.PATH,
    # What tools write for fingerprints of TLS, which STIX has no word for.
    "network-traffic:extensions.tls-ext.ja3": Kind.JA3,
    "x-ja3:value": Kind.JA3,
    "x-ja3-fingerprint:value": Kind.JA3,
    "x-ja3s:value": Kind.JA3S,
    "x-ja4:value": Kind.JA4,
}
_HASHES = frozenset({Kind.FILE_MD5, Kind.FILE_SHA1, Kind.FILE_SHA256})
_PORTS = {"network-traffic:dst_port": "network-traffic:dst_ref", "network-traffic:src_port": "network-traffic:src_ref"}


class Value(NamedTuple):
    kind: Kind
    text: str


class _Term(NamedTuple):
    """One comparison: a path in its plain spelling and what it may be equal to."""

    path: str
    texts: tuple[str, ...]


def read(pattern: str) -> tuple[Value, ...]:
    """Give the values of a pattern. Raises `TrailError` with the reason when it has none that stand alone."""
    tokens = _Tokens(pattern)
    found: list[Value] = []
    while True:
        tokens.expect("[")
        for group in tokens.either():
            found.extend(_alone(group))
        tokens.expect("]")
        word = tokens.take()
        if not word:
            return tuple(dict.fromkeys(found))
        if word != "OR":
            raise TrailError(f"a pattern with {word[:20]} asks for more than one value")


def _alone(group: Sequence[_Term]) -> Iterator[Value]:
    """Give what one of the alternatives comes down to, all of whose comparisons have to hold."""
    terms = [term for term in group if not term.path.endswith("_ref.type")]
    kinds = [_kind(term.path) for term in terms]
    if len(terms) == 1 and kinds[0] is not None:
        yield from (Value(kinds[0], text) for text in terms[0].texts)
        return
    hashes = [(kind, term) for kind, term in zip(kinds, terms, strict=True) if kind in _HASHES]
    others = {term.path for kind, term in zip(kinds, terms, strict=True) if kind not in _HASHES}
    if hashes and others <= {"file:name", "file:size"} and all(len(term.texts) == 1 for _, term in hashes):
        yield from (Value(kind, term.texts[0]) for kind, term in hashes if kind is not None)
        return
    yield _with_port(terms)


def _with_port(terms: Sequence[_Term]) -> Value:
    given = {term.path: term.texts[0] for term in terms if len(term.texts) == 1}
    for path, side in _PORTS.items():
        address = canonical.address(given.get(f"{side}.value", ""))
        port = given.get(path, "")
        if address is not None and port.isdigit() and given.keys() == {path, f"{side}.value"} and len(terms) == 2:
            return Value(Kind.IP_PORT, canonical.with_port(address, int(port[:6])))
    paths = ", ".join(term.path for term in terms)
    raise TrailError(f"no value of the pattern is enough alone: {paths[:120]}")


def _kind(path: str) -> Kind | None:
    return _KINDS.get(path)


class _Tokens:
    """A pattern, cut into words."""

    def __init__(self, pattern: str) -> None:
        if len(pattern) > _MAX_PATTERN:
            raise TrailError(f"a pattern of more than {_MAX_PATTERN} characters")
        self._words: list[tuple[str, str]] = []
        at = 0
        end = len(pattern.rstrip())
        while at < end:
            match = _TOKEN.match(pattern, at)
            if match is None or match.lastgroup is None:
                raise TrailError(f"the pattern cannot be read from {pattern[at : at + 40]!r} on")
            self._words.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self._words.reverse()

    def take(self) -> str:
        return self._words.pop()[1] if self._words else ""

    def expect(self, word: str) -> None:
        found = self.take()
        if found != word:
            raise TrailError(f"the pattern has {found[:40]!r} where {word!r} was expected")

    def _next(self) -> str:
        return self._words[-1][1] if self._words else ""

    def either(self) -> list[list[_Term]]:
        """Read comparisons joined by OR, each of comparisons joined by AND; give all of them, the OR outside."""
        groups = self._both()
        while self._next() == "OR":
            self.take()
            groups = groups + self._both()
        return groups

    def _both(self) -> list[list[_Term]]:
        groups = self._one()
        while self._next() == "AND":
            self.take()
            right = self._one()
            if len(groups) * len(right) > 1000:
                raise TrailError("a pattern with too many combinations")
            groups = [left + more for left in groups for more in right]
        return groups

    def _one(self) -> list[list[_Term]]:
        if self._next() == "(":
            if len(self._words) > 5000:
                raise TrailError("a pattern with too many brackets")
            return self._bracketed()
        return [[self._term()]]

    def _bracketed(self, deepest: int = 20) -> list[list[_Term]]:
        self._depth = getattr(self, "_depth", 0) + 1
        if self._depth > deepest:
            raise TrailError("a pattern with brackets too deep in each other")
        self.take()
        groups = self.either()
        self.expect(")")
        self._depth -= 1
        return groups

    def _term(self) -> _Term:
        kind, path = self._words.pop() if self._words else ("", "")
        sign = self.take()
        if kind != "path" or sign not in {"=", "IN", "ISSUBSET"}:
            raise TrailError(f"a pattern that compares with {(sign if kind == 'path' else path)[:40]!r}, not with =")
        if sign == "IN":
            self.expect("(")
            texts = [self._literal()]
            while self._next() == ",":
                self.take()
                texts.append(self._literal())
            self.expect(")")
            return _Term(_plain(path), tuple(texts))
        return _Term(_plain(path), (self._literal(),))

    def _literal(self) -> str:
        kind, text = self._words.pop() if self._words else ("", "")
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return text
        raise TrailError(f"the pattern compares with {text[:40]!r}; expected a text or a number")


def _plain(path: str) -> str:
    """Write `file:hashes.'SHA-256'` and `file:hashes.SHA256` alike."""
    return path.replace("'", "").lower()
