"""Who calls, as far as it is known when a request arrives."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from api.access.principal import Principal, Scope


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in of one user. `id` is public, `csrf` is what forms and scripts of the console send back."""

    id: str
    user: str
    csrf: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request. `problem` says what is wrong with credentials that are not good.

    `shows_key` tells whether they were a key.

    `address` is canonical. `is_relayed`: a proxy that is not trusted says that it passes the request on, so the address
    is the proxy's.
    """

    address: str | None
    principal: Principal | None = None
    session: Session | None = None
    problem: str = ""
    is_relayed: bool = False
    shows_key: bool = False

    def by_network(self, scope: Scope) -> "Caller":
        """Give the caller as one who is let in for their address."""
        return replace(self, principal=Principal(self.address or "", "network", frozenset({scope}), sees_custom=False))


def caller_of(scope: Mapping[str, Any]) -> Caller:
    """Give who sent the request of an ASGI scope; nobody, should nothing have looked."""
    found = scope.get("state", {}).get("caller")
    return found if isinstance(found, Caller) else Caller(None)
