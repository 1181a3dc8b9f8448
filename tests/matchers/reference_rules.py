"""Maltrail's rules, one row each, and what becomes of them here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MALWARE = "malware/family.txt"
SHA1, SHA256, JA3 = "a1" * 20, "b2" * 32, "c3" * 16
JA4 = "t13d1516h2_8daaf6152771_b186095e22b6"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with an example that is run.

    `trails` are lines of list files by their path in Maltrail's tree. `rows` are records of `log` in Zeek's words.
    `also` is what else the first event says.
    """

    about: str
    maltrail: str
    here: str
    trails: Mapping[str, str] | str
    log: str
    rows: Sequence[Mapping[str, Any]]
    meets: Sequence[str]
    allowed: str = ""
    also: Mapping[str, Any] = field(default_factory=dict)


def _rule(
    about: str, maltrail: str, here: str, trails: Mapping[str, str] | str, seen: str, *meets: str, **more: Any
) -> Rule:
    """Make a rule; `seen` is a record as `log field=value ...`, with `_` in a value of `proxied` for a space."""
    log, *cells = seen.split(" ")
    row = dict(map(_cell, cells))
    return Rule(about, maltrail, here, trails, log, [row] * more.pop("times", 1), meets, **more)


def _cell(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if name == "proxied":
        return name, [value.replace("_", " ")]
    if name == "answers":
        return name, value.split(",")
    return name, int(value) if name.endswith("_p") else value


RULES: Sequence[Rule] = (
    _rule("keys", "A name stands for itself and all below it", "same", "evil.example",
          "dns query=a.b.evil.example", "evil.example"),
    _rule("keys", "A key without a dot is a top-level domain", "same", ".badtld", "dns query=x.badtld", "badtld"),
    _rule("keys", "An address is looked for in both ends of a connection", "same", "203.0.113.5",
          "conn id.resp_h=203.0.113.5", "203.0.113.5"),
    _rule("keys", "Address and port are asked for before the address", "same", "203.0.113.5:8443\n203.0.113.5",
          "conn id.resp_h=203.0.113.5 id.resp_p=8443", "203.0.113.5:8443"),
    _rule("keys", "Address and port: TCP and DNS only", "better: any transport", "203.0.113.5:4444",
          "conn proto=udp id.resp_h=203.0.113.5 id.resp_p=4444", "203.0.113.5:4444"),
    _rule("keys", "Another port of an address is not that key", "same", "203.0.113.5:8443",
          "conn id.resp_h=203.0.113.5 id.resp_p=443"),
    _rule("keys", "A host with a slash is HTTP to that host", "same", "http://evil.example",
          "http host=evil.example uri=/x", "evil.example/"),
    _rule("keys", "A host with a slash is not met outside of HTTP", "better: on TLS too, with half the confidence",
          "http://evil.example", "ssl server_name=evil.example", "evil.example/"),
    _rule("keys", "Host and path are a URL", "same", "evil.example/bad", "http host=evil.example uri=/bad?x=1",
          "evil.example/bad"),
    _rule("keys", "A path alone is met on any host", "same", "/gate1.php", "http host=a.test uri=/gate1.php",
          "/gate1.php"),
    _rule("keys", "40 digits are the SHA-1 of a certificate", "same; of TLS by Suricata's `fingerprint`", SHA1,
          f"ssl fingerprint={SHA1}", SHA1),
    _rule("keys", "32 digits are a JA3", "same", JA3, f"ssl ja3={JA3}", JA3),
    _rule("keys", "A JA4 is one", "same", JA4, f"ssl ja4={JA4}", JA4),
    _rule("keys", "A network is a key that nothing meets", "better: networks of both families, the narrowest first",
          "198.51.100.0/24", "conn id.resp_h=198.51.100.77", "198.51.100.0/24"),
    _rule("keys", "IPv6 only in Maltrail's own spelling", "better: one spelling (RFC 5952) on both sides",
          "2001:0db8:0:0::5", "conn id.resp_h=2001:DB8::0:5", "2001:db8::5"),
    _rule("keys", "User agents are patterns in a file of their own", "same, and they are trails like others",
          {"custom/agents.txt": "# trailhound: kind=user-agent-regex class=attacker\nevilbot/"},
          "http user_agent=EvilBot/1.0", "evilbot/"),
    _rule("keys", "Files have no keys", "better: MD5, SHA-1 and SHA-256 of files", SHA256, f"files sha256={SHA256}",
          SHA256),
    _rule("lists", "The file is the threat, the folder its class", "same, with a typed class", "evil.example",
          "dns query=evil.example", "evil.example", also={"info": "family", "class": "malware"}),
    _rule("lists", "A comment after a value is not part of it", "same", "evil.example  # seen in May",
          "dns query=evil.example", "evil.example"),
    _rule("lists", "`# Reference:` is only shown", "better: it is in the event",
          "# Reference: https://reports.test/1\nevil.example", "dns query=evil.example", "evil.example",
          also={"reference": "https://reports.test/1"}),
    _rule("lists", "A scheme is cut off", "same", "https://evil.example/a/b", "http host=evil.example uri=/a/b",
          "evil.example/a/b"),
    _rule("lists", "A slash at the end is cut off a path", "same, on both sides", "evil.example/a/b/",
          "http host=evil.example uri=/a/b", "evil.example/a/b"),
    _rule("lists", "`malware` wins over `suspicious`; of two families, whichever file came last",
          "better: the more telling class, then the surer source, whatever the order",
          {"malware/family.txt": "evil.example", "suspicious/domain.txt": "evil.example"},
          "dns query=evil.example", "evil.example", also={"info": "family", "class": "malware"}),
    _rule("lists", "Lists of one's own lose a slash at the end", "better: `host/` can be said there too",
          {"custom/own.txt": "evil.example/"}, "http host=evil.example uri=/x", "evil.example/"),
    _rule("lists", "Networks in lists of one's own: up to 1,024 addresses", "better: any size",
          {"custom/own.txt": "198.51.0.0/16"}, "conn id.resp_h=198.51.7.7", "198.51.0.0/16"),
    _rule("cleaning", "An address needs three lists", "better: one is enough; how many agree is confidence",
          {"feed.txt": "203.0.113.5"}, "conn id.resp_h=203.0.113.5", "203.0.113.5"),
    _rule("cleaning", "Keys become lower case and IDNA", "same", "BÜCHER.example",
          "dns query=xn--bcher-kva.example", "xn--bcher-kva.example"),
    _rule("cleaning", "Octets over 255 are dropped", "same; the refusal is shown", "203.0.113.500",
          "conn id.resp_h=203.0.113.50"),
    _rule("cleaning", "`www.` is cut off", "same", "www.evil.example", "dns query=evil.example", "evil.example"),
    _rule("cleaning", "The query of a URL is cut off", "better: it stays, for it tells good from bad",
          "evil.example/a?id=7", "http host=evil.example uri=/a?id=8"),
    _rule("cleaning", "The cut at `?` damages patterns", "better: a pattern is left whole",
          r"^evil[0-9]?x\.example$", "dns query=evilx.example", r"^evil[0-9]?x\.example$"),
    _rule("cleaning", "`//` becomes `/`", "same, on both sides", "evil.example/a//b",
          "http host=evil.example uri=//a///b", "evil.example/a/b"),
    _rule("cleaning", "Addresses at home are dropped", "same; all private, shared and local ones", "192.168.1.1",
          "conn id.resp_h=192.168.1.1"),
    _rule("wildcards", "A pattern is searched for in names of DNS", "same", r"dga[0-9]+\.evil\.example",
          "dns query=x.dga77.evil.example", r"dga[0-9]+\.evil\.example"),
    _rule("wildcards", "Patterns: DNS only", "better: names in TLS, QUIC and HTTP too", r"dga[0-9]+\.evil\.example",
          "ssl server_name=dga77.evil.example", r"dga[0-9]+\.evil\.example"),
    _rule("whitelist", "A listed name hides all at it and below", "better: not what is more exact than the entry",
          "evil.good.example", "dns query=evil.good.example", "evil.good.example", allowed="good.example"),
    _rule("whitelist", "A listed name is never met", "same", "good.example", "dns query=www.good.example",
          allowed="good.example"),
    _rule("whitelist", "Networks: IPv4 only", "better: both families", "2001:db8::5", "conn id.resp_h=2001:db8::5",
          allowed="2001:db8::/32"),
    _rule("whitelist", "A listed source or destination drops the event", "better: only trails for that address",
          "203.0.113.5", "conn id.orig_h=10.9.9.9 id.resp_h=203.0.113.5", "203.0.113.5", allowed="10.9.9.9"),
    _rule("names", "Lower case, port cut off", "same", "evil.example", "http host=EVIL.example:8080", "evil.example"),
    _rule("names", "A name that is an address is passed over", "same", "203.0.113.5", "dns query=203.0.113.5"),
    _rule("names", "Whole labels only", "same", "evil.example", "dns query=notevil.example"),
    _rule("names", "Not valid is not looked at", "same", "evil.example", "dns query=a!b.evil.example"),
    _rule("names", "The longest trail wins", "same", "evil.example\na.evil.example", "dns query=x.a.evil.example",
          "a.evil.example"),
    _rule("names", "A look-up site is seen through", "same", "evil.example",
          "dns query=evil.example.ip-adress.com", "evil.example"),
    _rule("names", "Name servers of suspicious names do not count", "same",
          {"suspicious/pua.txt": "evil.example"}, "dns query=ns1.evil.example"),
    _rule("names", "Nor does the site of a provider", "same",
          {"suspicious/dynamic_domain.txt": "dyn.example"}, "dns query=www.dyn.example"),
    _rule("names", "A name below a provider does", "same",
          {"suspicious/dynamic_domain.txt": "dyn.example"}, "dns query=mine.dyn.example", "dyn.example"),
    _rule("names", "A gateway to Tor is seen through", "same; of I2P too", "hidden.onion",
          "dns query=hidden.onion.ws", "hidden.onion"),
    _rule("dns", "UDP port 53 only", "better: any transport and port", "evil.example",
          "dns proto=tcp id.resp_p=5353 query=evil.example", "evil.example"),
    _rule("dns", "AAAA is passed over, for A is asked too", "better: every type; a client may ask for AAAA alone",
          "evil.example", "dns qtype_name=AAAA query=evil.example", "evil.example"),
    _rule("dns", "Names under `home`, `lan` and the like are passed over", "same, in all logs, and as set",
          "evil.home", "dns query=www.evil.home"),
    _rule("dns", "Names under `test` and `example` are passed over", "better: a trail there is meant",
          "evil.test", "dns query=evil.test", "evil.test"),
    _rule("dns", "The resolver may be a trail", "same", "203.0.113.5",
          "dns id.resp_h=203.0.113.5 query=good.example", "203.0.113.5"),
    _rule("dns", "Of answers the first A; only sinkholes and parking", "better: every answer, of every class",
          "203.0.113.5", "dns query=good.example answers=192.0.2.9,203.0.113.5", "203.0.113.5"),
    _rule("dns", "CNAMEs are not looked at", "better: they are", "evil.example",
          "dns query=good.example answers=a.evil.example", "evil.example"),
    _rule("dns", "Answers to a whitelisted name do not count", "same", "203.0.113.5",
          "dns query=good.example answers=203.0.113.5", allowed="good.example"),
    _rule("addresses", "Each SYN is looked at", "better: a connection is one, answered or not told apart",
          "203.0.113.5", "conn id.resp_h=203.0.113.5 conn_state=S0", "203.0.113.5", also={"answered": False}),
    _rule("addresses", "To call an attacker is noise", "same; scanners and spammers too",
          {"mass_scanner.txt": "203.0.113.5"}, "conn id.resp_h=203.0.113.5"),
    _rule("addresses", "To be called by one is not", "same",
          {"mass_scanner.txt": "203.0.113.5"}, "conn id.orig_h=203.0.113.5 id.resp_h=10.0.0.9", "203.0.113.5"),
    _rule("addresses", "Malware does not call", "same", "203.0.113.5",
          "conn id.orig_h=203.0.113.5 id.resp_h=10.0.0.9"),
    _rule("addresses", "A parked address counts on 80 and 443 only", "same",
          {"suspicious/parking_site.txt": "203.0.113.5"}, "conn id.resp_h=203.0.113.5 id.resp_p=25"),
    _rule("addresses", "The source counts only when the destination is no trail", "same",
          {"malware/family.txt": "203.0.113.5", "mass_scanner.txt": "203.0.113.9"},
          "conn id.orig_h=203.0.113.9 id.resp_h=203.0.113.5", "203.0.113.5"),
    _rule("addresses", "ICMP: echo requests only", "better: whatever the log has", "203.0.113.5",
          "conn proto=icmp id.resp_h=203.0.113.5", "203.0.113.5"),
    _rule("requests", "Seven pieces of the path, the longest first", "same", "/a/b/c1.php\n/c1.php",
          "http host=a.test uri=/a/b/c1.php?x=1", "/a/b/c1.php"),
    _rule("requests", "The path up to the first `=`", "same", "/gate.php?cmd=", "http uri=/gate.php?cmd=run&x=1",
          "/gate.php?cmd="),
    _rule("requests", "The path with all values taken out", "same", "/tasks?a=&b=", "http uri=/tasks?a=1&b=2",
          "/tasks?a=&b="),
    _rule("requests", "The last segment", "same", "/c1gate.php", "http uri=/x/y/c1gate.php", "/c1gate.php"),
    _rule("requests", "The folder around it", "same", "/panel7/admin", "http uri=/panel7/admin/login.php",
          "/panel7/admin"),
    _rule("requests", "Of a path and the same with its host, the path", "better: the one that says more",
          "evil.example/a/gate7\n/a/gate7", "http host=evil.example uri=/a/gate7", "evil.example/a/gate7"),
    _rule("requests", "A longer name is not the path", "same", "evil.example/a/gate",
          "http host=evil.example uri=/a/gates"),
    _rule("requests", "Without a Host the destination is the host", "same", "203.0.113.5/gate",
          "http id.resp_h=203.0.113.5 uri=/gate", "203.0.113.5/gate"),
    _rule("requests", "Port 80 is left out", "same", "evil.example/a", "http host=evil.example:80 uri=/a",
          "evil.example/a"),
    _rule("requests", "The name in Host is looked at on demand", "better: always; the event says that it was HTTP",
          "evil.example", "http host=www.evil.example", "evil.example"),
    _rule("requests", "What a proxy is asked for counts by its name", "better: by its whole URL",
          "evil.example/a/b", "http host=proxy.test uri=http://evil.example/a/b", "evil.example/a/b"),
    _rule("requests", "CONNECT counts for its target", "same", "evil.example",
          "http method=CONNECT uri=evil.example:443", "evil.example"),
    _rule("requests", "A whitelisted host ends it", "better: not for trails that are more exact",
          "evil.good.example/a", "http host=evil.good.example uri=/a", "evil.good.example/a", allowed="good.example"),
    _rule("requests", "Forwarding headers: joined to the source as text", "better: each is an address of its own",
          {"mass_scanner.txt": "203.0.113.5"},
          "http id.orig_h=203.0.113.77 id.resp_h=10.0.0.9 proxied=X-FORWARDED-FOR_->_203.0.113.5",
          "203.0.113.5"),
    _rule("requests", "The referrer is not looked at", "better: its host is", "evil.example",
          "http host=good.test referrer=http://www.evil.example/x", "evil.example"),
    _rule("encrypted", "Names in TLS: off, IPv4 only", "better: always", "evil.example",
          "ssl id.resp_h=2001:db8::9 server_name=www.evil.example", "evil.example"),
    _rule("encrypted", "Names in QUIC: off", "better: always", "evil.example", "quic server_name=www.evil.example",
          "evil.example"),
    _rule("encrypted", "Certificates: their SHA-1 only", "better: the name in them too", "evil.example",
          "ssl subject=CN=www.evil.example", "evil.example"),
    _rule("direction", "Home: four IPv4 networks", "better: private, shared and local ones, or as set", "203.0.113.5",
          "conn id.orig_h=100.64.0.7 id.resp_h=203.0.113.5", "203.0.113.5", also={"direction": "outbound"}),
    _rule("counts", "Three a minute, then a summary", "better: one event with a true count", "203.0.113.5",
          "conn id.resp_h=203.0.113.5", "203.0.113.5", times=50, also={"count": 50}),
    _rule("counts", "Condensed fields hold lists of values", "better: one value a field", "203.0.113.5",
          "conn id.resp_h=203.0.113.5 id.resp_p=8443", "203.0.113.5", also={"destination_port": 8443}),
)  # fmt: skip
