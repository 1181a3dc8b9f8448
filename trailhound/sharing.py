"""Settings of trail sets that one Trailhound hands on and others take."""

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SensorKey(_Section):
    """Who may have the trail set."""

    name: str = Field(min_length=1, max_length=255, description="Who has the key; stands in the log.")
    sha256: str = Field(
        pattern="^[0-9a-f]{64}$", description="SHA-256 of the key; `trailhound trails key NAME` makes both."
    )
    custom: bool = Field(default=False, description="Whether it may have trails of your own too.")


class HandingOn(_Section):
    """Who may have the compiled trail set, over `/trails`."""

    keys: tuple[SensorKey, ...] = Field(
        default=(), max_length=10_000, description="Keys of sensors. Without any there is no `/trails`."
    )

    @field_validator("keys")
    @classmethod
    def _distinct(cls, keys: tuple[SensorKey, ...]) -> tuple[SensorKey, ...]:
        names = [key.name for key in keys]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name!r} stands there twice; each key needs a name of its own")
        return keys


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _central_url(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None):
        raise ValueError("an address such as https://central.example:8338/trails was expected")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError("https was expected: over http anybody on the way reads the key; only this host needs none")
    return text


class Central(_Section):
    """The Trailhound that the trail set comes from, ready to use, instead of being compiled here."""

    url: Annotated[str, AfterValidator(_central_url)] = Field(
        default="",
        description="Address of its `/trails`. Empty: trails are compiled here. Else `trails.files`, `trails.custom`,"
        " `trails.starter` and feeds of this host are not used.",
    )
    key: str = Field(
        default="CENTRAL_KEY",
        pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$",
        description="Name of the secret with our key: an environment variable, or a file among the credentials of the"
        " service or in `secrets` in the state directory.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="Certificates (PEM) to trust instead of those of the system, for an authority of yours.",
    )
    minutes: float = Field(default=10, ge=0.05, le=10_080, description="How often to ask whether there is a new set.")
    max_bytes: int = Field(default=2_147_483_648, ge=1024, le=2**40, description="A larger set is not taken.")
