"""Suricata data sets, a file a kind of trail, and the rules that ask them: for any number of trails.

A data set holds whole values, so a name in it does not stand for the names below it, and it does not say which threat
a value belongs to.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from feeds.exports.export import Export, Piece, Wishes
from feeds.exports.suricata_rules import Sids, colons, rule
from trailhound.trail import Trail, TrailKind

RULES = "trailhound.rules"
_TEXT = "string"
_ADDRESS = "ip"


@dataclass(frozen=True, slots=True)
class _Set:
    """A data set: its name, Suricata's type of it, how a value is spelled, and `head` and keyword of its rules."""

    name: str
    type: str
    buffers: tuple[tuple[str, str], ...]
    spelled: Callable[[str], str] = str

    @property
    def file(self) -> str:
        return f"trailhound-{self.name}.lst"

    def line(self, value: str) -> str:
        text = self.spelled(value)
        return b64encode(text.encode("utf-8", "surrogatepass")).decode() if self.type == _TEXT else text

    def conditions(self, buffer: str) -> str:
        if not self.type:
            return f"{buffer}:{self.file};"
        return f"{buffer}; dataset:isset,trailhound-{self.name},type {self.type},load {self.file};"


_HTTP = "http any any -> any any"
_TLS = "tls any any -> any any"
_ANY = "ip any any -> any any"
_NAMES = _Set("domain", _TEXT, (("dns any any -> any any", "dns.query"), (_TLS, "tls.sni"), (_HTTP, "http.host")))
_ADDRESSES = _Set("ip", _ADDRESS, ((_ANY, "ip.src"), (_ANY, "ip.dst")))
_FILES = "http any any -> any any"
SETS: Mapping[TrailKind, _Set] = {
    TrailKind.DOMAIN: _NAMES,
    TrailKind.IPV4: _ADDRESSES,
    TrailKind.IPV6: _ADDRESSES,
    TrailKind.HTTP_HOST: _Set("http-host", _TEXT, ((_HTTP, "http.host"),), lambda value: value.removesuffix("/")),
    TrailKind.PATH: _Set("path", _TEXT, ((_HTTP, "http.uri"),)),
    TrailKind.USER_AGENT: _Set("user-agent", _TEXT, ((_HTTP, "http.user_agent; to_lowercase"),), str.lower),
    TrailKind.CERT_SHA1: _Set("certificate", _TEXT, ((_TLS, "tls.cert_fingerprint"),), colons),
    TrailKind.JA3: _Set("ja3", _TEXT, ((_TLS, "ja3.hash"),)),
    TrailKind.JA3S: _Set("ja3s", _TEXT, ((_TLS, "ja3s.hash"),)),
    TrailKind.FILE_MD5: _Set("md5", "", ((_FILES, "filemd5"),)),
    TrailKind.FILE_SHA1: _Set("sha1", "", ((_FILES, "filesha1"),)),
    TrailKind.FILE_SHA256: _Set("sha256", "", ((_FILES, "filesha256"),)),
}


def _write(trails: Iterable[Trail], wishes: Wishes) -> Iterator[Piece]:
    used: dict[str, _Set] = {}
    for trail in trails:
        found = SETS[trail.kind]
        used.setdefault(found.name, found)
        yield found.file, f"{found.line(trail.value)}\n"
    sids = Sids(*wishes.sids)
    for name in sorted(used):
        for head, buffer in used[name].buffers:
            sid = sids.take(f"{name} {buffer}")
            about = f"Trailhound: {name} on a list ({buffer.partition(';')[0]})"
            yield RULES, rule(head, used[name].conditions(buffer), about, None, sid)


EXPORT = Export("Suricata data sets with the rules that ask them", frozenset(SETS), _write, folder=True)
