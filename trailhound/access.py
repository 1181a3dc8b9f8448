"""Settings of who may what over HTTP. They stand in the section `api`."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost", "ip6-loopback"})


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise ValueError(f"{text!r} is not an address or network such as 192.0.2.0/24") from error


def is_loopback(host: str) -> bool:
    """Tell whether an address, or a name of this host, is reachable from this host only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() in _LOOPBACK_NAMES


class Access(BaseModel):
    """Who may what: log-in, transport, proxies, limits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(
        default="127.0.0.1", description="Address to listen on. The default is reachable from this host only."
    )
    access: Literal["accounts", "open"] = Field(
        default="accounts",
        description="`accounts`: users log in, programs show a key. `open`: whoever reaches the address may everything;"
        " refused unless `api.host` is a loopback address.",
    )
    session_hours: float = Field(
        default=12, ge=0.1, le=720, description="How long a log-in lasts at most; then one has to log in again."
    )
    idle_minutes: float = Field(
        default=60, ge=1, le=43_200, description="A log-in that is not used for so long ends earlier."
    )
    tls_cert: Path | None = Field(
        default=None, description="Certificate chain (PEM) to serve HTTPS with; needs `tls_key`. Unset: plain HTTP."
    )
    tls_key: Path | None = Field(default=None, description="Private key (PEM) of `tls_cert`, without a password.")
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(),
        max_length=100,
        description="Addresses or networks of reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are"
        " believed. Those of all others are not.",
    )
    max_body_bytes: int = Field(
        default=1_048_576, ge=1024, le=67_108_864, description="A request with a larger body is refused (413)."
    )
    requests_per_minute: int = Field(
        default=3000,
        ge=0,
        le=1_000_000,
        description="How many requests one user or key, or one address without credentials, may make in the long run;"
        " more get 429. 0: no limit.",
    )
    requests_at_once: int = Field(
        default=600, ge=1, le=1_000_000, description="How many of them may come in one go after a pause."
    )
    request_seconds: float = Field(
        default=20,
        gt=0,
        le=3600,
        description="How long a client may take to send a request, and to take up a part of an answer.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.access == "open" and not is_loopback(self.host):
            raise ValueError(
                f'access = "open" lets everybody in, so host has to be a loopback address, not {self.host!r}'
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together: give both, or neither")
        return self
