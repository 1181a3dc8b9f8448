"""Which trail a record meets, rule by rule."""

from collections.abc import Mapping, Sequence

import pytest

from tests.matchers.build import engine, meetings, met, record, trail
from trailhound.record import Value
from trailhound.severity import Direction
from trailhound.trail import TrailClass as Class
from trailhound.trail import TrailKind as Kind

SHA1 = "ab" * 20
SHA256 = "cd" * 32
MD5 = "ef" * 16
JA4 = "t13d1516h2_8daaf6152771_02713d6af862"
BASE: Sequence[tuple[Kind, str]] = (
    (Kind.DOMAIN, "evil.example"),
    (Kind.DOMAIN, "deep.evil.example"),
    (Kind.DOMAIN, "bücher.example"),
    (Kind.DOMAIN, "hidden.onion"),
    (Kind.DOMAIN, "onion.ws"),
    (Kind.TLD, "badtld"),
    (Kind.TLD, "evilname"),
    (Kind.WILDCARD, r"dga[0-9]+\.wild\.example"),
    (Kind.IPV4, "203.0.113.5"),
    (Kind.IPV6, "2001:db8::5"),
    (Kind.IP_PORT, "203.0.113.5:8443"),
    (Kind.IP_PORT, "203.0.113.6:8443"),
    (Kind.IP_PORT, "[2001:db8::6]:443"),
    (Kind.CIDR, "203.0.113.0/24"),
    (Kind.CIDR, "203.0.113.0/28"),
    (Kind.CIDR, "2001:db8:1::/48"),
    (Kind.URL, "site.example/bad/path"),
    (Kind.URL, "site.example/q.php?a=1"),
    (Kind.URL, "site.example:8080/bad"),
    (Kind.URL, "203.0.113.200/x"),
    (Kind.HTTP_HOST, "hosted.example/"),
    (Kind.PATH, "/gate.php"),
    (Kind.PATH, "/panel/login?user="),
    (Kind.PATH, "/tasks?a=&b="),
    (Kind.PATH, "/dir/sub"),
    (Kind.USER_AGENT, "Evil Agent 1.0"),
    (Kind.USER_AGENT_REGEX, r"sqlmap/[0-9]"),
    (Kind.CERT_SHA1, SHA1),
    (Kind.CERT_SHA256, SHA256),
    (Kind.JA3, MD5),
    (Kind.JA3S, "12" * 16),
    (Kind.JA4, JA4),
    (Kind.FILE_MD5, "34" * 16),
    (Kind.FILE_SHA1, "56" * 20),
    (Kind.FILE_SHA256, "78" * 32),
)
MACHINE = engine(trail(kind, text) for kind, text in BASE)
Case = tuple[str, Mapping[str, Value], Sequence[str]]

