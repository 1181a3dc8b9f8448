"""The plot: who does what and when. The same site always gives the same sessions."""

import base64
import random
from collections.abc import Iterator
from itertools import count

from deploy.sample import people
from deploy.sample.people import Site
from deploy.sample.sessions import Answer, Attempt, Ends, Fetch, Handshake, Lookup, Quic, Session, Talk

# The EICAR test file, not written out, so that no virus scanner takes this file for it.
_EICAR = base64.b64decode(
    "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo="
)
_ATTACKS = (
    ("GET", "/item.php?id=7%20UNION%20ALL%20SELECT%20user,password%20FROM%20accounts--%20-"),
    ("GET", "/item.php?id=7'%20AND%201=1--%20-"),
    ("GET", "/download?file=../../../../etc/passwd"),
    ("GET", "/search?q=%3Cscript%3Ealert(1)%3C/script%3E"),
    ("GET", "/cgi-bin/test.cgi"),
    ("GET", "/.env"),
    ("GET", "/.git/config"),
    ("GET", "/wp-login.php"),
    ("POST", "/admin/login"),
    ("GET", "/phpmyadmin/index.php"),
)
_KNOCKED = (22, 23, 80, 443, 445, 1433, 2222, 3306, 3389, 5432, 5900, 6379, 8080, 8443, 9200, 27017)
_SWEPT = (
    *_KNOCKED,
    21,
    25,
    53,
    110,
    111,
    135,
    139,
    143,
    161,
    389,
    636,
    993,
    995,
    1521,
    1723,
    2049,
    5060,
    5601,
    7001,
    8000,
)


class Plot:
    """Builds the sessions of one site; ports and identifiers run on as a real host's do."""

    def __init__(self, site: Site) -> None:
        self.site = site
        # A fixed seed on purpose: the sample must come out the same.
        self.random = random.Random(site.seed)  # noqa: S311
        self._ports = {host: count(self.random.randrange(33_000, 48_000)) for host in site.people}

    def ends(self, client: str, server: str, port: int) -> Ends:
        ports = self._ports.setdefault(client, count(self.random.randrange(33_000, 48_000)))
        return Ends(client, next(ports), server, port)

    def person(self) -> str:
        return self.random.choice(self.site.people)

    def resolver(self, client: str) -> str:
        """Give the resolver of a host: every third of them asks outside."""
        return people.PUBLIC_RESOLVER if int(client.rpartition(".")[2]) % 3 == 0 else self.site.resolver

    def lookup(self, at: float, client: str, name: str, address: str | None) -> Iterator[Session]:
        """Ask for the IPv4 address of a name; None stands for a name that does not exist."""
        answers = (Answer("A", address, self.random.choice((60, 300, 3600))),) if address else ()
        if address and name.startswith(("static.", "img.", "metrics.", "cdn.")):
            canonical = f"{name.partition('.')[0]}.edge-cache.example"
            answers = (Answer("CNAME", canonical, 1800), *answers)
        seconds = self.random.uniform(0.001, 0.03)
        ends = self.ends(client, self.resolver(client), 53)
        number = self.random.randrange(65_536)
        yield Lookup(at, ends, number, name, "A", answers, 0 if address else 3, seconds)
        if address and self.random.random() < 0.3:
            yield Lookup(at + 0.001, self.ends(client, ends.server, 53), number ^ 1, name, "AAAA", (), 0, seconds)

    def visit(self, at: float, client: str, name: str, address: str, *, version: str = "1.3") -> Iterator[Session]:
        """Look a name up and talk TLS (or QUIC, now and then) to it."""
        rng = self.random
        yield from self.lookup(at, client, name, address)
        at += rng.uniform(0.035, 0.08)
        sent, received, seconds = rng.randrange(600, 4000), rng.randrange(2_000, 28_000), rng.uniform(0.2, 8)
        ends = self.ends(client, address, 443)
        if version == "1.3" and rng.random() < 0.12:
            yield Quic(at, ends, name, sent, received, seconds)
        else:
            yield Handshake(at, ends, name, "1.3" if version == "1.3" else "1.2", "h2", sent, received, seconds)

    def fetch(self, at: float, ends: Ends, host: str, uri: str, user_agent: str, **changes: object) -> Fetch:
        """Make a plain request; what is not given is a small page that is found."""
        page = f"<!doctype html><title>{host}</title>".encode() + b"<p>Sample page.</p>" * self.random.randrange(5, 90)
        values: dict[str, object] = {
            "method": "GET",
            "status": 200,
            "reason": "OK",
            "content_type": "text/html",
            "body": page,
            "seconds": self.random.uniform(0.03, 0.6),
        }
        return Fetch(at=at, ends=ends, host=host, uri=uri, user_agent=user_agent, **(values | changes))  # type: ignore[arg-type]


