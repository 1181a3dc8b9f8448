"""Bytes of TLS handshakes, as much of them as a sensor reads (RFC 5246, RFC 8446)."""

import hashlib
from collections.abc import Iterable, Sequence

_CIPHERS = bytes.fromhex("130113021303c02bc02fc02cc030cca9cca8c013c014009c009d002f0035")
_X25519 = bytes.fromhex("001d")
CHANGE_CIPHER = bytes.fromhex("140303000101")


def filler(seed: str, size: int) -> bytes:
    """Give bytes that look random and are the same on every run."""
    return hashlib.shake_128(seed.encode()).digest(size)


def client_hello(name: str, seed: str, *, alpn: Sequence[str], quic: bytes | None = None) -> bytes:
    """Give a ClientHello message; `quic` holds transport parameters, with which only TLS 1.3 is offered."""
    versions = b"\x03\x04" if quic is not None else b"\x03\x04\x03\x03"
    protocols = b"".join(_sized(protocol.encode(), 1) for protocol in alpn)
    extensions = [
        (0, _sized(b"\x00" + _sized(name.encode(), 2), 2)),
        (23, b""),
        (10, _sized(_X25519 + bytes.fromhex("00170018"), 2)),
        (11, b"\x01\x00"),
        (16, _sized(protocols, 2)),
        (13, _sized(bytes.fromhex("0403080404010503080505010806"), 2)),
        (43, _sized(versions, 1)),
        (45, b"\x01\x01"),
        (51, _sized(_X25519 + _sized(filler(f"share {seed}", 32), 2), 2)),
    ]
    if quic is not None:
        extensions.append((57, quic))
    session = b"" if quic is not None else filler(f"session {seed}", 32)
    body = b"\x03\x03" + filler(f"client {seed}", 32) + _sized(session, 1) + _sized(_CIPHERS, 2) + b"\x01\x00"
    return _message(1, body + _extensions(extensions))


def server_hello(seed: str, *, version: str, alpn: str) -> bytes:
    """Give a ServerHello message of TLS 1.2 or 1.3."""
    if version == "1.3":
        cipher = b"\x13\x01"
        extensions = [(43, b"\x03\x04"), (51, _X25519 + _sized(filler(f"answer {seed}", 32), 2))]
    else:
        cipher = b"\xc0\x2b"
        extensions = [(65281, b"\x00"), (11, b"\x01\x00"), (16, _sized(_sized(alpn.encode(), 1), 2))]
    body = b"\x03\x03" + filler(f"server {seed}", 32) + _sized(filler(f"session {seed}", 32), 1) + cipher + b"\x00"
    return _message(2, body + _extensions(extensions))


def certificate_flight(seed: str, chain: Iterable[bytes]) -> bytes:
    """Give what a TLS 1.2 server sends after its hello: certificates, key exchange, done."""
    certificates = _message(11, _sized(b"".join(_sized(der, 3) for der in chain), 3))
    signature = bytes.fromhex("3044") + b"\x02\x20" + filler(f"r {seed}", 32) + b"\x02\x20" + filler(f"s {seed}", 32)
    exchange = b"\x03" + _X25519 + _sized(filler(f"point {seed}", 32), 1) + b"\x04\x03" + _sized(signature, 2)
    return certificates + _message(12, exchange) + _message(14, b"")


def client_key_exchange(seed: str) -> bytes:
    return _message(16, _sized(filler(f"exchange {seed}", 32), 1))


def record(kind: int, body: bytes) -> bytes:
    """Wrap bytes into TLS records of at most 16 KiB: 20 change of cipher, 22 handshake, 23 data."""
    parts = [body[at : at + 16_384] for at in range(0, len(body), 16_384)]
    return b"".join(bytes([kind]) + b"\x03\x03" + _sized(part, 2) for part in parts)


def _message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _sized(body, 3)


def _sized(body: bytes, width: int) -> bytes:
    return len(body).to_bytes(width, "big") + body


def _extensions(extensions: Iterable[tuple[int, bytes]]) -> bytes:
    return _sized(b"".join(number.to_bytes(2, "big") + _sized(body, 2) for number, body in extensions), 2)
