"""The world of the sample: two small offices, what their people use, and who knocks from outside.

Every name that is not a well-known public host ends in .example or .test. Detections are limited to what the starter
trails hold and to what heuristics find.
"""

from dataclasses import dataclass

START = 1_767_600_000.0
"""When the sample begins, in seconds since the epoch; a replay moves it to now."""
LENGTH = 480.0
"""How long the sample is, in seconds."""


@dataclass(frozen=True, slots=True)
class Site:
    """One office behind one sensor. `visits` is how many web pages its people open."""

    sensor: str
    seed: int
    lan: str
    visits: int
    knocks: int

    def host(self, number: int) -> str:
        return f"{self.lan}.{number}"

    @property
    def resolver(self) -> str:
        return self.host(1)

    @property
    def web_server(self) -> str:
        return self.host(80)

    @property
    def mail_server(self) -> str:
        return self.host(25)

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(self.host(number) for number in range(101, 119))


ZEEK_SITE = Site("zeek-demo", 20_260_105, "192.168.10", visits=235, knocks=140)
SURICATA_SITE = Site("suricata-demo", 20_260_106, "10.20.0", visits=56, knocks=66)
# A few visits for the tests, of which only the first minute is used.
FIXTURE_SITE = Site("suricata-fixture", 20_260_202, "10.30.0", visits=24, knocks=24)
FIXTURE_LENGTH = 55.0

PUBLIC_RESOLVER = "9.9.9.9"
TIME_SERVERS = ("162.159.200.1", "162.159.200.123")

# Host -> address. Invented names stand at addresses of large content networks.
PAGES = {
    "www.wikipedia.org": "185.15.59.224",
    "github.com": "140.82.121.4",
    "www.debian.org": "130.89.148.77",
    "pypi.org": "151.101.64.223",
    "docs.python.org": "151.101.128.223",
    "www.openstreetmap.org": "184.104.179.143",
    "duckduckgo.com": "52.142.124.215",
    "news.northwind-post.example": "104.18.24.17",
    "intranet.blue-heron.example": "104.18.25.91",
    "shop.paper-and-ink.example": "151.101.1.57",
    "mail.blue-heron.example": "104.18.26.120",
    "crm.fjord-sales.example": "151.101.65.91",
    "video.lantern.example": "104.18.27.33",
    "wiki.tinkerers.test": "151.101.129.44",
    "travel.seven-bridges.example": "104.18.28.201",
    "bank.harbour-trust.example": "151.101.193.12",
}
EXTRAS = {
    "fonts.googleapis.com": "142.250.185.74",
    "fonts.gstatic.com": "142.250.185.99",
    "upload.wikimedia.org": "185.15.59.240",
    "avatars.githubusercontent.com": "185.199.108.133",
    "files.pythonhosted.org": "151.101.0.223",
    "static.northwind-post.example": "104.18.24.18",
    "img.paper-and-ink.example": "151.101.1.58",
    "metrics.lantern.example": "104.18.27.34",
    "cdn.tinkerers.test": "151.101.129.45",
}
# Plain HTTP still carries updates and checks for captive portals.
PLAIN = (
    ("deb.debian.org", "151.101.2.132", "/debian/dists/bookworm/InRelease", "Debian APT-HTTP/1.3 (2.6.1)"),
    ("connectivity.blue-heron.example", "104.18.25.92", "/generate_204", "Mozilla/5.0 (X11; Linux x86_64)"),
    ("printer-updates.paper-and-ink.example", "151.101.1.59", "/firmware/index.json", "PrinterAgent/4.2"),
    ("feeds.northwind-post.example", "104.18.24.19", "/rss/world.xml", "FeedReader/2.1"),
)
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
)

# Name -> address of what a starter trail speaks of; met by name, so the addresses are those of large networks.
DYNAMIC_DNS = {"home-camera.duckdns.org": "104.18.29.61", "office-nas.ddns.net": "151.101.3.77"}
ADDRESS_CHECKS = {"api.ipify.org": "104.26.12.205", "ifconfig.me": "34.160.111.145"}
ONION_GATEWAY = {"quietmarketmirror7x.onion.ws": "104.18.30.12"}
TEST_DOMAIN = {"trailhound-test.example": "104.18.31.5", "www.trailhound-test.example": "104.18.31.6"}
SINKHOLES = ("148.81.111.111", "199.2.137.20")
# Published scanners: Censys (two ranges) and Shodan.
CENSYS = ("162.142.125.11", "162.142.125.86", "162.142.125.213", "167.94.138.44", "167.94.138.127")
SHODAN = "71.6.135.131"
# Of large hosters; nothing is known of them, only what they do gives them away.
ATTACKERS = {
    "sqlmap": ("157.230.14.77", "sqlmap/1.7"),
    "masscan": ("64.227.90.18", "masscan/1.3"),
    "nikto": ("138.68.155.201", "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:000029)"),
}
