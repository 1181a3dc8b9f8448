"""Certificates that servers show, and what is odd about them, each oddity with its points."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from matchers.findings import Part
from matchers.heuristics import lookups
from matchers.heuristics.letters import is_mostly_digits, letters
from matchers.observers.ssl import common_name
from trailhound import canonical
from trailhound.record import MICROSECONDS

# Ports on which servers with certificates stand: HTTPS, mail, DNS, directories, SIP, push services, remote desktops.
PORTS = frozenset({443, 465, 563, 587, 636, 853, 989, 990, 993, 995, 3389, 5061, 5222, 5223, 5228, 8443})
# What a subject has who answered every question of `openssl req` with Enter, or copied an example.
_AS_IT_COMES = ("Internet Widgits", "Default Company Ltd", "Default City", "SomeOrganization", "CN=localhost")
_GENERATED = -8  # As for names that are asked for: see `generated-name`.
_SHORTEST = 8  # Characters of a label whose letters are judged.


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is known of a certificate; times are microseconds since the epoch.

    `verdict` is what Zeek says of the chain, empty where it says nothing.
    """

    subject: str = ""
    issuer: str = ""
    begins: int | None = None
    ends: int | None = None
    verdict: str = ""

    @property
    def is_self_signed(self) -> bool:
        # OpenSSL wrote it without the hyphen before version 3.
        said = self.verdict.replace("-", " ").strip()
        return said == "self signed certificate" or (bool(self.subject) and self.subject == self.issuer)


@dataclass(frozen=True, slots=True)
class Shown:
    """An occasion on which a server showed a certificate."""

    server_name: str
    port: int
    is_abroad: bool
    time: int


def oddities(certificate: Certificate, shown: Shown) -> Iterator[Part]:
    """Give what is odd about a certificate; nothing of one about which too little is known."""
    yield from _own_oddities(certificate, shown.time)
    yield from _circumstances(certificate, shown, common_name(certificate.subject) or "")


def is_plain(certificate: Certificate, time: int) -> bool:
    """Tell whether nothing is odd about a certificate itself: then no server that shows it is, while it is valid."""
    return next(_own_oddities(certificate, time), None) is None


def _own_oddities(certificate: Certificate, time: int) -> Iterator[Part]:
    name = common_name(certificate.subject) or ""
    if certificate.is_self_signed:
        yield Part("self-signed", 35, "the certificate is signed by nobody else")
    yield from _out_of_date(certificate, time)
    yield from _names(certificate, name)
    if any(word in certificate.subject for word in _AS_IT_COMES):
        yield Part("default subject", 15, f"its subject was left as it comes: {certificate.subject[:100]}")


def _out_of_date(certificate: Certificate, time: int) -> Iterator[Part]:
    if certificate.ends is not None and certificate.ends < time:
        days = (time - certificate.ends) // (86_400 * MICROSECONDS)
        yield Part("expired", 20, f"it expired {days:,} days before")
    elif certificate.verdict == "certificate has expired":
        yield Part("expired", 20, "it had expired")
    if certificate.begins is not None and certificate.begins > time + 86_400 * MICROSECONDS:
        yield Part("not yet valid", 20, "it was not valid yet")


def _names(certificate: Certificate, name: str) -> Iterator[Part]:
    if is_generated(name):
        yield Part("odd name", 30, f"its name looks generated: {name[:100]}")
    issuer = common_name(certificate.issuer) or ""
    if issuer != name and is_generated(issuer):
        yield Part("odd issuer", 30, f"the name of its issuer looks generated: {issuer[:100]}")


def _circumstances(certificate: Certificate, shown: Shown, name: str) -> Iterator[Part]:
    if shown.is_abroad:
        yield Part("abroad", 20, "the server is not of this site")
    if not shown.server_name:
        yield Part("no name", 5, "the client asked for no name")
    elif canonical.address(shown.server_name):
        yield Part("address", 15, "the client asked for an address in place of a name")
    elif certificate.is_self_signed and name and not _fits(name, shown.server_name):
        yield Part("other name", 15, f"the client asked for {shown.server_name[:100]}, shown was one of {name[:100]}")
    if shown.port not in PORTS:
        yield Part("port", 10, f"port {shown.port} is not one for TLS")


def _fits(name: str, server_name: str) -> bool:
    name, server_name = name.lower(), server_name.lower()
    return server_name == name or server_name.endswith(f".{name}") or name.endswith(f".{server_name}")


@lru_cache(maxsize=4096)
def is_generated(name: str) -> bool:
    """Tell whether the letters of a name that somebody could register look drawn by a machine."""
    text = canonical.name(name)
    zone = lookups.registered(text) if text is not None else None
    label = zone.partition(".")[0] if zone is not None else ""
    if len(label) < _SHORTEST or label.startswith("xn--") or is_mostly_digits(label):
        return False
    return letters().score(label) < _GENERATED


def moment(text: str | None) -> int | None:
    """Read a time of a certificate, in microseconds since the epoch: seconds in Zeek, ISO 8601 in EVE."""
    try:
        return round(float(text or "") * MICROSECONDS)
    except (ValueError, OverflowError):
        pass
    try:
        parsed = datetime.fromisoformat(text or "")
        return round(parsed.replace(tzinfo=parsed.tzinfo or UTC).timestamp() * MICROSECONDS)
    except (ValueError, OverflowError):
        return None
