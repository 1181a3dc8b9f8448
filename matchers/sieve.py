"""Questions to the trail set about many values at once: most are dropped by a few calls for all of them together.

A sieve gives the texts that it cannot rule out. What it drops is no trail in any reading; what it keeps is asked about
one by one. It never looks twice at what is spelled in an unusual way: that is kept.
"""

import re
import string
import struct
from collections.abc import Iterator, Sequence
from itertools import compress, repeat
from socket import AF_INET, inet_pton
from zlib import crc32

from matchers import candidates, layout
from matchers.observers.ssl import common_name
from matchers.trailset import TrailSet
from trailhound import canonical

_PLAIN = (string.ascii_letters + string.digits + "-._\n").encode()
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]*[A-Za-z0-9_-]")
_PLAIN_IN_PATH = (string.ascii_lowercase + string.digits + "_.~!$&'()*+,;:@=/-\n").encode()
_SPECIAL = tuple(part.encode() for part in candidates.SPECIAL)


class Sieve:
    """Rules out values by the trail set alone."""

    def __init__(self, trails: TrailSet) -> None:
        self._trails = trails
        self._hashes = [kind for kind in layout.HASHES if trails.has_keys_from(kind)]

    def addresses(self, texts: Sequence[str]) -> list[str]:
        try:
            return self._quads(texts)
        except (OSError, ValueError):
            pass  # Some are no IPv4: those are kept.
        quads: list[str] = []
        others: list[str] = []
        for text in texts:
            (quads if _is_quad(text) else others).append(text)
        return others + self._quads(quads)

    def names(self, texts: Sequence[str]) -> list[str]:
        """Sift names among which addresses may be, as in DNS answers."""
        return self._sift(texts, with_urls=False)

    def hosts(self, texts: Sequence[str]) -> list[str]:
        """Sift names and addresses that may be the host of a URL."""
        return self._sift(texts, with_urls=True)

    def referrers(self, texts: Sequence[str]) -> list[str]:
        """Sift URLs by their hosts."""
        hosts = [_host_of(text) for text in texts]
        plain = {host for host in hosts if host is not None}
        kept = set(self.names(list(plain)))
        return [text for text, host in zip(texts, hosts, strict=True) if host is None or host in kept]

    def _sift(self, texts: Sequence[str], *, with_urls: bool) -> list[str]:
        # An address ends in a digit; of names, hardly any.
        numeric = [text for text in texts if text[-1:].isdigit()]
        kept = []
        if numeric:
            quads = [text for text in numeric if _is_quad(text)]
            kept = self._quads(quads)
            if len(quads) == len(texts):
                return kept
            known = set(quads)
            texts = [text for text in texts if text not in known]
        names = _lowered(texts)
        if names is None:
            plain = [text for text in texts if _is_plain(text)]
            known = set(plain)
            kept += [text for text in texts if text not in known]
            texts, names = plain, _lowered(plain)
        if not texts or names is None:
            return kept
        return kept + list(self._near_names(texts, names)) + (self._near_urls(texts, names) if with_urls else [])

    def _near_names(self, texts: Sequence[str], names: bytes) -> Iterator[str]:
        # Turned around as a whole: each name, and their order.
        keys = (names.replace(b"\n", layout.NAME + b"\n") + layout.NAME)[::-1].split(b"\n")
        for text, found in zip(reversed(texts), self._trails.prefixes(keys), strict=True):
            if found:
                yield text
        if self._trails.any_wildcard(names.decode()):
            yield from (text for text in texts if self._trails.wildcards(text.lower()))

    def _near_urls(self, texts: Sequence[str], names: bytes) -> list[str]:
        hosts = (b"\n" + names).replace(b"\n" + layout.WWW, b"\n")[1:].split(b"\n")
        bits, last = self._trails.hosts, len(self._trails.hosts) - 1
        return [
            text
            for text, number in zip(texts, map(crc32, hosts), strict=True)
            if bits[number >> 3 & last] >> (number & 7) & 1
        ]

    def _quads(self, texts: Sequence[str]) -> list[str]:
        """Sift IPv4 addresses. Raises `OSError` or `ValueError` when one is none."""
        packed = b"".join(map(inet_pton, repeat(AF_INET), texts))
        bits, last = self._trails.blocks, len(self._trails.blocks) - 1
        numbers = struct.unpack(f">{len(texts)}I", packed)
        # The last eight bits are the place within a block.
        return [
            text
            for text, number in zip(texts, numbers, strict=True)
            if bits[number >> 11 & last] >> (number >> 8 & 7) & 1
        ]

    def subjects(self, texts: Sequence[str]) -> list[str]:
        """Sift subjects of certificates by the names in them."""
        found = list(map(common_name, texts))
        kept = set(self.names([name for name in set(found) if name is not None]))
        return [text for text, name in zip(texts, found, strict=True) if name in kept]

    def hashes(self, texts: Sequence[str]) -> list[str]:
        """Sift hashes in hexadecimal, with or without colons, and JA4 fingerprints."""
        kept: set[str] = set()
        for kind in self._hashes:
            keys = [kind + layout.text(text.strip().lower()).replace(b":", b"") for text in texts]
            kept.update(compress(texts, self._trails.has(keys)))
        return list(kept)

    def bare_paths(self, texts: Sequence[str]) -> list[str]:
        """Sift paths without their query."""
        paths = _lowered_paths(texts)
        if paths is None:
            return list(filter(self._is_near, texts))
        bits, last = self._trails.bare_paths, len(self._trails.bare_paths) - 1
        kept = []
        for text, path in zip(texts, paths, strict=True):
            # A piece, its query left out, is all of the path, its last segment, or the folder around that.
            cut = path.rfind(b"/")
            is_folder = cut == len(path) - 1 and cut > 0  # Its pieces are found with and without that slash.
            for piece in (path, path[cut:], path[:cut]):
                number = crc32(piece)
                if is_folder or bits[number >> 3 & last] >> (number & 7) & 1:
                    kept.append(text)
                    break
        return list(filter(self._is_near, kept))

    def _is_near(self, path: str) -> bool:
        """Tell whether any path trail could be a piece of a URL with this path, whatever its query.

        A piece is the beginning of the path, or begins with all of it and `?`, or begins with its last segment.
        """
        if not path.startswith("/"):
            return True  # With a host before it, which only the whole can tell.
        path = canonical.request_path(path).partition("?")[0]
        if self._trails.paths(path):
            return True
        return self._trails.has_paths_from(f"{path}?") or self._trails.has_paths_from(path[path.rfind("/") :])


