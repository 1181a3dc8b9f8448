"""Suricata rules, one or more a trail. Suricata loads some ten thousands of them; for more there are data sets."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from zlib import crc32

from feeds.exports.export import Export, Piece, Wishes
from trailhound.canonical import host_port
from trailhound.errors import SettingsError
from trailhound.trail import Trail, TrailClass, TrailKind

# The class types of Suricata's own classification.config, by what meeting a trail means.
CLASSTYPES: Mapping[TrailClass, str] = {
    TrailClass.MALWARE: "trojan-activity",
    TrailClass.C2: "trojan-activity",
    TrailClass.PHISHING: "social-engineering",
    TrailClass.EXPLOIT: "attempted-user",
    TrailClass.ATTACKER: "misc-attack",
    TrailClass.SCANNER: "attempted-recon",
    TrailClass.POLICY: "policy-violation",
    TrailClass.ANONYMIZER: "policy-violation",
}
_OTHER = "bad-unknown"
_MESSAGE = re.compile(r"[^ !#-'*-:<-\[\]-~]")  # Printable ASCII but for what ends a text or an option in a rule.
_CONTENT = re.compile(r"[^ !#-9<-\[\]-{}~]")  # The same for a content, in which `|` begins hexadecimal.
_Body = tuple[str, str]  # What stands between `alert` and the bracket, and the conditions in it.


class Sids:
    """Gives each rule a number that does not depend on the other rules, as far as there is room."""

    def __init__(self, first: int, last: int) -> None:
        self._first = first
        self._taken = bytearray(last - first + 1)
        self._free = len(self._taken)

    def take(self, what: str) -> int:
        """Take the number that the text stands for, or the next free one. Raises `SettingsError` when none is."""
        room = len(self._taken)
        if not self._free:
            raise SettingsError(
                f"there are more than {room:,} rules to write, and as many numbers (--sids);"
                " choose fewer trails (--class, --kind, --min-confidence), or take suricata-dataset"
            )
        place = crc32(what.encode("utf-8", "surrogatepass")) % room
        found = self._taken.find(0, place)
        found = self._taken.find(0) if found < 0 else found
        self._taken[found] = 1
        self._free -= 1
        return self._first + found


def _write(trails: Iterable[Trail], wishes: Wishes) -> Iterator[Piece]:
    sids = Sids(*wishes.sids)
    for trail in trails:
        for head, conditions in BODIES[trail.kind](trail.value):
            sid = sids.take(f"{head} {conditions}")
            yield "", rule(head, conditions, message(trail), trail.class_, sid, _facts(trail))


def rule(head: str, conditions: str, about: str, class_: TrailClass | None, sid: int, facts: str = "") -> str:
    """Put a rule together; `conditions` and `facts` end in `;` or are empty."""
    classtype = CLASSTYPES.get(class_, _OTHER) if class_ is not None else _OTHER
    options = f'msg:"{about}"; {conditions} classtype:{classtype}; {facts} sid:{sid}; rev:1;'
    return f"alert {head} ({' '.join(options.split())})\n"


def message(trail: Trail) -> str:
    return _MESSAGE.sub("_", f"Trailhound {trail.class_.value}: {trail.info}")


def _facts(trail: Trail) -> str:
    word = re.sub(r"[^A-Za-z0-9_.-]+", "_", trail.sources[0])[:60] or "unknown"
    return f"metadata:confidence {trail.confidence}, source {word};"


def content(text: str) -> str:
    """Spell a text as the value of `content`."""
    spelled = _CONTENT.sub(lambda found: f"|{found[0].encode('utf-8', 'surrogatepass').hex(' ')}|", text)
    # Blanks at the ends, and two in a row, would not outlive the writing of the rule.
    return re.sub(r"^ | $| (?= )", "|20|", spelled)


def _name(value: str) -> Iterator[_Body]:
    condition = f'dotprefix; content:".{content(value)}"; nocase; endswith;'
    yield "dns any any -> any any", f"dns.query; {condition}"
    yield "tls any any -> any any", f"tls.sni; {condition}"
    yield "http any any -> any any", f"http.host; {condition}"


def _address(value: str) -> Iterator[_Body]:
    yield f"ip any any <> {value} any", ""


def _port(value: str) -> Iterator[_Body]:
    host, port = host_port(value)
    address = f"[{host}]" if ":" in host else host
    for protocol in ("tcp", "udp"):
        yield f"{protocol} any any -> {address} {port}", ""


def _url(value: str) -> Iterator[_Body]:
    authority, _, path = value.partition("/")
    host, port = host_port(authority)
    # Suricata takes the port off `http.host`; as it was sent it is in the other one, in its own case.
    if port is None:
        where = f'http.host; content:"{content(host)}"; bsize:{len(host.encode())};'
    else:
        where = f'http.host.raw; content:"{content(authority)}"; nocase; bsize:{len(authority.encode())};'
    what = f'http.uri; content:"/{content(path)}"; nocase; startswith;' if path else ""
    yield "http any any -> any any", f"{where} {what}"


def _path(value: str) -> Iterator[_Body]:
    yield "http any any -> any any", f'http.uri; content:"{content(value)}"; nocase; startswith;'


def _agent(value: str) -> Iterator[_Body]:
    size = len(value.encode("utf-8", "surrogatepass"))
    yield "http any any -> any any", f'http.user_agent; content:"{content(value)}"; nocase; bsize:{size};'


def _certificate(value: str) -> Iterator[_Body]:
    yield "tls any any -> any any", f'tls.cert_fingerprint; content:"{colons(value)}";'


def _hash_of(keyword: str) -> Callable[[str], Iterator[_Body]]:
    def of(value: str) -> Iterator[_Body]:
        yield "tls any any -> any any", f'{keyword}; content:"{value}";'

    return of


def colons(digest: str) -> str:
    """Write a hash as Suricata writes those of certificates: `ab:cd:...`."""
    return ":".join(re.findall("..", digest))


BODIES: Mapping[TrailKind, Callable[[str], Iterator[_Body]]] = {
    TrailKind.DOMAIN: _name,
    TrailKind.TLD: _name,
    TrailKind.IPV4: _address,
    TrailKind.IPV6: _address,
    TrailKind.CIDR: _address,
    TrailKind.IP_PORT: _port,
    TrailKind.URL: _url,
    TrailKind.HTTP_HOST: _url,
    TrailKind.PATH: _path,
    TrailKind.USER_AGENT: _agent,
    TrailKind.CERT_SHA1: _certificate,
    TrailKind.JA3: _hash_of("ja3.hash"),
    TrailKind.JA3S: _hash_of("ja3s.hash"),
}
EXPORT = Export("Suricata rules, one or more a trail", frozenset(BODIES), _write)
