"""Settings of feeds: public lists of trails that Trailhound fetches."""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from trailhound.trail import TrailClass

USER_FILE = "feeds.toml"
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


def _proxy(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("an address such as http://proxy.example:3128 was expected")
    if parts.username is not None:
        raise ValueError("an address without user and password was expected: settings are shown to people")
    return text


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError as error:
        raise ValueError(f"{text!r} is not an address or network such as 10.1.0.0/16") from error


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"{text!r} is no name of a host, such as intranet.example")
    return text.lower()


class Feeds(BaseModel):
    """Public lists of trails."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    update: bool = Field(
        default=False,
        description="Whether `trailhound run` fetches feeds by itself, each when it is due. Off: nothing goes out to"
        " the network unless somebody calls `trailhound feeds update`.",
    )
    file: Path | None = Field(
        default=None,
        description="Your own feeds, and changes to those of the catalogue (TOML). Unset: `feeds.toml` beside the"
        " settings file, if it is there.",
    )
    parallel: int = Field(default=4, ge=1, le=32, description="How many feeds are fetched at once.")
    max_bytes: int = Field(
        default=536_870_912, ge=1024, le=2**40, description="A document of a feed that is larger is not taken."
    )
    proxy: Annotated[str, AfterValidator(_proxy)] = Field(
        default="", description="Proxy that feeds are fetched through, such as `http://proxy.example:3128`."
    )
    direct: tuple[Annotated[str, AfterValidator(_host)], ...] = Field(
        default=(), max_length=1000, description="Hosts, with all names below them, that are reached without the proxy."
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) to trust beside those of the system, for an authority of yours."
    )
    reachable: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(),
        max_length=1000,
        description="Private networks that feeds may be fetched from. All others are refused, wherever a feed leads.",
    )
    min_ratio: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Least share of its trails that a feed must still have to be taken up; 0: it may lose any number,"
        " but not all.",
    )
    agreement: Mapping[TrailClass, Annotated[int, Field(ge=1, le=100)]] = Field(
        default_factory=dict,
        description="Class -> how many independent lists must have a value for it to count, stronger than what the"
        " catalogue says: `{ scanner = 3, attacker = 1 }`.",
    )
    spare_delivery: bool = Field(
        default=True,
        description="Whether feeds bring no address of content delivery networks: thousands of sites share each.",
    )
    spare_resolvers: bool = Field(
        default=True, description="Whether feeds bring no address that `/etc/resolv.conf` of this host names."
    )