def sessions(site: Site) -> list[Session]:
    """Give all sessions of a site, in the order in which they begin."""
    plot = Plot(site)
    stories = (_browsing, _office, _plain_http, _policy, _infected, _knocking, _web_attacks)
    found = [session for story in stories for session in story(plot)]
    return sorted((session for session in found if session.at < people.LENGTH), key=lambda session: session.at)


def _browsing(plot: Plot) -> Iterator[Session]:
    rng = plot.random
    for _ in range(plot.site.visits):
        at, client = rng.uniform(0, people.LENGTH - 15), plot.person()
        name = rng.choice(list(people.PAGES))
        version = "1.2" if name.endswith((".example", ".test")) and rng.random() < 0.5 else "1.3"
        yield from plot.visit(at, client, name, people.PAGES[name], version=version)
        for extra in rng.sample(list(people.EXTRAS), rng.randrange(3)):
            yield from plot.visit(at + rng.uniform(0.2, 1.5), client, extra, people.EXTRAS[extra])


def _office(plot: Plot) -> Iterator[Session]:
    """Let the office hum: clocks, printer, file server, administration, a mistyped name."""
    rng, site = plot.random, plot.site
    for client in site.people:
        ends = plot.ends(client, rng.choice(people.TIME_SERVERS), 123)
        yield Talk(rng.uniform(0, people.LENGTH), ends, "udp", "ntp", 48, 48, 0.02)
        ends = plot.ends(client, site.host(12), 445)
        yield Talk(
            rng.uniform(0, 300), ends, "tcp", "smb", rng.randrange(2_000, 9_000), rng.randrange(4_000, 20_000), 9.0
        )
    for _ in range(8):
        ends = plot.ends(plot.person(), site.host(9), 9100)
        yield Talk(rng.uniform(0, people.LENGTH), ends, "tcp", None, rng.randrange(8_000, 20_000), 120, 2.5)
    yield Talk(30, plot.ends(site.host(105), site.web_server, 22), "tcp", "ssh", 6_200, 9_800, 210.0)
    for name in ("printer-2.blue-heron.example", "wpad.blue-heron.example", "old-share.blue-heron.example"):
        yield from plot.lookup(rng.uniform(0, people.LENGTH), plot.person(), name, None)


