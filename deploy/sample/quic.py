"""The first packet of a QUIC version 1 client, encrypted as RFC 9001 section 5 says, so that a sensor can open it."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from deploy.sample import tls

_INITIAL_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
_SIZE = 1_200  # RFC 9000 section 14.1: a client fills its first datagram up to this.
_TAG = 16


def initial(name: str, seed: str) -> bytes:
    """Give one UDP payload: an Initial packet with the ClientHello for `name` in a CRYPTO frame."""
    target, source = tls.filler(f"dcid {seed}", 8), tls.filler(f"scid {seed}", 8)
    parameters = bytes.fromhex("0104800075300408") + bytes.fromhex("c000000000100000") + b"\x0f\x08" + source
    hello = tls.client_hello(name, seed, alpn=("h3",), quic=parameters)
    frames = b"\x06\x00" + _number(len(hello)) + hello
    packet_number = bytes(4)
    head = b"\xc3\x00\x00\x00\x01" + bytes([8]) + target + bytes([8]) + source + b"\x00"
    room = _SIZE - len(head) - 2 - len(packet_number) - _TAG
    frames = frames.ljust(room, b"\x00")
    head += _number(len(packet_number) + len(frames) + _TAG) + packet_number
    key, vector, mask_key = _keys(target)
    sealed = AESGCM(key).encrypt(vector, frames, head)  # Packet number 0: the vector is used as it is.
    return _protect(head, sealed, mask_key)


def short(seed: str, size: int) -> bytes:
    """Give a payload of encrypted data as it follows the handshake."""
    return b"\x40" + tls.filler(f"dcid {seed}", 8) + tls.filler(f"data {seed} {size}", size)


def _keys(target: bytes) -> tuple[bytes, bytes, bytes]:
    extract = HMAC(_INITIAL_SALT, hashes.SHA256())
    extract.update(target)
    secret = _expand(extract.finalize(), "client in", 32)
    return _expand(secret, "quic key", 16), _expand(secret, "quic iv", 12), _expand(secret, "quic hp", 16)


def _expand(secret: bytes, label: str, size: int) -> bytes:
    full = b"tls13 " + label.encode()
    info = size.to_bytes(2, "big") + bytes([len(full)]) + full + b"\x00"
    return HKDFExpand(hashes.SHA256(), size, info).derive(secret)


def _protect(head: bytes, sealed: bytes, mask_key: bytes) -> bytes:
    # RFC 9001 section 5.4.3 asks for ECB here: one block, used as a mask.
    encryptor = Cipher(algorithms.AES(mask_key), modes.ECB()).encryptor()  # noqa: S305
    mask = encryptor.update(sealed[:16])
    first = bytes([head[0] ^ (mask[0] & 0x0F)])
    number = bytes(byte ^ cover for byte, cover in zip(head[-4:], mask[1:5], strict=True))
    return first + head[1:-4] + number + sealed


def _number(value: int) -> bytes:
    """Write a variable-length integer in two bytes (RFC 9000 section 16)."""
    return (0x4000 | value).to_bytes(2, "big")
