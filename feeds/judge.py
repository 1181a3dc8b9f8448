"""Look at what came over the network before anybody parses it: whether it can be a list at all."""

import contextlib
import hashlib
import re
from pathlib import Path

from feeds import archives
from feeds.parts import Part
from trailhound.errors import FetchError, SourceError

_HEAD = 4096
_CHUNK = 256 * 1024
_PACKED = (b"\x1f\x8b", b"PK\x03\x04")
_TAR_AT, _TAR = 257, b"ustar"
# What logins, errors and parked domains look like.
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,1000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_SHA256 = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])")
MAX_CHECKSUM_BYTES = 64 * 1024


def refuse_strange(path: Path, shown: str, *, may_be_page: bool) -> None:
    """Raise `FetchError` when a document is empty, a web page, no text and no archive, or an archive that is a bomb.

    `shown` is what the document is called in the message. `may_be_page` is for lists that are published as HTML.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        raise FetchError(f"{shown}: what came is empty")
    packed = head.startswith(_PACKED) or head[_TAR_AT:].startswith(_TAR)
    if packed:
        head = _unpack(path, shown)
    if not may_be_page and _PAGE.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise FetchError(f"{shown}: a web page came in place of a list")
    if not packed and b"\0" in head:
        raise FetchError(f"{shown}: what came is neither text nor an archive that can be read")


def _unpack(path: Path, shown: str) -> bytes:
    """Unpack all of an archive into nothing, for its limits and its checksums; give the head of the first document."""
    first: bytes | None = None
    try:
        with archives.readable(path), contextlib.closing(archives.documents(path)) as documents:
            for document in documents:
                if first is None:
                    first = document.stream.read(_HEAD)
                while document.stream.read(_CHUNK):
                    pass
    except SourceError as error:
        raise FetchError(f"{shown}: {str(error).removeprefix(f'{path}: ')}") from error
    return first or b""


def refuse_wrong_checksum(part: Part, path: Path, text: str, url: str, shown: str) -> None:
    """Raise `FetchError` when a document is not what its SHA-256 says, as it came or unpacked.

    `text` is that of the checksum's own file: a bare sum, or lines as `sha256sum` writes them, of which the one counts
    that names the last part of `url`.
    """
    name = url.partition("?")[0].rpartition("/")[2]
    lines = [line for line in text.splitlines() if _SHA256.search(line)]
    named = [line for line in lines if name and name in re.split(r"[\s*()/]+", line)]
    sums = {found.lower() for line in named or lines for found in _SHA256.findall(line)}
    if len(sums) != 1:
        raise FetchError(f"{shown}: its checksum cannot be read; expected one SHA-256, or a line of {name or 'it'}")
    expected = sums.pop()
    if expected not in (part.sha256, _unpacked_digest(path)):
        raise FetchError(f"{shown}: has the SHA-256 {part.sha256[:12]}..., and {expected[:12]}... was expected")


def _unpacked_digest(path: Path) -> str:
    """Give the SHA-256 of what one packed file holds; empty when it holds several, or none."""
    digests = []
    with archives.readable(path), contextlib.closing(archives.documents(path)) as documents:
        for document in documents:
            digest = hashlib.sha256()
            while chunk := document.stream.read(_CHUNK):
                digest.update(chunk)
            digests.append(digest.hexdigest())
    return digests[0] if len(digests) == 1 else ""


def digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
