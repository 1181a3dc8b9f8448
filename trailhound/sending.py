"""Settings of what goes out: webhooks, syslog, sightings for MISP and STIX, and the TAXII server."""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from trailhound.severity import Direction
from trailhound.trail import TrailClass, TrailGroup

_SECRET = "^([A-Za-z0-9][A-Za-z0-9_.-]{0,99})?$"  # noqa: S105 - the form of a name, which is no secret
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
Name = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]


def _url(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or not text.isascii()):
        raise ValueError("an address such as https://soc.example/hook was expected")
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
        raise ValueError(f"{text!r} is no name or address of a host, such as siem.example")
    return text.lower()


Url = Annotated[str, Field(max_length=2048), AfterValidator(_url)]
Network = Annotated[str, Field(max_length=64), AfterValidator(_network)]
Word = Annotated[str, Field(min_length=1, max_length=255)]


AnyTarget = TypeVar("AnyTarget", bound="Target")


class Target(BaseModel):
    """What all targets have: which events they get, and how patient we are with them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(default=True, description="Whether anything is sent there.")
    min_severity: Literal["low", "medium", "high", "critical"] = Field(
        default="low", description="Events of less severity are not sent."
    )
    classes: tuple[TrailClass, ...] = Field(default=(), description="Only events of these classes; empty: of all.")
    groups: tuple[TrailGroup, ...] = Field(
        default=(), description="Only events whose trails are of these types (`DNS`, `IP`, ...); empty: of all."
    )
    directions: tuple[Direction, ...] = Field(default=(), description="Only events of these directions; empty: of all.")
    sensors: tuple[Word, ...] = Field(
        default=(), max_length=1000, description="Only events of these sensors; empty: of all."
    )
    networks: tuple[Network, ...] = Field(
        default=(),
        max_length=1000,
        description="Only events whose source or destination is in one of these networks; empty: all.",
    )
    feeds: tuple[Word, ...] = Field(
        default=(), max_length=1000, description="Only events whose trails stand in one of these feeds; empty: in any."
    )
    quiet_minutes: float = Field(
        default=0,
        ge=0,
        le=10_080,
        description="Further events of the same threat within so long after one are not sent; 0: all are.",
    )
    per_minute: int = Field(
        default=0, ge=0, le=100_000, description="How many messages are sent a minute at most; 0: as fast as they go."
    )
    max_waiting: int = Field(
        default=100_000,
        ge=1,
        le=10_000_000,
        description="How many events may wait for the target. What comes beyond is dropped, and counted.",
    )
    give_up_days: float = Field(
        default=7,
        gt=0,
        le=365,
        description="An event that could not be delivered for so long goes to the dead letters of the target.",
    )


class Webhook(Target):
    """One that takes events over HTTP, one a request."""

    url: Url = Field(default="", description="Address that events are posted to.")
    url_secret: str = Field(
        default="",
        pattern=_SECRET,
        description="Name of the secret that holds the address, where whoever knows it may post (Slack, Teams).",
    )
    template: Literal["generic", "slack", "teams", "thehive"] = Field(
        default="generic",
        description="What is posted: `generic` the event as JSON, `slack` a message, `teams` an adaptive card,"
        " `thehive` an alert with its observables.",
    )
    signing_secret: str = Field(
        default="",
        pattern=_SECRET,
        description="Name of the secret that requests are signed with (HMAC-SHA256, Standard Webhooks).",
    )
    token: str = Field(
        default="", pattern=_SECRET, description="Name of the secret that is sent as `Authorization: Bearer`."
    )

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if bool(self.url) == bool(self.url_secret):
            raise ValueError("url or url_secret was expected, one of them")
        return _guarded(self, self.url, self.token)


class Syslog(Target):
    """A receiver of syslog (RFC 5424)."""

    host: Annotated[str, AfterValidator(_host)] = Field(description="Name or address of the receiver.")
    port: int = Field(default=514, ge=1, le=65_535, description="Its port; 6514 is usual for TLS.")
    transport: Literal["udp", "tcp", "tls"] = Field(
        default="tcp", description="How it is reached. Over UDP nobody learns what was lost."
    )
    form: Literal["cef", "json"] = Field(default="cef", description="`cef` for most SIEMs, `json` for the whole event.")
    framing: Literal["octets", "lines"] = Field(
        default="octets",
        description="How messages on TCP and TLS are told apart: by their length (RFC 6587, RFC 5425), or by lines.",
    )
    facility: int = Field(default=16, ge=0, le=23, description="Facility of the messages; 16 is `local0`.")
    client_cert: Path | None = Field(
        default=None, description="Certificate chain (PEM) that we show to the receiver; needs `client_key`."
    )
    client_key: Path | None = Field(default=None, description="Private key (PEM) of `client_cert`.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.client_cert is None) != (self.client_key is None):
            raise ValueError("client_cert and client_key belong together: give both, or neither")
        if self.client_cert is not None and self.transport != "tls":
            raise ValueError('client_cert is for transport = "tls"')
        return self


class Misp(Target):
    """A MISP that is told which of its attributes were seen."""

    url: Annotated[Url, Field(min_length=1)] = Field(
        description="Address of the instance, such as `https://misp.example`."
    )
    key: str = Field(
        default="MISP_KEY", pattern=_SECRET, min_length=1, description="Name of the secret with the key of its user."
    )
    source: str = Field(
        default="Trailhound", min_length=1, max_length=255, description="What stands as the source of our sightings."
    )

    @model_validator(mode="after")
    def _secret_is_kept(self) -> Self:
        return _guarded(self, self.url, self.key)


class Stix(Target):
    """One that takes sightings in STIX 2.1: a collection of a TAXII server, or whoever takes bundles."""

    url: Annotated[Url, Field(min_length=1)] = Field(
        description="Where they are posted to: `.../collections/ID/objects/` of a TAXII 2.1 server, or another one."
    )
    form: Literal["taxii", "bundle"] = Field(
        default="taxii", description="`taxii` for a collection, `bundle` for whoever takes a STIX bundle."
    )
    token: str = Field(
        default="", pattern=_SECRET, description="Name of the secret that is sent as `Authorization: Bearer`."
    )
    user: str = Field(default="", max_length=255, description="User, where the server asks for one.")
    password: str = Field(default="", pattern=_SECRET, description="Name of the secret with the password of that user.")

    @model_validator(mode="after")
    def _secret_is_kept(self) -> Self:
        if bool(self.user) != bool(self.password) or (self.user and self.token):
            raise ValueError("token, or user and password were expected, or none of them")
        return _guarded(self, self.url, self.token or self.password)


def _guarded(target: AnyTarget, url: str, secret: str) -> AnyTarget:
    """See that a secret goes over no network in the clear."""
    host = urlsplit(url).hostname or ""
    is_here = host in ("localhost", "::1") or re.fullmatch(r"127\.\d+\.\d+\.\d+", host)
    if secret and url.startswith("http://") and not is_here:
        raise ValueError("https was expected in url: anybody on the way would read the secret")
    return target


class Taxii(BaseModel):
    """The TAXII server: indicators that were met, and sightings of them, to be fetched by others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(default=False, description="Whether `/taxii2/` serves what was met from then on.")
    max_objects: int = Field(
        default=200_000,
        ge=100,
        le=10_000_000,
        description="How many objects a collection keeps; the oldest make way.",
    )


