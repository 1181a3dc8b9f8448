"""Write sessions as a packet capture that a real sensor can read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

from deploy.sample import certificates, quic, tls
from deploy.sample.sessions import Attempt, Ends, Fetch, Handshake, Lookup, Quic, Session, Talk

_SEGMENT = 1_400
_STEP = 0.0008
_CLIENT_MAC, _SERVER_MAC = "02:00:5e:00:00:01", "02:00:5e:00:00:02"


def write(sessions: Sequence[Session], file: Path, start: float) -> None:
    """Write all packets in the order of their times."""
    packets: list[Packet] = []
    for session in sessions:
        for at, packet in _packets(session):
            packet.time = start + at
            packets.append(packet)
    packets.sort(key=lambda packet: packet.time)
    wrpcap(str(file), packets)


def _packets(session: Session) -> Iterator[tuple[float, Packet]]:
    match session:
        case Lookup():
            return _lookup(session)
        case Fetch():
            return _fetch(session)
        case Handshake():
            return _handshake(session)
        case Quic():
            return _quic(session)
        case Attempt():
            return _attempt(session)
        case Talk():
            return _talk(session)


@dataclass(slots=True)
class Stream:
    """One TCP connection under construction."""

    ends: Ends
    at: float
    sequence: dict[bool, int] = field(default_factory=lambda: {True: 1_000, False: 5_000})
    packets: list[tuple[float, Packet]] = field(default_factory=list)

    def put(self, *, client: bool, flags: str, payload: bytes = b"") -> None:
        acknowledged = self.sequence[not client] if "A" in flags else 0
        segment = TCP(flags=flags, seq=self.sequence[client], ack=acknowledged, window=64_240)
        packet = _ip(self.ends, client=client) / _ports(segment, self.ends, client=client)
        self.packets.append((self.at, packet / Raw(payload) if payload else packet))
        self.sequence[client] += len(payload) + ("S" in flags) + ("F" in flags)
        self.at += _STEP

    def open(self) -> None:
        self.put(client=True, flags="S")
        self.put(client=False, flags="SA")
        self.put(client=True, flags="A")

    def send(self, payload: bytes, *, client: bool) -> None:
        for at in range(0, len(payload), _SEGMENT):
            self.put(client=client, flags="PA", payload=payload[at : at + _SEGMENT])
        self.put(client=not client, flags="A")

    def close(self, at: float) -> None:
        self.at = max(self.at, at)
        self.put(client=True, flags="FA")
        self.put(client=False, flags="FA")
        self.put(client=True, flags="A")


def _ip(ends: Ends, *, client: bool) -> Packet:
    source, target = (ends.client, ends.server) if client else (ends.server, ends.client)
    macs = (_CLIENT_MAC, _SERVER_MAC) if client else (_SERVER_MAC, _CLIENT_MAC)
    return Ether(src=macs[0], dst=macs[1]) / IP(src=source, dst=target, ttl=64 if client else 56)


def _ports(layer: Packet, ends: Ends, *, client: bool) -> Packet:
    layer.sport, layer.dport = (ends.client_port, ends.server_port) if client else (ends.server_port, ends.client_port)
    return layer


def _datagram(ends: Ends, payload: Packet, *, client: bool) -> Packet:
    return _ip(ends, client=client) / _ports(UDP(), ends, client=client) / payload


def _lookup(session: Lookup) -> Iterator[tuple[float, Packet]]:
    question = DNSQR(qname=session.name, qtype=session.kind)
    yield session.at, _datagram(session.ends, DNS(id=session.id, rd=1, qd=question), client=True)
    owner, answers = session.name, []
    for answer in session.answers:
        answers.append(DNSRR(rrname=owner, type=answer.kind, ttl=answer.ttl, rdata=answer.value))
        owner = answer.value if answer.kind == "CNAME" else owner
    reply = DNS(id=session.id, qr=1, rd=1, ra=1, rcode=session.code, qd=question, an=answers)
    yield session.at + session.seconds, _datagram(session.ends, reply, client=False)


def _fetch(session: Fetch) -> Iterator[tuple[float, Packet]]:
    stream = Stream(session.ends, session.at)
    stream.open()
    head = [f"{session.method} {session.uri} HTTP/1.1", f"Host: {session.host}", f"User-Agent: {session.user_agent}"]
    head += ["Accept: */*", *([f"Referer: {session.referrer}"] if session.referrer else [])]
    head += ["Content-Length: 0"] if session.method == "POST" else []
    stream.send("\r\n".join([*head, "", ""]).encode(), client=True)
    answer = [f"HTTP/1.1 {session.status} {session.reason}", "Server: nginx"]
    if session.status != 204:
        answer += [f"Content-Type: {session.content_type}", f"Content-Length: {len(session.body)}"]
    if session.filename:
        answer.append(f'Content-Disposition: attachment; filename="{session.filename}"')
    stream.send("\r\n".join([*answer, "", ""]).encode() + session.body, client=False)
    stream.close(session.at + session.seconds)
    yield from stream.packets


def _handshake(session: Handshake) -> Iterator[tuple[float, Packet]]:
    seed = f"{session.at} {session.ends}"
    stream = Stream(session.ends, session.at)
    stream.open()
    stream.send(tls.record(22, tls.client_hello(session.name, seed, alpn=("h2", "http/1.1"))), client=True)
    hello = tls.server_hello(seed, version=session.version, alpn=session.alpn)
    finished = tls.filler(f"finished {seed}", 40)
    if session.version == "1.2":
        flight = tls.certificate_flight(seed, (certificate.der for certificate in certificates.chain(session.name)))
        stream.send(tls.record(22, hello + flight), client=False)
        ending = tls.record(22, tls.client_key_exchange(seed)) + tls.CHANGE_CIPHER + tls.record(22, finished)
        stream.send(ending, client=True)
        stream.send(tls.CHANGE_CIPHER + tls.record(22, finished), client=False)
    else:
        sealed = tls.record(23, tls.filler(f"sealed {seed}", 2_600))
        stream.send(tls.record(22, hello) + tls.CHANGE_CIPHER + sealed, client=False)
        stream.send(tls.CHANGE_CIPHER + tls.record(23, finished), client=True)
    stream.send(tls.record(23, tls.filler(f"up {seed}", session.sent)), client=True)
    stream.send(tls.record(23, tls.filler(f"down {seed}", session.received)), client=False)
    stream.close(session.at + session.seconds)
    yield from stream.packets


def _quic(session: Quic) -> Iterator[tuple[float, Packet]]:
    seed = f"{session.at} {session.ends}"
    yield session.at, _datagram(session.ends, Raw(quic.initial(session.name, seed)), client=True)
    for number in range(1 + session.received // 1_200):
        at = session.at + 0.02 + number * _STEP
        yield at, _datagram(session.ends, Raw(quic.short(f"{seed} {number}", 1_190)), client=False)
    yield session.at + session.seconds, _datagram(session.ends, Raw(quic.short(seed, 60)), client=True)


def _attempt(session: Attempt) -> Iterator[tuple[float, Packet]]:
    stream = Stream(session.ends, session.at)
    stream.put(client=True, flags="S")
    if session.outcome == "REJ":
        stream.put(client=False, flags="RA")
    yield from stream.packets


def _talk(session: Talk) -> Iterator[tuple[float, Packet]]:
    seed = f"{session.at} {session.ends}"
    up, down = tls.filler(f"up {seed}", session.sent), tls.filler(f"down {seed}", session.received)
    if session.service == "ntp":
        up, down = b"\x23" + up[1:], b"\x24" + down[1:]
    if session.transport == "udp":
        yield session.at, _datagram(session.ends, Raw(up), client=True)
        yield session.at + session.seconds, _datagram(session.ends, Raw(down), client=False)
        return
    stream = Stream(session.ends, session.at)
    stream.open()
    stream.send(up, client=True)
    stream.send(down, client=False)
    stream.close(session.at + session.seconds)
    yield from stream.packets
