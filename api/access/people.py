"""Users and keys, as they are kept."""

from collections.abc import Iterable
from dataclasses import dataclass

from api.access.principal import SCOPES, Principal, Role, Scope
from trailhound import canonical
from trailhound.errors import AccessError, TrailError

MAX_NAME = 64
MAX_NETWORKS = 100


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who logs in. Times are seconds since the epoch. Without networks they see everything."""

    name: str
    role: Role
    networks: tuple[str, ...] = ()
    sees_custom: bool = True
    created: int = 0
    changed: int = 0

    @property
    def principal(self) -> Principal:
        return Principal(self.name, "user", SCOPES[self.role], self.networks, self.sees_custom)


@dataclass(frozen=True, slots=True)
class Key:
    """What a program shows instead of logging in. `id` is its public beginning."""

    id: str
    name: str
    scopes: frozenset[Scope]
    networks: tuple[str, ...] = ()
    sees_custom: bool = True
    created: int = 0
    expires: int | None = None
    used: int | None = None
    creator: str = ""

    @property
    def principal(self) -> Principal:
        return Principal(self.name, "key", self.scopes, self.networks, self.sees_custom)


def read_name(name: str) -> str:
    """Refuse a name that would be hard to read, or could be taken for something else in a log."""
    if not 0 < len(name) <= MAX_NAME or not name.isascii() or not all(c.isalnum() or c in "._@+-" for c in name):
        raise AccessError(
            f"the name {name[:MAX_NAME]!r}: 1 to {MAX_NAME} letters, digits and `.`, `_`, `@`, `+`, `-` were expected"
        )
    return name


def read_networks(networks: Iterable[str]) -> tuple[str, ...]:
    """Give networks in their canonical form."""
    found = []
    for network in networks:
        try:
            found.append(canonical.network(network.strip()).value)
        except TrailError as error:
            raise AccessError(f"{network[:64]!r} is not a network such as 192.0.2.0/24") from error
    if len(found) > MAX_NETWORKS:
        raise AccessError(f"{MAX_NETWORKS} networks at most were expected, not {len(found)}")
    return tuple(dict.fromkeys(found))
