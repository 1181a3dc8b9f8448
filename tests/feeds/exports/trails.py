"""Trails of every kind that lists have, some with texts that formats could take for their own signs."""

from collections.abc import Iterable

from feeds.exports import EXPORTS
from feeds.exports.export import Wishes
from trailhound import canonical
from trailhound.trail import Trail, TrailClass, TrailKind

MADE = 1_767_600_000
HOSTILE = "em\"otet; \\ (v2) | #x: 'y' = $z"
VALUES = {
    TrailKind.DOMAIN: "evil.example",
    TrailKind.TLD: "zip",
    TrailKind.WILDCARD: r"dga[0-9]+\.evil\.example",
    TrailKind.IPV4: "198.51.100.7",
    TrailKind.IPV6: "2001:db8::7",
    TrailKind.CIDR: "203.0.113.0/24",
    TrailKind.IP_PORT: "198.51.100.7:4444",
    TrailKind.URL: "evil.example/gate.php?id=1",
    TrailKind.HTTP_HOST: "198.51.100.9/",
    TrailKind.PATH: "/gate.php?cmd=;|x",
    TrailKind.USER_AGENT: 'Evil "Loader"; \\ 1|0  #2',
    TrailKind.USER_AGENT_REGEX: r"\bsqlmap/",
    TrailKind.CERT_SHA1: "a1" * 20,
    TrailKind.CERT_SHA256: "a2" * 32,
    TrailKind.JA3: "a3" * 16,
    TrailKind.JA3S: "a4" * 16,
    TrailKind.JA4: "t13d1516h2_8daaf6152771_b186095e22b6",
    TrailKind.FILE_MD5: "a5" * 16,
    TrailKind.FILE_SHA1: "a6" * 20,
    TrailKind.FILE_SHA256: "a7" * 32,
    TrailKind.EMAIL: "lure@evil.example",
}


def trail(kind: TrailKind, text: str, info: str = "emotet", class_: TrailClass = TrailClass.C2) -> Trail:
    found = canonical.indicator(kind, text)
    reference = "https://tickets.example/4711"
    return Trail(found.kind, found.value, info, class_, ("a list", "b list"), reference, 80, MADE - 900, MADE + 900)


def every_kind(info: str = "emotet") -> list[Trail]:
    return [trail(kind, text, info) for kind, text in VALUES.items()]


def written(name: str, trails: Iterable[Trail], wishes: Wishes | None = None) -> dict[str, str]:
    """Export what the format can say; give the text of each file."""
    export = EXPORTS[name]
    texts: dict[str, str] = {}
    fit = (one for one in trails if one.kind in export.kinds)
    for file, text in export.write(fit, wishes or Wishes(MADE)):
        texts[file] = texts.get(file, "") + text
    return texts