NAMES: Sequence[tuple[str, Sequence[str]]] = [
    ("evil.example", ["evil.example"]),
    ("EVIL.Example.", ["evil.example"]),
    ("www.evil.example", ["evil.example"]),
    ("a.b.c.d.e.evil.example", ["evil.example"]),
    ("x.deep.evil.example", ["deep.evil.example"]),
    ("notevil.example", []),
    ("evil.example.org", []),
    ("example", []),
    ("bücher.example", ["xn--bcher-kva.example"]),
    ("_srv.xn--bcher-kva.example", ["xn--bcher-kva.example"]),
    ("еvil.example", []),  # noqa: RUF001 - a Cyrillic letter: another name
    ("anything.badtld", ["badtld"]),
    ("badtld", ["badtld"]),
    ("badtld.example", []),
    ("dga1234.wild.example", ["dga[0-9]+\\.wild\\.example"]),
    ("sub.dga7.wild.example", ["dga[0-9]+\\.wild\\.example"]),
    ("dgax.wild.example", []),
    ("hidden.onion", ["hidden.onion"]),
    ("hidden.onion.to", ["hidden.onion"]),
    ("www.hidden.onion.ws", ["hidden.onion"]),
    ("other.onion.ws", ["onion.ws"]),
    ("evil.example.ip-adress.com", ["evil.example"]),
    ("evilname.ip-adress.com", ["evilname"]),
    ("ip-adress.com", []),
    ("", []),
    (".", []),
    ("a..evil.example", []),
    ("203.0.113.5", []),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_a_name_meets_the_longest_trail_above_it(name: str, expected: Sequence[str]) -> None:
    assert met(MACHINE, record("dns", {"query": name})) == list(expected)


ADDRESSES: Sequence[tuple[str, int, Sequence[str]]] = [
    ("203.0.113.5", 443, ["203.0.113.5"]),
    ("203.0.113.5", 8443, ["203.0.113.5:8443"]),
    ("203.0.113.6", 8443, ["203.0.113.6:8443"]),
    ("203.0.113.6", 443, ["203.0.113.0/28"]),
    ("203.0.113.15", 443, ["203.0.113.0/28"]),
    ("203.0.113.16", 443, ["203.0.113.0/24"]),
    ("203.0.114.0", 443, []),
    ("::ffff:203.0.113.5", 443, ["203.0.113.5"]),
    ("2001:db8::5", 1, ["2001:db8::5"]),
    ("2001:0DB8:0:0::5", 1, ["2001:db8::5"]),
    ("2001:db8::6", 443, ["[2001:db8::6]:443"]),
    ("2001:db8::6", 444, []),
    ("2001:db8:1:ffff::1", 1, ["2001:db8:1::/48"]),
    ("2001:db8:2::1", 1, []),
    ("not an address", 1, []),
]


@pytest.mark.parametrize(("address", "port", "expected"), ADDRESSES)
@pytest.mark.parametrize("side", ["orig", "resp"])
def test_an_address_meets_its_port_then_itself_then_the_narrowest_network(
    address: str, port: int, expected: Sequence[str], side: str
) -> None:
    fields: dict[str, Value] = {f"id.{side}_h": address, f"id.{side}_p": port}
    direction = Direction.OUTBOUND  # In which both ends count.
    assert met(MACHINE, record("conn", fields), direction) == list(expected)


URLS: Sequence[tuple[str, str, Sequence[str]]] = [
    ("site.example", "/bad/path", ["site.example/bad/path"]),
    ("SITE.example", "/Bad/Path/", ["site.example/bad/path"]),
    ("site.example:80", "/bad/path", ["site.example/bad/path"]),
    ("www.site.example", "/bad/path", ["site.example/bad/path"]),
    ("site.example", "//bad//path", ["site.example/bad/path"]),
    ("site.example", "/b%61d/path", ["site.example/bad/path"]),
    ("site.example", "/bad/path?x=1", ["site.example/bad/path"]),
    ("site.example", "/bad/path/below", ["site.example/bad/path"]),
    ("site.example", "/bad/path/two/below", []),
    ("site.example", "/bad/pathology", []),
    ("site.example", "/bad", []),
    ("sub.site.example", "/bad/path", []),
    ("site.example", "/q.php?a=1", ["site.example/q.php?a=1"]),
    ("site.example", "/q.php?a=2", []),
    ("site.example:8080", "/bad", ["site.example:8080/bad"]),
    ("site.exampl", "e/bad/path", []),
    ("203.0.113.200", "/x", ["203.0.113.200/x"]),
    ("hosted.example", "/whatever?x=1", ["hosted.example/"]),
    ("hosted.example", "/", ["hosted.example/"]),
    ("www.hosted.example", "/", ["hosted.example/"]),
    ("sub.hosted.example", "/", []),
    ("any.example", "/gate.php", ["/gate.php"]),
    ("any.example", "/a/b/gate.php", ["/gate.php"]),
    ("any.example", "/a/gate.php?id=7", ["/gate.php"]),
    ("any.example", "/a/gate.php/b", []),
    ("any.example", "/mygate.php", []),
    ("any.example", "/panel/login?user=bob&x=1", ["/panel/login?user="]),
    ("any.example", "/tasks?a=7&b=8", ["/tasks?a=&b="]),
    ("any.example", "/in/tasks?a=7&b=8", ["/tasks?a=&b="]),
    ("any.example", "/dir/sub/file?x", ["/dir/sub"]),
    ("any.example", "", []),
]


@pytest.mark.parametrize(("host", "uri", "expected"), URLS)
def test_a_request_meets_what_says_most_of_it(host: str, uri: str, expected: Sequence[str]) -> None:
    away: dict[str, Value] = {"id.resp_h": "192.0.2.77", "id.resp_p": 80}
    assert met(MACHINE, record("http", {**away, "host": host, "uri": uri})) == list(expected)


OTHERS: Sequence[Case] = [
    ("dns", {"query": "fine.example", "answers": ["203.0.113.5"]}, ["203.0.113.5"]),
    ("dns", {"query": "fine.example", "answers": ["a.example", "192.0.2.9", "2001:db8::5"]}, ["2001:db8::5"]),
    ("dns", {"query": "fine.example", "answers": ["cdn.evil.example", "192.0.2.9"]}, ["evil.example"]),
    ("dns", {"query": "fine.example", "answers": ["TXT 30 v=spf1 include:evil.example"]}, []),
    ("dns", {"query": "evil.example", "answers": ["deep.evil.example"]}, ["evil.example", "deep.evil.example"]),
    ("http", {"host": "a.example", "user_agent": " evil agent 1.0 "}, ["evil agent 1.0"]),
    ("http", {"host": "a.example", "user_agent": "evil agent 1.0 beta"}, []),
    ("http", {"host": "a.example", "user_agent": "x SQLMAP/1.7"}, ["sqlmap/[0-9]"]),
    ("http", {"host": "a.example", "referrer": "https://u@www.evil.example:8443/x"}, ["evil.example"]),
    ("http", {"host": "a.example", "referrer": "http://203.0.113.5/"}, ["203.0.113.5"]),
    ("http", {"host": "a.example", "proxied": ["X-FORWARDED-FOR -> 192.0.2.1, 203.0.113.5"]}, ["203.0.113.5"]),
    ("http", {"host": "p.example", "uri": "http://evil.example/"}, ["evil.example"]),
    ("http", {"host": "p.example", "uri": "HTTP://hosted.example"}, ["hosted.example/"]),
    ("http", {"host": "p.example", "uri": "http://203.0.113.5/x"}, ["203.0.113.5"]),
    ("http", {"method": "CONNECT", "uri": "www.evil.example:443"}, ["evil.example"]),
    ("http", {"method": "CONNECT", "uri": "203.0.113.6:8443"}, ["203.0.113.6:8443"]),
    ("http", {"id.resp_h": "203.0.113.200", "uri": "/x"}, ["203.0.113.0/24", "203.0.113.200/x"]),
    ("ssl", {"server_name": "www.evil.example"}, ["evil.example"]),
    ("ssl", {"server_name": "hosted.example"}, ["hosted.example/"]),
    ("ssl", {"cert_chain_fps": ["00" * 32, SHA256]}, [SHA256]),
    ("ssl", {"fingerprint": ":".join(SHA1[i : i + 2] for i in range(0, 40, 2)).upper()}, [SHA1]),
    ("ssl", {"fingerprint": SHA1}, [SHA1]),
    ("ssl", {"ja3": MD5}, [MD5]),
    ("ssl", {"ja3s": MD5}, []),
    ("ssl", {"ja3s": "12" * 16}, ["12" * 16]),
    ("ssl", {"ja4": JA4}, [JA4]),
    ("ssl", {"subject": "CN=*.evil.example,O=x"}, ["evil.example"]),
    ("ssl", {"subject": "C=US, O=x, CN=evil.example"}, ["evil.example"]),
    ("ssl", {"subject": "O=evil.example"}, []),
    ("quic", {"server_name": "evil.example", "ja4": JA4}, ["evil.example", JA4]),
    ("x509", {"san.dns": ["*.evil.example", "fine.example"]}, ["evil.example"]),
    ("x509", {"fingerprint": SHA256, "certificate.subject": "CN=evil.example"}, [SHA256, "evil.example"]),
    ("files", {"md5": "34" * 16}, ["34" * 16]),
    ("files", {"sha1": "56" * 20}, ["56" * 20]),
    ("files", {"sha256": "78" * 32, "sha1": "56" * 20, "md5": "34" * 16}, ["78" * 32]),
    ("files", {"sha1": SHA1}, []),
    ("files", {"sha1": SHA1, "mime_type": "application/x-x509-user-cert"}, [SHA1]),
    ("files", {"sha1": "56" * 20, "mime_type": "application/x-x509-user-cert"}, []),
]


@pytest.mark.parametrize(("log", "fields", "expected"), OTHERS)
def test_a_record_meets_these_trails(log: str, fields: Mapping[str, Value], expected: Sequence[str]) -> None:
    assert met(MACHINE, record(log, fields)) == list(expected)


def test_a_forwarded_address_counts_for_every_class_that_calls() -> None:
    fields: dict[str, Value] = {"host": "a.example", "proxied": ["X-FORWARDED-FOR -> 192.0.2.1, 203.0.113.5:1234"]}
    for class_, expected in ((Class.ATTACKER, ["203.0.113.5"]), (Class.MALWARE, [])):
        machine = engine([trail(Kind.IPV4, "203.0.113.5", class_)])
        assert met(machine, record("http", fields), Direction.INBOUND) == expected


def test_a_host_trail_is_worth_half_on_tls() -> None:
    (on_tls,) = meetings(MACHINE, record("ssl", {"server_name": "hosted.example"}))
    (on_http,) = meetings(MACHINE, record("http", {"host": "hosted.example", "uri": "/"}))
    assert on_tls.trail.confidence * 2 == on_http.trail.confidence


ROLES: Mapping[str, Mapping[str, Value]] = {
    "source": {"id.orig_h": "203.0.113.5"},
    "destination": {"id.resp_h": "203.0.113.5", "id.resp_p": 80},
}
SILENT: Mapping[tuple[str, Direction], frozenset[Class]] = {
    ("destination", Direction.OUTBOUND): frozenset({Class.ATTACKER, Class.SCANNER, Class.SPAM}),
    ("source", Direction.INBOUND): frozenset({Class.MALWARE}),
    ("source", Direction.OUTBOUND): frozenset(),
}


@pytest.mark.parametrize("class_", Class)
@pytest.mark.parametrize(("role", "direction"), SILENT)
def test_an_address_counts_by_class_and_role(class_: Class, role: str, direction: Direction) -> None:
    machine = engine([trail(Kind.IPV4, "203.0.113.5", class_)])
    found = met(machine, record("conn", ROLES[role]), direction)
    assert bool(found) == (class_ not in SILENT[role, direction])


@pytest.mark.parametrize(("port", "counts"), [(80, True), (443, True), (25, False)])
def test_a_parked_address_counts_on_the_web_only(port: int, counts: bool) -> None:  # noqa: FBT001
    machine = engine([trail(Kind.IPV4, "203.0.113.5", Class.PARKED)])
    assert bool(met(machine, record("conn", {"id.resp_h": "203.0.113.5", "id.resp_p": port}))) == counts


def test_when_the_destination_is_met_the_source_is_not_looked_at() -> None:
    fields: dict[str, Value] = {"id.orig_h": "2001:db8::5", "id.resp_h": "203.0.113.5"}
    assert met(MACHINE, record("conn", fields)) == ["203.0.113.5"]


@pytest.mark.parametrize(
    ("name", "info", "class_", "counts"),
    [
        ("dyn.example", "dynamic domain", Class.POLICY, False),
        ("www.dyn.example", "dynamic domain", Class.POLICY, False),
        ("mine.dyn.example", "dynamic domain", Class.POLICY, True),
        ("dyn.example", "free web hosting", Class.POLICY, False),
        ("dyn.example", "emotet", Class.MALWARE, True),
        ("ns1.dyn.example", "sinkhole x", Class.SINKHOLE, False),
        ("ns1.dyn.example", "pua", Class.SUSPICIOUS, False),
        ("ns1.dyn.example", "emotet", Class.MALWARE, True),
        ("ns.dyn.example", "sinkhole x", Class.SINKHOLE, True),
        ("mx10.dyn.example", "sinkhole x", Class.SINKHOLE, False),
    ],
)
def test_a_provider_itself_and_name_servers_do_not_count(name: str, info: str, class_: Class, counts: bool) -> None:  # noqa: FBT001
    machine = engine([trail(Kind.DOMAIN, "dyn.example", class_, info)])
    assert bool(met(machine, record("dns", {"query": name}))) == counts


def test_a_skipped_trail_does_not_hide_the_one_above_it() -> None:
    machine = engine([trail(Kind.DOMAIN, "dyn.example", Class.POLICY, "dynamic domain"), trail(Kind.TLD, "example")])
    assert met(machine, record("dns", {"query": "dyn.example"})) == ["example"]


WHITELISTED: Sequence[tuple[str, str, Mapping[str, Value], Sequence[str]]] = [
    ("evil.example", "dns", {"query": "evil.example"}, []),
    ("evil.example", "dns", {"query": "www.evil.example"}, []),
    ("example", "dns", {"query": "evil.example"}, ["evil.example"]),
    ("evil.example", "dns", {"query": "deep.evil.example"}, ["deep.evil.example"]),
    ("www.evil.example", "dns", {"query": "www.evil.example"}, []),
    ("www.evil.example", "dns", {"query": "evil.example"}, ["evil.example"]),
    ("wild.example", "dns", {"query": "dga1.wild.example"}, []),
    ("fine.example", "dns", {"query": "fine.example", "answers": ["203.0.113.5", "evil.example"]}, []),
    ("203.0.113.5", "conn", {"id.resp_h": "203.0.113.5", "id.resp_p": 8443}, []),
    ("203.0.113.0/24", "conn", {"id.resp_h": "203.0.113.5"}, []),
    ("203.0.113.4", "conn", {"id.resp_h": "203.0.113.5"}, ["203.0.113.5"]),
    ("2001:db8::/32", "conn", {"id.resp_h": "2001:db8::5"}, []),
    ("site.example", "http", {"host": "site.example", "uri": "/gate.php"}, []),
    ("site.example", "http", {"host": "site.example", "uri": "/bad/path"}, ["site.example/bad/path"]),
    ("hosted.example", "http", {"host": "hosted.example", "uri": "/"}, []),
    ("hosted.example", "http", {"host": "www.hosted.example", "uri": "/"}, []),
    ("example", "http", {"host": "hosted.example", "uri": "/"}, ["hosted.example/"]),
    ("hosted.example", "ssl", {"server_name": "hosted.example"}, []),
    ("203.0.113.200", "http", {"host": "203.0.113.200", "uri": "/gate.php", "id.resp_h": "192.0.2.9"}, []),
    ("203.0.113.200", "http", {"host": "203.0.113.200", "uri": "/x"}, ["203.0.113.200/x"]),
]


@pytest.mark.parametrize(("entry", "log", "fields", "expected"), WHITELISTED)
def test_the_whitelist_hides_what_is_no_more_exact_than_its_entry(
    entry: str, log: str, fields: Mapping[str, Value], expected: Sequence[str]
) -> None:
    machine = engine([trail(kind, text) for kind, text in BASE], entry)
    assert met(machine, record(log, fields)) == list(expected)


def test_a_verdict_says_why_it_does_not_count() -> None:
    machine = engine([trail(Kind.DOMAIN, "evil.example")], "evil.example # ours\n")
    seen = record("dns", {"query": "evil.example"})
    (sighting, *_) = machine.observers["dns"].observe(seen)
    (verdict,) = machine.rules.verdicts(sighting)
    assert verdict.hidden == "whitelisted by evil.example (a test, line 1)"


def test_an_address_with_a_name_is_met_as_e_mail_has_it() -> None:
    from matchers.observer import Sight, Sighting

    machine = engine([trail(Kind.EMAIL, "Eve@Evil.example")])
    for text in ("eve@evil.example", "EVE@evil.example.", "Eve <eve@EVIL.example>", " <eve@evil.example> "):
        (verdict,) = machine.rules.verdicts(Sighting(Sight.EMAIL, text, "email.from.address"))
        assert verdict.trail.value == "eve@evil.example"
    assert not list(machine.rules.verdicts(Sighting(Sight.EMAIL, "bob@evil.example", "email.from.address")))
