"""What can happen on the wire of the sample, one class for each kind of session.

Times are seconds since the start of the sample, `seconds` is how long a session takes. Both writers (Zeek's logs, the
capture) read the same objects, so that both sensors speak of the same kind of traffic.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Ends:
    """Who talks to whom: the client opens the connection."""

    client: str
    client_port: int
    server: str
    server_port: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One resource record of a DNS answer; the time to live is in seconds."""

    kind: Literal["A", "AAAA", "CNAME", "PTR"]
    value: str
    ttl: int = 300


@dataclass(frozen=True, slots=True)
class Lookup:
    """A DNS query over UDP and its answer, which may be "no such name" (code 3)."""

    at: float
    ends: Ends
    id: int
    name: str
    kind: Literal["A", "AAAA", "PTR"]
    answers: tuple[Answer, ...]
    code: Literal[0, 3]
    seconds: float


@dataclass(frozen=True, slots=True)
class Fetch:
    """One HTTP request in plain text and its answer."""

    at: float
    ends: Ends
    method: str
    host: str
    uri: str
    user_agent: str
    status: int
    reason: str
    content_type: str
    body: bytes
    seconds: float
    referrer: str | None = None
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class Handshake:
    """A TLS connection over TCP; its certificate can be seen in version 1.2 only. Sizes are bytes of encrypted data."""

    at: float
    ends: Ends
    name: str
    version: Literal["1.2", "1.3"]
    alpn: str
    sent: int
    received: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Quic:
    """A QUIC connection (HTTP/3)."""

    at: float
    ends: Ends
    name: str
    sent: int
    received: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """A TCP connection that nothing answers (`S0`) or that is refused (`REJ`)."""

    at: float
    ends: Ends
    outcome: Literal["S0", "REJ"]


@dataclass(frozen=True, slots=True)
class Talk:
    """A connection of which only sizes matter; the protocol inside is not one that the sample logs apart."""

    at: float
    ends: Ends
    transport: Literal["tcp", "udp"]
    service: str | None
    sent: int
    received: int
    seconds: float


Session = Lookup | Fetch | Handshake | Quic | Attempt | Talk
