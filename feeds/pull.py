"""Take a compiled trail set from another Trailhound: whole, verified, and only when there is a new one."""

import os
import ssl
import tempfile
import time
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from feeds.line import Passing
from feeds.secret import masked
from trailhound import __version__
from trailhound.errors import FetchError

DIGEST = "Repr-Digest"
CHECKSUM = "X-Trailhound-Checksum"
_CHUNK = 1024 * 1024
_TOTAL_SECONDS = 1800.0  # 60 MB at 35 KB a second.
_MEANING = {
    401: "it does not know our key; make one there with `trailhound trails key`",
    403: "it does not let us have the set",
    404: "it hands nothing on: its setting handing_on.keys is empty, or the address is another one",
    421: "it does not know itself by this name; put the name into its setting api.names",
    429: "it has been asked too often",
    503: "it has no set to give yet, or is making the one for us",
}
_LATER = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Central:
    """Where a set comes from.

    Without `ca_file` the certificates of the system are trusted. `step_seconds` are for one step on the network.
    """

    url: str
    key: str
    ca_file: Path | None = None
    max_bytes: int = 2**31
    step_seconds: float = 30.0


def pull(central: Central, target: Path, have: str, accept: Callable[[Path], None]) -> bool:
    """Put the set of `central` to `target` in one step, unless it is the one that we have; tell whether it was another.

    `have` is the checksum of the set at `target`, empty for none. `accept` looks at the new file before it is put in
    its place and raises a `TrailhoundError` to refuse it. Raises `FetchError` when a whole, right set cannot be had.
    Whatever happens, `target` holds the old set or the new one.
    """
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", suffix=".new") as file:
        path = Path(file.name)
        try:
            if not _download(central, path, have):
                return False
        except httpx.TransportError as error:
            reason = masked(str(error) or type(error).__name__, [central.key])
            raise Passing(f"{central.url}: the trail set cannot be fetched: {reason}") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            reason = masked(str(error) or type(error).__name__, [central.key])
            raise FetchError(f"{central.url}: the trail set cannot be fetched: {reason}") from error
        accept(path)
        try:
            # The temporary file is taken away by its name, so the set gets one of its own.
            os.link(path, place := path.with_suffix(".whole"))
            place.chmod(0o644)
            place.replace(target)
        except OSError as error:
            raise FetchError(f"{target}: the trail set cannot be put there: {error.strerror}") from error
    return True


def _download(central: Central, path: Path, have: str) -> bool:
    headers = {
        "Authorization": f"Bearer {central.key}",
        "User-Agent": f"Trailhound/{__version__}",
        # A set hardly packs, and its length is to be known before.
        "Accept-Encoding": "identity",
    }
    if have:
        headers["If-None-Match"] = f'W/"{have}"'
    # Our own client: no proxy from the environment sees the key, and no redirect gets it.
    with (
        httpx.Client(
            verify=_trusted(central), timeout=central.step_seconds, follow_redirects=False, trust_env=False
        ) as client,
        client.stream("GET", central.url, headers=headers) as answer,
    ):
        if answer.status_code == httpx.codes.NOT_MODIFIED and have:
            return False
        if answer.status_code != httpx.codes.OK:
            why = _MEANING.get(answer.status_code, "the set was expected (200), or word that it is the same (304)")
            words = f"{central.url}: the answer is {answer.status_code}: {why}"
            raise Passing(words, _after(answer)) if answer.status_code in _LATER else FetchError(words)
        _keep(answer, central, path)
    return True


def _trusted(central: Central) -> ssl.SSLContext:
    if central.ca_file is None:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=str(central.ca_file))
    except OSError as error:  # Also what ssl raises.
        raise FetchError(
            f"{central.ca_file}: the certificates cannot be read: {error.strerror or error} (central.ca_file)"
        ) from error


def _after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0


def _keep(answer: httpx.Response, central: Central, path: Path) -> None:
    """Write the answer to a file and check that it is all there and what the other side meant to send."""
    expected = _digest(answer.headers.get(DIGEST, ""), central.url)
    digest, size, end = sha256(), 0, time.monotonic() + _TOTAL_SECONDS
    with path.open("wb") as file:
        for chunk in answer.iter_bytes(_CHUNK):
            size += len(chunk)
            if size > central.max_bytes:
                raise FetchError(
                    f"{central.url}: the trail set has more than {central.max_bytes:,} bytes (central.max_bytes)"
                )
            if time.monotonic() > end:
                raise FetchError(f"{central.url}: the trail set did not come within {_TOTAL_SECONDS / 60:.0f} minutes")
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if digest.digest() != expected:
        raise FetchError(
            f"{central.url}: the trail set came damaged: {size:,} bytes whose SHA-256 is not the one that was announced"
        )


def _digest(header: str, url: str) -> bytes:
    """Read `sha-256=:base64:` (RFC 9530)."""
    for item in header.split(","):
        name, _, value = item.strip().partition("=")
        if name == "sha-256" and value.startswith(":") and value.endswith(":"):
            try:
                return b64decode(value[1:-1], validate=True)
            except NotBase64:
                break
    host = urlsplit(url).hostname
    raise FetchError(f"{url}: {host} sent no {DIGEST} header with a SHA-256; is it a Trailhound?")
