"""Suricata and Snort rules: the names, addresses and fingerprints of rules that ask for nothing else.

A rule that also looks into what is sent says more than a trail can, so it gives none: its address alone may be a
large service. A disabled rule (`#alert`) gives none either.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from feeds import streams
from feeds.archives import Document
from feeds.entry import MAX_LINE, Entry, Origin, overlong, refused
from feeds.formats import moments, values
from feeds.formats.format import Format, Options
from feeds.formats.making import Said, entries
from feeds.formats.rows import compiled
from trailhound import canonical
from trailhound.canonical import Indicator
from trailhound.errors import SourceError, TrailError
from trailhound.trail import TrailClass, TrailKind

_RULE = re.compile(
    r"(?:alert|drop|reject|pass|log)\s+(?P<proto>[\w-]+)\s+(?P<src>\S+|\[[^\]]*\])\s+(?P<sport>\S+)\s+(?:->|<>)\s+"
    r"(?P<dst>\S+|\[[^\]]*\])\s+(?P<dport>\S+)\s*\((?P<options>.*)\)\s*"
)
_OPTION = re.compile(r'\s*([\w.-]+)\s*(?::((?:[^;\\"]|\\.|"(?:[^"\\]|\\.)*")*))?;')
_HEX = re.compile(r"\|([0-9A-Fa-f \t]*)\|")
_ESCAPED = re.compile(r'\\([\\";:|])')
_KINDS: Mapping[str, TrailKind] = {
    "dns.query": TrailKind.DOMAIN,
    "dns_query": TrailKind.DOMAIN,
    "tls.sni": TrailKind.DOMAIN,
    "tls_sni": TrailKind.DOMAIN,
    "http.host": TrailKind.DOMAIN,
    "http_host": TrailKind.DOMAIN,
    "ja3.hash": TrailKind.JA3,
    "ja3_hash": TrailKind.JA3,
    "ja3s.hash": TrailKind.JA3S,
    "ja4.hash": TrailKind.JA4,
    "tls.cert_fingerprint": TrailKind.CERT_SHA1,
    "tls_cert_fingerprint": TrailKind.CERT_SHA1,
}
# Options that narrow neither what is sent nor who sends it: what a rule with these alone says is its values.
_HARMLESS = frozenset(
    {
        "msg", "sid", "rev", "gid", "classtype", "metadata", "reference", "priority", "flow", "flags", "threshold",
        "detection_filter", "target", "nocase", "fast_pattern", "bsize", "endswith", "startswith", "depth", "offset",
        "isdataat", "dotprefix", "flowbits", "xbits", "noalert", "to_lowercase",
    }
)  # fmt: skip
# Emerging Threats' and Snort's words for what a rule is about.
_CLASSES: Mapping[str, TrailClass] = {
    "command-and-control": TrailClass.C2,
    "domain-c2": TrailClass.C2,
    "trojan-activity": TrailClass.MALWARE,
    "targeted-activity": TrailClass.MALWARE,
    "social-engineering": TrailClass.PHISHING,
    "credential-theft": TrailClass.PHISHING,
    "exploit-kit": TrailClass.EXPLOIT,
    "attempted-admin": TrailClass.EXPLOIT,
    "attempted-user": TrailClass.EXPLOIT,
    "web-application-attack": TrailClass.EXPLOIT,
    "attempted-recon": TrailClass.SCANNER,
    "network-scan": TrailClass.SCANNER,
    "misc-attack": TrailClass.ATTACKER,
    "coin-mining": TrailClass.SUSPICIOUS,
    "pup-activity": TrailClass.SUSPICIOUS,
    "bad-unknown": TrailClass.SUSPICIOUS,
    "policy-violation": TrailClass.POLICY,
}


class RuleOptions(Options, frozen=True, kw_only=True):
    """`messages` is a pattern (RE2): only rules whose message matches it are read. `classes` translates classtypes.

    Without `names`, the threat is called as the feed says, not by the family or message of the rule.
    """

    messages: str = ""
    names: bool = True
    classes: dict[str, TrailClass] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        compiled(self.messages)


class _Content(NamedTuple):
    """One `content` with the buffer that it is sought in, and whether it has to be the end of it, or all of it."""

    buffer: str
    text: str
    is_negated: bool
    is_end: bool


def read(documents: Iterable[Document], origin: Origin, options: RuleOptions) -> Iterator[Entry]:
    messages = compiled(options.messages) if options.messages else None
    for document in documents:
        rules = lines = 0
        for number, line in enumerate(streams.lines(document.stream), 1):
            text = line.strip()
            if len(text) > MAX_LINE:
                yield overlong(origin, number, text)
                continue
            lines += bool(text)
            match = _RULE.fullmatch(text)
            rules += match is not None or text[:1] == "#"
            if match is None:
                if text and text[0] != "#":
                    yield refused(origin, number, text, "this line is no rule")
                continue
            given = _options(match["options"])
            message = _unquoted(dict(given).get("msg", ""))
            if messages is None or messages.search(message):
                yield from _rule(match, given, origin, options, number)
        if lines and not rules:
            raise SourceError(f"{document.place}: not one line of it is a rule")


def _rule(
    match: re.Match[str], given: list[tuple[str, str]], origin: Origin, options: RuleOptions, number: int
) -> Iterator[Entry]:
    contents = _contents(given)
    unknown = {name for name, _ in given} - _HARMLESS - _KINDS.keys() - {"content"}
    if unknown or any(content.is_negated for content in contents):
        return
    said = _said(given, options)
    texts = [(kind, text) for kind, text in _wanted(match, contents) if text]
    for kind, text in texts:
        try:
            found: tuple[Indicator, ...] = values.of_kind(text, kind)
        except TrailError as error:
            yield refused(origin, number, text, str(error))
        else:
            yield from entries(found, said, origin, number, text)


def _wanted(match: re.Match[str], contents: list[_Content]) -> Iterator[tuple[TrailKind, str]]:
    """Give the values that meeting one of is enough for the rule, with their kinds."""
    if len(contents) == 1:
        (content,) = contents
        kind = _KINDS.get(content.buffer)
        # Without an end, `evil.com` would also be found in `evil.com.example.org`, and the name may be cut short.
        if kind is TrailKind.DOMAIN and content.is_end:
            yield kind, content.text.strip(".")
        elif kind is not None and kind is not TrailKind.DOMAIN:
            yield kind, content.text
    elif not contents:
        for addresses, port in ((match["src"], match["sport"]), (match["dst"], match["dport"])):
            yield from _ends(addresses, port)


def _ends(addresses: str, port: str) -> Iterator[tuple[TrailKind, str]]:
    is_port = port.isascii() and port.isdigit()
    for text in addresses.strip("[]").split(","):
        address = canonical.address(text.strip())
        if address is not None and is_port:
            yield TrailKind.IP_PORT, canonical.with_port(address, int(port[:6]))
        elif address is not None or text.strip()[:1].isdigit():
            yield TrailKind.CIDR, text.strip()


def _contents(given: list[tuple[str, str]]) -> list[_Content]:
    """Give the contents of a rule, each with its buffer: the sticky one before it, or the modifier behind it."""
    found: list[_Content] = []
    buffer = ""
    for name, argument in given:
        if name in _KINDS:
            if "_" in name and name.startswith("http") and found:
                found[-1] = found[-1]._replace(buffer=name)
            buffer = name
        elif name == "content":
            text = argument.strip()
            found.append(
                _Content(buffer, _decoded(_unquoted(text.removeprefix("!"))), text.startswith("!"), is_end=False)
            )
        elif found and (name in {"endswith", "bsize"} or (name == "isdataat" and argument.strip().startswith("!1"))):
            found[-1] = found[-1]._replace(is_end=True)
    return found


def _options(text: str) -> list[tuple[str, str]]:
    return [(match[1].lower(), (match[2] or "").strip()) for match in _OPTION.finditer(text)]


def _unquoted(text: str) -> str:
    text = text.strip()
    return _ESCAPED.sub(r"\1", text[1:-1]) if len(text) >= 2 and text[0] == text[-1] == '"' else text


def _decoded(text: str) -> str:
    """Write `|2e|` as what it stands for; what is no text then is no value either."""

    def decode(match: re.Match[str]) -> str:
        try:
            return bytes.fromhex(match[1]).decode("latin-1")
        except ValueError:
            return "\ufffd"

    return _HEX.sub(decode, text)


def _said(given: list[tuple[str, str]], options: RuleOptions) -> Said:
    first = dict(reversed(given))
    classtype = first.get("classtype", "").strip()
    metadata = dict(
        words for pair in first.get("metadata", "").split(",") if len(words := pair.strip().split(None, 1)) == 2
    )
    urls = [argument for name, argument in given if name == "reference" and argument.lower().startswith("url,")]
    try:
        seen = moments.seconds(metadata.get("created_at", "").replace("_", "-"))
    except TrailError:
        seen = None
    link = urls[0].partition(",")[2].strip() if urls else ""
    name = metadata.get("malware_family", "").replace("_", " ") or _unquoted(first.get("msg", ""))
    return Said(
        name if options.names else "",
        options.classes.get(classtype) or _CLASSES.get(classtype),
        reference=link if not link or "://" in link else f"https://{link}",
        first_seen=seen,
    )


FORMAT = Format(read, "Suricata and Snort rules", RuleOptions, suffixes=frozenset({".rules"}))
