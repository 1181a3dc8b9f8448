"""Events over syslog: RFC 5424 messages over UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425)."""

import fcntl
import socket
import ssl
import struct
import termios
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from api.sending import reach
from api.sending.cef import to_cef
from api.sending.outcome import Later, Refused
from api.sending.post import Ways, trust
from api.sending.targets.target import Document
from trailhound.errors import SendError
from trailhound.sending import Syslog

_SEVERITIES = {"low": 5, "medium": 4, "high": 3, "critical": 2}
_MAX_DATAGRAM = 65_507 - 40  # What IPv6 leaves of it.
_BATCH = 100
_LOOK = 0.01


class SyslogTarget:
    """One receiver. On a connection, what its host has not acknowledged counts as not delivered."""

    def __init__(self, settings: Syslog, ways: Ways) -> None:
        self.batch = _BATCH
        self._settings = settings
        self._ways = ways
        self._place = f"{settings.host}:{settings.port} ({settings.transport})"
        self._host = _printable(socket.gethostname())
        reach.refuse_host(settings.host, ways.reachable)
        self._tls = _tls(settings, ways) if settings.transport == "tls" else None
        self._socket: socket.socket | None = None
        self._number = -1

    def send(self, documents: Sequence[Document]) -> int:
        messages = [self._message(document) for document in documents]
        try:
            if self._settings.transport == "udp":
                self._throw(messages)
            else:
                self._pass_on(messages)
        except OSError as error:  # Also what ssl raises.
            self.close()
            raise Later(f"{self._place}: {_reason(error)}") from error
        except SendError:
            self.close()
            raise
        return 0

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _message(self, document: Document) -> bytes:
        own, about = document.get("trailhound", {}), document.get("event", {})
        priority = self._settings.facility * 8 + _SEVERITIES.get(str(own.get("severity")), 5)
        at = _stamp(about.get("start"))
        text = to_cef(document).encode("utf-8", "replace") if self._settings.form == "cef" else _json(document)
        return f"<{priority}>1 {at} {self._host} trailhound - event - ".encode() + text

    def _throw(self, messages: Sequence[bytes]) -> None:
        """Send datagrams. That nobody listens is learnt from the one before, if at all."""
        line = self._socket or self._connect(socket.SOCK_DGRAM)
        for message in messages:
            if len(message) > _MAX_DATAGRAM:
                raise Refused(f"{self._place}: {len(message):,} bytes do not fit into a datagram; use tcp")
            line.send(message)

    def _pass_on(self, messages: Sequence[bytes]) -> None:
        line = self._socket or self._connect(socket.SOCK_STREAM)
        _refuse_closed(line)
        lines = self._settings.framing == "lines"
        framed = [message + b"\n" if lines else b"%d " % len(message) + message for message in messages]
        line.settimeout(self._ways.seconds)
        line.sendall(b"".join(framed))
        self._wait_for_acknowledgement(line)
        _refuse_closed(line)

    def _wait_for_acknowledgement(self, line: socket.socket) -> None:
        """Wait until the receiver's host has everything: syslog itself never says what arrived."""
        end = time.monotonic() + self._ways.seconds
        while _unacknowledged(self._number):
            if time.monotonic() > end:
                raise Later(f"{self._place}: takes nothing within {self._ways.seconds:g} seconds")
            _refuse_closed(line)
            time.sleep(_LOOK)

    def _connect(self, kind: int) -> socket.socket:
        addresses = reach.resolve(self._settings.host, self._settings.port, self._ways.reachable, kind)
        for last, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
            line = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
            try:
                line.settimeout(self._ways.seconds)
                line.connect((address, self._settings.port))
                self._number = line.fileno()
                if self._tls is not None:
                    line = self._tls.wrap_socket(line, server_hostname=self._settings.host)
                    self._number = line.fileno()
            except OSError:
                line.close()
                if not last:
                    raise
            else:
                self._socket = line
                return line
        raise Later(f"{self._place}: has no address")


def _tls(settings: Syslog, ways: Ways) -> ssl.SSLContext:
    context = trust(ways)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.client_cert is not None:
        try:
            context.load_cert_chain(settings.client_cert, settings.client_key)
        except OSError as error:
            raise SendError(f"{settings.client_cert}: the certificate cannot be used: {error}") from error
    return context


def _json(document: Document) -> bytes:
    """Write the whole event, but what it says twice."""
    threat = {name: value for name, value in document.get("threat", {}).items() if name != "enrichments"}
    return orjson.dumps({**document, "threat": threat} if threat else document)


def _unacknowledged(number: int) -> int:
    """Tell how many bytes of a connection its other end has not acknowledged (Linux: SIOCOUTQ)."""
    found = fcntl.ioctl(number, termios.TIOCOUTQ, struct.pack("i", 0))
    return int(struct.unpack("i", found)[0])


def _refuse_closed(line: socket.socket) -> None:
    """Raise `OSError` when the receiver has hung up: a write would still seem to go well."""
    before = line.gettimeout()
    line.settimeout(0)
    try:
        if not line.recv(4096):
            raise ConnectionResetError("it has hung up")
    except (BlockingIOError, ssl.SSLWantReadError):
        return
    finally:
        line.settimeout(before)


def _stamp(text: object) -> str:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        moment = datetime.now(UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _printable(name: str) -> str:
    found = "".join(one for one in name if "!" <= one <= "~")[:255]
    return found or "-"


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection: {error.reason}"
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    return f"cannot be reached: {error.strerror or error}"
