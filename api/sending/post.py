"""Posting over HTTP: no redirects, bounded in time and size, and silent about secrets.

This speaks to httpcore and not through `httpx.Client`, which writes whole URLs to the log, and these may hold a secret.
"""

import logging
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path

import httpcore
import httpx

from api.sending import reach
from api.sending.outcome import Later, Refused
from feeds.manners import Network
from feeds.secret import masked
from trailhound import __version__, secret
from trailhound.connecting import CheckedNetwork, Clock
from trailhound.errors import SendError

_MOST_OF_ANSWER = 65_536
_LONGEST_AFTER = 3600.0
# What says something about one message, and not about the target or our credentials.
_OF_MESSAGE = frozenset({400, 409, 413, 414, 415, 422, 431})


@dataclass(frozen=True, slots=True)
class Ways:
    """How targets are reached. `secrets` is the folder of secrets; `proxy` an address, or empty."""

    seconds: float
    reachable: tuple[Network, ...] = ()
    proxy: str = ""
    ca_file: Path | None = None
    secrets: Path | None = None

    def secret(self, name: str) -> str:
        """Give the secret of a name, empty for no name. Raises `SettingsError`."""
        return secret.find(name, self.secrets) if name else ""


def trust(ways: Ways) -> ssl.SSLContext:
    """Give what certificates are checked against: those of the system, those of certifi, and the site's own."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    if ways.ca_file is not None:
        try:
            context.load_verify_locations(ways.ca_file)
        except OSError as error:  # Also what ssl raises.
            raise SendError(
                f"{ways.ca_file}: the certificates cannot be read: {error.strerror or error} (send.ca_file)"
            ) from error
    return context


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer and the beginning of its body."""

    status: int
    body: bytes


class Post:
    """Connections to one URL; for one thread, and closed at the end. `private` is what no message may hold."""

    def __init__(self, url: str, ways: Ways, *, private: tuple[str, ...] = (), shown: str = "") -> None:
        try:
            self._url = httpx.URL(url)
        except (httpx.InvalidURL, UnicodeError):
            raise SendError(f"{shown or url}: is no URL; https://HOST/... was expected") from None
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise SendError(f"{shown or url}: https://HOST/... was expected")
        # It logs the headers of what is sent.
        logging.getLogger("httpcore").setLevel(logging.INFO)
        self._shown = shown or url.partition("?")[0]
        self._private = tuple(filter(None, private))
        self._ways = ways
        self._clock = Clock()
        reach.refuse_host(self._url.host, ways.reachable)
        self._pool = self._proxied() if ways.proxy else self._direct()

    def close(self) -> None:
        self._pool.close()

    def __call__(
        self, body: bytes, headers: Mapping[str, str], *, is_well: Callable[[Answer], bool] = lambda _: False
    ) -> Answer:
        """Post once. `is_well` may find an answer to be good that is none of 2xx. Raises `Later` and `Refused`."""
        self._clock.start(self._ways.seconds)
        try:
            answer, after = self._ask(body, headers)
        except SendError as error:
            raise type(error)(masked(f"{self._shown}: {error}", self._private)) from None
        except httpcore.TimeoutException:
            raise Later(f"{self._shown}: does not answer within {self._ways.seconds:g} seconds") from None
        except httpcore.LocalProtocolError:
            raise SendError(f"{self._shown}: cannot be asked; is there something odd in its secrets?") from None
        except httpcore.ProxyError:
            raise Later(f"{self._shown}: the proxy refuses") from None
        except httpcore.RemoteProtocolError:
            raise Later(f"{self._shown}: was cut off, or is no HTTP") from None
        except httpcore.NetworkError as error:
            raise Later(f"{self._shown}: {_reason(error)}") from None
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES or is_well(answer):
            return answer
        raise self._refusal(answer, after)

    def _ask(self, body: bytes, headers: Mapping[str, str]) -> tuple[Answer, float]:
        given = httpx.Headers({"User-Agent": f"Trailhound/{__version__}", **headers})
        given["Host"] = self._url.netloc.decode("ascii")
        given["Content-Length"] = str(len(body))
        given["Accept-Encoding"] = "identity"
        steps = dict.fromkeys(("connect", "read", "write", "pool"), self._ways.seconds)
        request = httpcore.Request(
            "POST",
            httpcore.URL(
                scheme=self._url.raw_scheme, host=self._url.raw_host, port=self._url.port, target=self._url.raw_path
            ),
            headers=given.raw,
            content=body,
            extensions={"timeout": steps},
        )
        with closing(self._pool.handle_request(request)) as response:
            found = bytearray()
            for chunk in response.iter_stream():
                found += chunk
                if len(found) > _MOST_OF_ANSWER:
                    break
        after = _seconds(httpx.Headers(response.headers).get("retry-after", ""))
        return Answer(response.status, bytes(found[:_MOST_OF_ANSWER])), after

    def _refusal(self, answer: Answer, after: float) -> SendError:
        try:
            phrase = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        except ValueError:
            phrase = str(answer.status)
        said = " ".join(answer.body[:300].decode("utf-8", "replace").split())
        readable = "".join(one for one in said if one.isprintable())[:200]
        words = masked(f"{self._shown}: answers {phrase}{': ' if readable else ''}{readable}", self._private)
        return Refused(words) if answer.status in _OF_MESSAGE else Later(words, after)

    def _resolve(self, host: str, port: int) -> list[str]:
        return reach.resolve(host, port, self._ways.reachable)

    def _direct(self) -> httpcore.ConnectionPool:
        network = CheckedNetwork(self._resolve, self._clock)
        return httpcore.ConnectionPool(ssl_context=trust(self._ways), max_connections=2, network_backend=network)

    def _proxied(self) -> httpcore.ConnectionPool:
        proxy = httpx.Proxy(self._ways.proxy)
        tls = trust(self._ways)
        port = proxy.url.port or (443 if proxy.url.scheme == "https" else 80)
        network = CheckedNetwork(self._resolve, self._clock, proxy=(proxy.url.raw_host.decode("ascii"), port))
        return httpcore.HTTPProxy(
            httpcore.URL(scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=port, target=b"/"),
            ssl_context=tls,
            proxy_ssl_context=tls if proxy.url.scheme == "https" else None,
            max_connections=2,
            network_backend=network,
        )


def _reason(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"no secure connection: {cause.reason}"
        if isinstance(cause, OSError) and cause.strerror:
            return f"cannot be reached: {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return "cannot be reached"


def _seconds(retry_after: str) -> float:
    """Read seconds or a date, an hour at most; 0 when it is neither."""
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 20:
        return min(float(retry_after), _LONGEST_AFTER)
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, IndexError):
        return 0.0
    left = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(0.0, left), _LONGEST_AFTER)
