"""Certificates of the sample's servers: real DER, the same on every run."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_VALID_FROM = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)
_VALID_UNTIL = dt.datetime(2035, 6, 1, tzinfo=dt.UTC)
_CURVE = ec.SECP256R1()
_AUTHORITY = "Sample Issuing Authority"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate: its bytes, and what logs say of it. Validity is in seconds since the epoch."""

    der: bytes
    serial: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    authority: bool
    not_before: float
    not_after: float

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.der).hexdigest()


def chain(name: str) -> tuple[Certificate, Certificate]:
    """Give the certificate of a server and that of its issuer."""
    return _issue(name, authority=False), _issue(_AUTHORITY, authority=True)


@cache
def _key(name: str) -> ec.EllipticCurvePrivateKey:
    """Derive a key from a name: it guards nothing, and the sample must come out the same."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(name.encode()).digest()[:31], "big") + 1, _CURVE)


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CH"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Trailhound Sample"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


@cache
def _issue(name: str, *, authority: bool) -> Certificate:
    subject, issuer = _subject(name), _subject(_AUTHORITY)
    serial = int.from_bytes(hashlib.sha256(f"serial {name}".encode()).digest()[:8], "big") >> 1
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(_key(name).public_key())
        .serial_number(serial)
        .not_valid_before(_VALID_FROM)
        .not_valid_after(_VALID_UNTIL)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    names = () if authority else (name,)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    signed = builder.sign(_key(_AUTHORITY), hashes.SHA256(), ecdsa_deterministic=True)
    return Certificate(
        der=signed.public_bytes(serialization.Encoding.DER),
        serial=f"{serial:X}".zfill(len(f"{serial:X}") + len(f"{serial:X}") % 2),
        subject=subject.rfc4514_string(),
        issuer=issuer.rfc4514_string(),
        names=names,
        authority=authority,
        not_before=_VALID_FROM.timestamp(),
        not_after=_VALID_UNTIL.timestamp(),
    )
