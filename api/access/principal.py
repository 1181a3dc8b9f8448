"""Who asks, and what they may."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Scope(StrEnum):
    """What a route asks for."""

    READ = "read"
    TRIAGE = "triage"
    LISTS = "lists"
    ADMIN = "admin"


class Role(StrEnum):
    """What a user is."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    ADMIN = "admin"


ALL = frozenset(Scope)
SCOPES: Mapping[Role, frozenset[Scope]] = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.ANALYST: frozenset({Scope.READ, Scope.TRIAGE, Scope.LISTS}),
    Role.ADMIN: ALL,
}
Kind = Literal["user", "key", "open", "network"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody whose credentials are good. Without `networks` they see everything.

    A `network` principal has no credentials: its address lies in the networks that a block list is for.
    """

    name: str
    kind: Kind
    scopes: frozenset[Scope]
    networks: tuple[str, ...] = ()
    sees_custom: bool = True

    @property
    def is_restricted(self) -> bool:
        return bool(self.networks)


# Everybody, where `api.access` is `open`.
ANYBODY = Principal("anybody", "open", ALL)
