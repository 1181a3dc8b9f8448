"""One document of a feed over HTTP: conditional, bounded in time and size, guarded, retried, and silent about secrets.

Bytes are kept as they were sent, so what comes compressed stays so. This speaks to httpcore and not through
`httpx.Client`, which writes whole URLs to the log, and these may hold a secret.
"""

import hashlib
import logging
import random
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import BinaryIO

import httpcore
import httpx

from feeds import addresses
from feeds.feed import Feed
from feeds.manners import MIB, Manners
from feeds.parts import Part, address_of
from feeds.secret import MARK, filled, filled_url, find_secret, masked
from trailhound import __version__
from trailhound.connecting import CheckedNetwork, Clock
from trailhound.errors import FetchError, UnresolvedError

AGENT = f"trailhound/{__version__}"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_AS_IS = frozenset({"", "identity", "gzip", "x-gzip"})
_PACKED = (".gz", ".tgz", ".zip", ".tar", ".bz2", ".xz", ".zst")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_MAX_WORD = 500
_MAX_LEFT_ALONE = 86_400
_MAX_URL = 4096

Open = Callable[[], AbstractContextManager[BinaryIO]]
Report = Callable[[int, int | None], None]


class Passing(FetchError):  # noqa: N818 - the name says a state, as a caller's `except` reads best
    """What may be over at the next try. `after` is how many seconds the server wants to be left alone."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


@dataclass(frozen=True, slots=True)
class Body:
    """What came: how much, its SHA-256 and what the server says of it."""

    size: int
    sha256: str
    etag: str
    modified: str


def trust(manners: Manners) -> ssl.SSLContext:
    """Give what certificates are checked against: those of the system, those of certifi, and the site's own.

    Nothing can be fetched without it, so this also quietens the library below.
    """
    # It logs the headers of answers, and a redirect may repeat a secret that stands in a URL.
    logging.getLogger("httpcore").setLevel(logging.INFO)
    context = httpx.create_ssl_context()
    context.load_default_certs()
    if manners.ca_file is not None:
        try:
            context.load_verify_locations(manners.ca_file)
        except OSError as error:  # Also what ssl raises.
            raise FetchError(
                f"{manners.ca_file}: the certificates cannot be read: {error.strerror or error}"
            ) from error
    return context


def shown(url: str) -> str:
    """Give a URL as people may see it: without what could be a password or a key."""
    before, _, rest = url.partition("://")
    return f"{before}://{rest.partition('?')[0].partition('#')[0].rpartition('@')[2]}"


class Line:
    """The connections of one feed while it is fetched; for one thread, and closed at the end."""

    def __init__(
        self, feed: Feed, manners: Manners, tls: ssl.SSLContext, stop: threading.Event, report: Report
    ) -> None:
        self.feed = feed
        self.manners = manners
        self._tls = tls
        self._stop = stop
        self._report = report
        self.accept = "*/*"
        self._clock = Clock()
        self._pools: dict[bool, httpcore.ConnectionPool] = {}
        self._came = 0
        self.secret = find_secret(feed.secret, manners.secrets) if feed.secret else ""
        self._headers = {name: filled(value, self.secret) for name, value in feed.headers.items()}
        for name, value in self._headers.items():
            if not _HEADER.fullmatch(name) or not value.isascii() or not value.isprintable():
                raise FetchError(f"headers of {feed.name}: {name[:40]!r} cannot be sent; expected printable ASCII")
        self.private = tuple(dict.fromkeys(word for word in (self.secret, *self._headers.values()) if word))

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()

    def get(self, url: str, into: Open, known: Part | None = None, *, most: int = 0) -> Body | None:
        """Fetch a document; None when it is still the `known` one.

        `into` opens what its bytes go to, anew for each try. `most` bounds it more narrowly than the manners do. Raises
        `FetchError`, and `Passing` when it may be there later, without a secret in their words.
        """
        self._clock.start(self.manners.total_seconds)
        tries = self.manners.retries + 1
        for count in range(tries):
            try:
                return self._once(url, into, known, most)
            except Passing as error:
                # Spread, so that all sites do not come back in the same second.
                wait = max(error.after, self.manners.retry_seconds * 4**count * random.uniform(0.5, 1.5))  # noqa: S311
                if count + 1 == tries or wait > self.manners.patience_seconds or wait > self._clock.left:
                    raise
                if self._stop.wait(wait):
                    raise FetchError(f"{shown(url)}: fetching was stopped") from None
        raise FetchError(f"{shown(url)}: retries is less than none")

    def _once(self, url: str, into: Open, known: Part | None, most: int) -> Body | None:
        target = _parsed(filled_url(url, self.secret), url)
        home = _origin(target)
        for _ in range(self.manners.redirects + 1):
            self._refuse_target(target, url)
            with self._explained(url), closing(self._ask(target, home, known)) as response:
                if response.status not in _REDIRECTS:
                    return self._answer(response, url, into, known, most or self.manners.max_bytes)
                target = _redirected(target, httpx.Headers(response.headers), url)
        raise FetchError(f"{shown(url)}: redirects more than {self.manners.redirects} times")

    def _refuse_target(self, target: httpx.URL, url: str) -> None:
        try:
            addresses.refuse_host(target.host, self.manners.reachable)
        except FetchError as error:
            raise FetchError(f"{shown(url)}: {error}") from None
        if target.scheme == "http" and self.secret and MARK in url:
            raise FetchError(f"{shown(url)}: a secret is only sent over https")

    def _ask(self, target: httpx.URL, home: tuple[str, str, int | None], known: Part | None) -> httpcore.Response:
        plain = self.feed.checksum or target.path.lower().endswith(_PACKED)
        headers = httpx.Headers({"User-Agent": AGENT, "Accept": self.accept})
        if _origin(target) == home:
            if self.secret and target.scheme != "https" and any(MARK in value for value in self.feed.headers.values()):
                raise FetchError("a secret is only sent over https")
            headers.update(self._headers)
        headers["Host"] = target.netloc.decode("ascii")
        headers["Accept-Encoding"] = "identity" if plain else "gzip"
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        if known is not None and known.modified:
            headers["If-Modified-Since"] = known.modified
        steps = {"connect": self.manners.connect_seconds, "read": self.manners.read_seconds}
        request = httpcore.Request(
            "GET",
            httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path),
            headers=headers.raw,
            extensions={"timeout": {**steps, "write": steps["read"], "pool": steps["connect"]}},
        )
        return self._pool(target.host).handle_request(request)

    def _pool(self, host: str) -> httpcore.ConnectionPool:
        ends = tuple(f".{suffix.strip('.').lower()}" for suffix in self.manners.direct)
        is_direct = not self.manners.proxy or f".{host}".endswith(ends)
        if is_direct not in self._pools:
            self._pools[is_direct] = self._direct() if is_direct else self._proxied()
        return self._pools[is_direct]

    def _resolve(self, host: str, port: int) -> list[str]:
        return addresses.resolve(host, port, self.manners.reachable)

    def _direct(self) -> httpcore.ConnectionPool:
        network = CheckedNetwork(self._resolve, self._clock)
        return httpcore.ConnectionPool(ssl_context=self._tls, max_connections=2, network_backend=network)

    def _proxied(self) -> httpcore.ConnectionPool:
        proxy = httpx.Proxy(_parsed(self.manners.proxy, self.manners.proxy))
        port = proxy.url.port or (443 if proxy.url.scheme == "https" else 80)
        network = CheckedNetwork(self._resolve, self._clock, proxy=(proxy.url.raw_host.decode("ascii"), port))
        return httpcore.HTTPProxy(
            httpcore.URL(scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=port, target=b"/"),
            proxy_auth=proxy.raw_auth,
            ssl_context=self._tls,
            proxy_ssl_context=self._tls if proxy.url.scheme == "https" else None,
            max_connections=2,
            network_backend=network,
        )

    def _answer(self, response: httpcore.Response, url: str, into: Open, known: Part | None, most: int) -> Body | None:
        headers = httpx.Headers(response.headers)
        if response.status == HTTPStatus.NOT_MODIFIED and known is not None and (known.etag or known.modified):
            return None
        if response.status != HTTPStatus.OK:
            raise _refusal(response.status, headers, shown(url))
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in _AS_IS:
            raise FetchError(f"{shown(url)}: is sent in the encoding {encoding[:40]!r}, which nobody asked for")
        length = _natural(headers.get("content-length", ""))
        if length is not None and length > most:
            raise FetchError(f"{shown(url)}: {_too_large(most)}")
        digest, size = hashlib.sha256(), 0
        with into() as stream:
            for chunk in self._chunks(response, url):
                size += len(chunk)
                if size > most:
                    raise FetchError(f"{shown(url)}: {_too_large(most)}")
                digest.update(chunk)
                stream.write(chunk)
                self._report(size, length)
        self._count(size, url)
        return Body(size, digest.hexdigest(), self._word(headers, "etag"), self._word(headers, "last-modified"))

    def _chunks(self, response: httpcore.Response, url: str) -> Iterator[bytes]:
        for chunk in response.iter_stream():
            if self._stop.is_set():
                raise FetchError(f"{shown(url)}: fetching was stopped")
            yield chunk

    def _count(self, size: int, url: str) -> None:
        self._came += size
        if self._came > self.manners.max_feed_bytes:
            raise FetchError(f"{shown(url)}: {_too_large(self.manners.max_feed_bytes)} over all its documents")

    def _word(self, headers: httpx.Headers, name: str) -> str:
        """Give a header that we may send back, unless it is odd or holds what is to be kept secret."""
        text = headers.get(name, "")
        is_odd = len(text) > _MAX_WORD or not text.isascii() or not text.isprintable()
        return "" if is_odd or masked(text, self.private) != text else text

    @contextmanager
    def _explained(self, url: str) -> Iterator[None]:
        """Say in our own words what went wrong on the network: those of libraries may hold headers and URLs."""
        try:
            yield
        except FetchError as error:
            text = str(error) if str(error).startswith(shown(url)) else f"{shown(url)}: {error}"
            text = masked(text, self.private)
            if isinstance(error, Passing | UnresolvedError):
                raise Passing(text, getattr(error, "after", 0.0)) from None
            raise FetchError(text) from None
        except httpcore.TimeoutException:
            if self._clock.left <= 0:
                seconds = f"{self.manners.total_seconds:g}"
                raise FetchError(f"{shown(url)}: did not come within {seconds} seconds") from None
            raise Passing(f"{shown(url)}: does not answer in time") from None
        except httpcore.LocalProtocolError:
            raise FetchError(f"{shown(url)}: cannot be asked; is there something odd in its headers?") from None
        except httpcore.ProxyError as error:
            raise Passing(f"{shown(url)}: the proxy refuses: {_status_of(error)}") from None
        except httpcore.RemoteProtocolError:
            raise Passing(f"{shown(url)}: was cut off, or is no HTTP") from None
        except httpcore.NetworkError as error:
            raise _network(error, shown(url)) from None


def part_of(body: Body, file: str, url: str) -> Part:
    return Part(file, address_of(url), body.size, body.sha256, body.etag, body.modified, int(time.time()))


def _parsed(url: str, template: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        raise FetchError(f"{shown(template)}: is no URL; expected https://HOST/...") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise FetchError(f"{shown(template)}: expected https://HOST/... or http://HOST/...")
    return parsed


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _redirected(target: httpx.URL, headers: Mapping[str, str], url: str) -> httpx.URL:
    """Give where a redirect leads to; never from https to anything else."""
    try:
        found = target.join(headers.get("location", "")[:_MAX_URL])
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise FetchError(f"{shown(url)}: redirects to what is no URL") from None
    if found.scheme not in ("http", "https") or not found.host:
        raise FetchError(f"{shown(url)}: redirects to a {found.scheme[:20] or 'strange'} address; expected https")
    if target.scheme == "https" and found.scheme != "https":
        raise FetchError(f"{shown(url)}: redirects from https to http")
    return found.copy_with(userinfo=b"")


def _refusal(status: int, headers: Mapping[str, str], what: str) -> FetchError:
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    if status in _PASSING:
        after = min(_seconds(headers.get("retry-after", "")), _MAX_LEFT_ALONE)
        later = f", and wants to be left alone for {after:.0f} seconds" if after else ""
        return Passing(f"{what}: answers {phrase}{later}", after)
    hint = "; is its secret right?" if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) else ""
    return FetchError(f"{what}: answers {phrase}{hint}")


def _seconds(retry_after: str) -> float:
    """Read seconds or a date; 0 when it is neither."""
    natural = _natural(retry_after)
    if natural is not None:
        return float(natural)
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, IndexError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _natural(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _too_large(most: int) -> str:
    return f"is larger than {most / MIB:,.0f} MiB" if most >= MIB else f"is larger than {most:,} bytes"


def _status_of(error: Exception) -> str:
    word = str(error)[:3]
    return word if word.isdigit() else "no tunnel"


def _network(error: Exception, what: str) -> FetchError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return FetchError(f"{what}: its certificate is not trusted: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            return Passing(f"{what}: no secure connection: {cause.reason}")
        if isinstance(cause, OSError) and cause.strerror:
            return Passing(f"{what}: cannot be reached: {cause.strerror}")
        cause = cause.__cause__ or cause.__context__
    return Passing(f"{what}: cannot be reached")
