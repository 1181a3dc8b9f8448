"""Settings of the Elasticsearch store."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

DEFAULT_HOSTS = ("http://127.0.0.1:9200",)
_NAME = "^([A-Za-z0-9][A-Za-z0-9_.-]{0,99})?$"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def _host(text: str) -> str:
    """Read the address of a server; it stands in messages, so that it may hold no secret."""
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("http", "https") or not parts.hostname or port is None or parts.query or parts.fragment:
        raise ValueError("an address with its port was expected, such as https://es.example:9200")
    if parts.username is not None:
        raise ValueError("an address without user and password was expected: settings are shown to people")
    return text.rstrip("/")


def _proxy(text: str) -> str:
    return _host(text) if text else text


def _fingerprint(text: str) -> str:
    digits = text.replace(":", "").lower()
    if digits and not _FINGERPRINT.fullmatch(digits):
        raise ValueError("the SHA-256 of a certificate was expected: 64 hexadecimal digits, with or without colons")
    return digits


def _is_of_this_host(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Cluster(BaseModel):
    """The Elasticsearch that holds events."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = Field(
        default=DEFAULT_HOSTS,
        min_length=1,
        max_length=100,
        description="Addresses of the servers of one cluster, each with its port; others are asked when one is away.",
    )
    cloud_id: str = Field(
        default="",
        max_length=1000,
        description="Cloud ID of a deployment at Elastic Cloud, in place of `store.elasticsearch.hosts`.",
    )
    namespace: str = Field(
        default="default",
        pattern="^[a-z0-9][a-z0-9_.]{0,99}$",
        description="Whose events these are, in the names of all indices: `logs-trailhound.event-NAMESPACE`. Sensors"
        " and consoles of one namespace share their events, and see none of another.",
    )
    api_key: str = Field(
        default="",
        pattern=_NAME,
        description="Name of the secret with the API key, in its encoded form: an environment variable, or a file among"
        " the credentials of the service or in `secrets` in the state directory.",
    )
    user: str = Field(default="", max_length=255, description="User, where there is no API key.")
    password: str = Field(
        default="ELASTICSEARCH_PASSWORD",
        pattern=_NAME,
        description="Name of the secret with the password of that user, kept as an API key is.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="Certificates (PEM) to trust instead of those of the system, such as the `http_ca.crt` of the"
        " cluster.",
    )
    fingerprint: Annotated[str, AfterValidator(_fingerprint)] = Field(
        default="",
        description="SHA-256 of the server's certificate, in place of trust in an authority.",
    )
    proxy: Annotated[str, AfterValidator(_proxy)] = Field(
        default="", description="Proxy on the way to the cluster, such as `http://proxy.example:3128`."
    )
    compress: bool = Field(
        default=False, description="Whether what is sent is compressed: less on the network, more work for this host."
    )
    timeout_seconds: float = Field(default=30, gt=0, le=3600, description="How long an answer may take.")
    retention_days: int = Field(
        default=90,
        ge=0,
        le=36_500,
        description="How long events are kept, from when their index was closed (at the latest 30 days after its first"
        " event); 0: for ever. `trailhound es setup` tells the cluster.",
    )
    refresh_seconds: float = Field(
        default=1,
        ge=0.1,
        le=3600,
        description="How soon what was written can be found. `trailhound es setup` tells the cluster.",
    )

    @field_validator("cloud_id")
    @classmethod
    def _one_place(cls, cloud_id: str, info: ValidationInfo) -> str:
        if cloud_id and info.data.get("hosts", DEFAULT_HOSTS) != DEFAULT_HOSTS:
            raise ValueError("hosts or cloud_id was expected, not both")
        return cloud_id

    @field_validator("api_key", "user")
    @classmethod
    def _guarded(cls, value: str, info: ValidationInfo) -> str:
        """See that a secret goes over no network in the clear."""
        if value and info.field_name == "user" and info.data.get("api_key"):
            raise ValueError("api_key or user was expected, not both")
        open_ = [
            host for host in info.data.get("hosts", ()) if host.startswith("http://") and not _is_of_this_host(host)
        ]
        if value and open_ and not info.data.get("cloud_id"):
            raise ValueError(f"https was expected in hosts: anybody on the way to {open_[0]} would read the secret")
        return value

    @field_validator("fingerprint")
    @classmethod
    def _one_trust(cls, fingerprint: str, info: ValidationInfo) -> str:
        if fingerprint and info.data.get("ca_file") is not None:
            raise ValueError("ca_file or fingerprint was expected, not both")
        return fingerprint
