"""Made-up traffic of an office network: few values are common and many are rare, as in real logs."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

NAMES = 20_000
CLIENTS = 2_000
SERVERS = 48_000
AGENTS = 300
PATHS = 5_000
MATCHES = 0.001  # Share of rows that hold a trail.
START = 1_767_225_600.0  # Seconds since the epoch.
RATE = 5_000  # Rows a second of the network's own time.
_SYLLABLES = ("ka", "lo", "mi", "ter", "sa", "ven", "du", "pro", "net", "ri", "cor", "el", "ba", "zo", "fin", "gu")
_SUFFIXES = ("com", "com", "com", "com", "net", "org", "de", "co.uk", "io")
_HOSTS = ("www", "api", "cdn", "static", "mail", "img", "login", "update", "events", "edge")


@dataclass(frozen=True, slots=True)
class Planted:
    """Values of trails that some rows hold."""

    names: Sequence[str]
    endpoints: Sequence[tuple[str, int]]
    urls: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Flow:
    """One connection and what was asked for in it. `time` is seconds since the epoch, `uid` a Zeek-like id."""

    time: float
    uid: str
    client: str
    client_port: int
    server: str
    server_port: int
    name: str
    answers: list[str]
    path: str
    agent: str
    number: int


class Traffic:
    """Draws flows; the same seed draws the same ones."""

    def __init__(self, planted: Planted, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._planted = planted
        self._names = [self._name() for _ in range(NAMES)]
        self._clients = [f"10.{place % 8}.{place // 8 % 250}.{place // 2000 + 10}" for place in range(CLIENTS)]
        self._servers = [self._server() for _ in range(SERVERS)]
        self._agents = [f"Mozilla/5.0 (X11; Linux x86_64; rv:{60 + place}.0) Gecko/{place}" for place in range(AGENTS)]
        self._paths = [
            f"/{self._word()}/{self._word()}.{suffix}" for suffix in ("js", "png") for _ in range(PATHS // 2)
        ]
        self._answers = {name: self._answer(place) for place, name in enumerate(self._names)}

    def flows(self, number: int) -> list[Flow]:
        draw = self._random
        names = _skewed(draw, self._names, number)
        clients = _skewed(draw, self._clients, number)
        servers = _skewed(draw, self._servers, number)
        agents = _skewed(draw, self._agents, number)
        return [
            self._flow(place, name, client, server, agent)
            for place, (name, client, server, agent) in enumerate(zip(names, clients, servers, agents, strict=True))
        ]

    def _flow(self, place: int, name: str, client: str, server: str, agent: str) -> Flow:
        draw = self._random
        port, path = draw.choice((443, 443, 443, 80, 53, 22)), self._path()
        answers = self._answers[name]
        if draw.random() < MATCHES:
            name = f"{draw.choice(_HOSTS)}.{draw.choice(self._planted.names)}"
            server, port = draw.choice(self._planted.endpoints)
            path = draw.choice(self._planted.urls)[1]
        return Flow(
            time=START + place / RATE,
            uid=f"C{draw.getrandbits(96):024x}",
            client=client,
            client_port=draw.randrange(1024, 65536),
            server=server,
            server_port=port,
            name=name,
            answers=answers,
            path=path,
            agent=agent,
            number=draw.getrandbits(16),
        )

    def _path(self) -> str:
        """Make a path: most URLs of real traffic are seen once, since they carry tokens and times."""
        draw = self._random
        path = self._paths[int(PATHS * draw.random() ** 3)]
        if draw.random() < 0.2:
            return path
        return f"{path}?id={draw.getrandbits(40):x}&t={draw.getrandbits(32)}&ref={draw.choice(_SYLLABLES)}"

    def _word(self) -> str:
        return "".join(self._random.choices(_SYLLABLES, k=self._random.randint(2, 4)))

    def _name(self) -> str:
        site = f"{self._word()}{self._random.randrange(1000)}.{self._random.choice(_SUFFIXES)}"
        return site if self._random.random() < 0.3 else f"{self._random.choice(_HOSTS)}.{site}"

    def _server(self) -> str:
        draw = self._random
        return f"{draw.randrange(20, 100)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(1, 255)}"

    def _answer(self, place: int) -> list[str]:
        addresses = [self._servers[(place * 7 + step) % SERVERS] for step in range(1 + place % 3)]
        return [f"edge{place}.cdn{place % 50}.net", *addresses] if place % 4 == 0 else addresses


def _skewed(draw: random.Random, values: Sequence[str], number: int) -> list[str]:
    """Draw by Zipf's law: the second value half as often as the first, and so on."""
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(values) + 1)))
    return draw.choices(values, cum_weights=weights, k=number)
