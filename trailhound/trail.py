"""A trail: one indicator with what is known of it."""

from dataclasses import dataclass
from enum import StrEnum


class TrailKind(StrEnum):
    """What a trail's value is. The order is the order of the compiled set: append only."""

    DOMAIN = "domain"
    TLD = "tld"
    WILDCARD = "wildcard"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    CIDR = "cidr"
    IP_PORT = "ip:port"
    URL = "url"
    HTTP_HOST = "http-host"
    PATH = "path"
    USER_AGENT = "user-agent"
    USER_AGENT_REGEX = "user-agent-regex"
    CERT_SHA1 = "cert-sha1"
    CERT_SHA256 = "cert-sha256"
    JA3 = "ja3"
    JA3S = "ja3s"
    JA4 = "ja4"
    FILE_MD5 = "file-md5"
    FILE_SHA1 = "file-sha1"
    FILE_SHA256 = "file-sha256"
    EMAIL = "email"
    RULE = "rule"
    FILE_NAME = "file-name"
    USER_NAME = "user-name"
    PUBKEY_HASH = "pubkey-hash"
    OTHER = "other"

    @property
    def group(self) -> "TrailGroup":
        """The coarse type by which timelines and consoles colour events."""
        return _GROUPS[self]


class TrailGroup(StrEnum):
    """The coarse type of a trail, as analysts speak of it."""

    DNS = "DNS"
    URL = "URL"
    IP = "IP"
    TLS = "TLS"
    FILE = "FILE"
    OTHER = "OTHER"


_GROUPS = {
    TrailKind.DOMAIN: TrailGroup.DNS,
    TrailKind.TLD: TrailGroup.DNS,
    TrailKind.WILDCARD: TrailGroup.DNS,
    TrailKind.IPV4: TrailGroup.IP,
    TrailKind.IPV6: TrailGroup.IP,
    TrailKind.CIDR: TrailGroup.IP,
    TrailKind.IP_PORT: TrailGroup.IP,
    TrailKind.URL: TrailGroup.URL,
    TrailKind.HTTP_HOST: TrailGroup.URL,
    TrailKind.PATH: TrailGroup.URL,
    TrailKind.USER_AGENT: TrailGroup.URL,
    TrailKind.USER_AGENT_REGEX: TrailGroup.URL,
    TrailKind.CERT_SHA1: TrailGroup.TLS,
    TrailKind.CERT_SHA256: TrailGroup.TLS,
    TrailKind.JA3: TrailGroup.TLS,
    TrailKind.JA3S: TrailGroup.TLS,
    TrailKind.JA4: TrailGroup.TLS,
    TrailKind.FILE_MD5: TrailGroup.FILE,
    TrailKind.FILE_SHA1: TrailGroup.FILE,
    TrailKind.FILE_SHA256: TrailGroup.FILE,
    TrailKind.EMAIL: TrailGroup.OTHER,
    TrailKind.RULE: TrailGroup.OTHER,
    TrailKind.FILE_NAME: TrailGroup.FILE,
    TrailKind.USER_NAME: TrailGroup.OTHER,
    TrailKind.PUBKEY_HASH: TrailGroup.OTHER,
    TrailKind.OTHER: TrailGroup.OTHER,
}
# Kinds that no list has: what stands in the logs of other detectors. A rule's value is its name.
DETECTED_KINDS = frozenset(
    {TrailKind.RULE, TrailKind.FILE_NAME, TrailKind.USER_NAME, TrailKind.PUBKEY_HASH, TrailKind.OTHER}
)
LISTED_KINDS = tuple(kind for kind in TrailKind if kind not in DETECTED_KINDS)


class TrailClass(StrEnum):
    """What meeting a trail means. The order is the order of the compiled set: append only."""

    MALWARE = "malware"
    C2 = "c2"
    PHISHING = "phishing"
    EXPLOIT = "exploit"
    ATTACKER = "attacker"
    SCANNER = "scanner"
    SPAM = "spam"
    ANONYMIZER = "anonymizer"
    SUSPICIOUS = "suspicious"
    POLICY = "policy"
    SINKHOLE = "sinkhole"
    PARKED = "parked"
    HEURISTIC = "heuristic"


@dataclass(frozen=True, slots=True)
class Trail:
    """One indicator.

    `value` is canonical (see `trailhound.canonical`). `info` names the threat ("emotet"). `sources` are all lists that
    have it, the one whose words are used first. `confidence` runs from 0 to 100. `first_seen` and `expires` are
    seconds since the epoch; what happens later than `expires` does not meet it. `custom` says that the site has it on a
    list of its own.
    """

    kind: TrailKind
    value: str
    info: str
    class_: TrailClass
    sources: tuple[str, ...]
    reference: str = ""
    confidence: int = 50
    first_seen: int | None = None
    expires: int | None = None
    custom: bool = False