class Send(BaseModel):
    """What goes out to others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    webhooks: Mapping[Name, Webhook] = Field(default_factory=dict, description="Webhooks, by a name of your own.")
    syslog: Mapping[Name, Syslog] = Field(
        default_factory=dict, description="Receivers of syslog, by a name of your own."
    )
    misp: Mapping[Name, Misp] = Field(default_factory=dict, description="Instances of MISP, by a name of your own.")
    stix: Mapping[Name, Stix] = Field(
        default_factory=dict, description="Receivers of STIX sightings, by a name of your own."
    )
    taxii: Taxii = Field(default_factory=Taxii)
    max_age_hours: float = Field(
        default=24,
        gt=0,
        le=87_600,
        description="Events that were this old when they were found are not sent: they come from archives.",
    )
    link: Url = Field(
        default="", description="Address of this console as people reach it; messages lead there. Empty: no links."
    )
    reachable: tuple[Network, ...] = Field(
        default=(),
        max_length=100,
        description="Networks that targets may be in though they are link-local or of cloud metadata services.",
    )
    proxy: Url = Field(
        default="", description="Proxy for webhooks, MISP and STIX, such as `http://proxy.example:3128`."
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) to trust beside those of the system, for an authority of yours."
    )
    timeout_seconds: float = Field(default=15, gt=0, le=600, description="How long a target may take for one message.")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [name for group in (self.webhooks, self.syslog, self.misp, self.stix) for name in group]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each target was expected to have a name of its own; {twice[0]} stands twice")
        return self

    @property
    def targets(self) -> Mapping[str, Target]:
        """Give all that are not switched off, by name."""
        every: dict[str, Target] = {**self.webhooks, **self.syslog, **self.misp, **self.stix}
        return {name: target for name, target in every.items() if target.enabled}

    @property
    def is_wanted(self) -> bool:
        return bool(self.targets) or self.taxii.enabled