def _plain_http(plot: Plot) -> Iterator[Session]:
    rng = plot.random
    for _ in range(max(12, plot.site.visits // 4)):
        at, client = rng.uniform(0, people.LENGTH - 5), plot.person()
        host, address, uri, user_agent = rng.choice(people.PLAIN)
        yield from plot.lookup(at, client, host, address)
        ends = plot.ends(client, address, 80)
        if uri == "/generate_204":
            yield plot.fetch(at + 0.05, ends, host, uri, user_agent, status=204, reason="No Content", body=b"")
        else:
            yield plot.fetch(at + 0.05, ends, host, uri, user_agent, content_type="text/plain")


def _policy(plot: Plot) -> Iterator[Session]:
    """Let people do what a starter trail frowns at: dynamic DNS, address checks, an onion gateway, the test names."""
    site = plot.site
    camera, nas = people.DYNAMIC_DNS.items()
    for at in (6.0, 130.0, 255.0, 401.0):
        yield from plot.visit(at, site.host(103), *camera, version="1.2")
    for at in (48.0, 290.0):
        yield from plot.visit(at, site.host(111), *nas, version="1.2")
    for at in (20.0, 200.0, 380.0):
        yield from plot.visit(
            at, site.host(107), "api.ipify.org", people.ADDRESS_CHECKS["api.ipify.org"], version="1.2"
        )
    for at in (35.0, 340.0):
        address = people.ADDRESS_CHECKS["ifconfig.me"]
        yield from plot.lookup(at, site.host(114), "ifconfig.me", address)
        ends = plot.ends(site.host(114), address, 80)
        yield plot.fetch(
            at + 0.04, ends, "ifconfig.me", "/ip", "curl/8.5.0", content_type="text/plain", body=b"198.51.100.24\n"
        )
    for at in (52.0, 233.0):
        for name, address in people.ONION_GATEWAY.items():
            yield from plot.visit(at, site.host(116), name, address, version="1.2")
    for at in (3.0, 95.0, 310.0):
        for name, address in people.TEST_DOMAIN.items():
            yield from plot.visit(at, site.host(109), name, address, version="1.2")


def _infected(plot: Plot) -> Iterator[Session]:
    """Let one host fetch the EICAR file, call sinkholes and look for names that do not exist."""
    rng, client = plot.random, plot.site.host(117)
    host, address = "downloads.tinkerers.test", "151.101.129.46"
    for at in (24.0, 350.0):
        yield from plot.lookup(at, client, host, address)
        ends = plot.ends(client, address, 80)
        yield plot.fetch(
            at + 0.06, ends, host, "/tools/eicar.com", people.BROWSERS[0],
            content_type="application/octet-stream", body=_EICAR, filename="eicar.com",
        )  # fmt: skip
    for number, sinkhole in enumerate(people.SINKHOLES):
        for at in (41.0 + 9 * number, 180.0 + 50 * number):
            if number == 1:
                yield Attempt(at, plot.ends(client, sinkhole, 443), "S0")
            else:
                ends = plot.ends(client, sinkhole, 80)
                yield plot.fetch(
                    at, ends, sinkhole, "/gate.php", "Mozilla/4.0 (compatible)", status=404, reason="Not Found"
                )
    for step in range(45):
        made_up = "".join(rng.choices("bcdfghjklmnpqrstvwxyz", k=rng.randrange(11, 17)))
        yield from plot.lookup(150 + step * 0.4, client, f"{made_up}.example", None)


def _knocking(plot: Plot) -> Iterator[Session]:
    """Let scanners knock at the servers that can be reached from outside; some of what they try is open."""
    rng, site = plot.random, plot.site
    targets = (site.web_server, site.mail_server)
    for _ in range(site.knocks):
        at, source, target = rng.uniform(0, people.LENGTH), rng.choice(people.CENSYS), rng.choice(targets)
        port = rng.choice(_KNOCKED)
        ends = plot.ends(source, target, port)
        if target == site.web_server and port == 80:
            agent = "Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)"
            yield plot.fetch(at, ends, "www.blue-heron.example", "/", agent)
        elif target == site.web_server and port == 443:
            yield Handshake(at, ends, "www.blue-heron.example", "1.2", "http/1.1", 300, 1_200, 0.4)
        else:
            yield Attempt(at, ends, rng.choice(("S0", "S0", "REJ")))
    for step, port in enumerate(_SWEPT):
        yield Attempt(64 + step * 0.7, plot.ends(people.SHODAN, site.mail_server, port), "REJ")
        if step % 3 == 0:
            yield Attempt(12 + step * 11.0, plot.ends(people.SHODAN, site.web_server, port), "S0")


def _web_attacks(plot: Plot) -> Iterator[Session]:
    rng, site = plot.random, plot.site
    starts = {"sqlmap": 14.0, "masscan": 30.0, "nikto": 205.0}
    for tool, (source, user_agent) in people.ATTACKERS.items():
        uris = (("GET", "/"),) if tool == "masscan" else _ATTACKS
        for step, (method, uri) in enumerate(uris * 2):
            at = starts[tool] + step * rng.uniform(0.6, 2.2)
            ends = plot.ends(source, site.web_server, 80)
            status, reason = rng.choice(((404, "Not Found"), (403, "Forbidden"), (200, "OK")))
            yield plot.fetch(
                at, ends, "www.blue-heron.example", uri, user_agent, method=method, status=status, reason=reason
            )