def _lowered(texts: Sequence[str]) -> bytes | None:
    """Join plain names in lower case, a line each; None when one of them is not plain."""
    joined = "\n".join(texts)
    if not joined.isascii() or joined.count("\n") >= max(len(texts), 1):
        return None
    names = joined.encode().lower()
    is_plain = not names.translate(None, _PLAIN) and b".\n" not in names and not names.endswith(b".")
    return names if is_plain and not any(part in names for part in _SPECIAL) else None


def _lowered_paths(texts: Sequence[str]) -> Sequence[bytes] | None:
    """Give plain paths in lower case; None when one of them is not plain."""
    joined = "\n".join(texts)
    if not texts or not joined.isascii():
        return None
    lines = b"\n" + joined.encode().lower()
    is_plain = not lines.translate(None, _PLAIN_IN_PATH) and b"//" not in lines
    # Each text is one line, and each begins with a slash.
    is_plain = is_plain and lines.count(b"\n") == len(texts) == lines.count(b"\n/")
    return lines.split(b"\n")[1:] if is_plain else None


def _is_plain(text: str) -> bool:
    return _PLAIN_NAME.fullmatch(text) is not None and _lowered((text,)) is not None


def _is_quad(text: str) -> bool:
    try:
        inet_pton(AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def _host_of(url: str) -> str | None:
    """Cut the host out of a URL that is spelled in the usual way."""
    parts = url.split("/", 3)
    is_usual = len(parts) == 4 and parts[0] in ("http:", "https:") and not parts[1]
    return parts[2] if is_usual and _PLAIN_NAME.fullmatch(parts[2]) else None
