"""Settings: one typed model, from a TOML file, the environment and the command line, each stronger than the one before.

Every key is documented by its own description here; `trailhound config docs` prints them.
"""

import difflib
import ipaddress
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_config_path, user_state_path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as NotJson

from trailhound.access import Access
from trailhound.behaviour import BehaviourSettings
from trailhound.cluster import Cluster
from trailhound.errors import SettingsError
from trailhound.feeding import USER_FILE, Feeds
from trailhound.geography import Geography
from trailhound.heuristics import HeuristicsSettings
from trailhound.listing import Lists
from trailhound.matching import Trails
from trailhound.observing import Observables
from trailhound.sending import Send
from trailhound.sharing import Central, HandingOn
from trailhound.watching import Logs

ENVIRONMENT_PREFIX = "TRAILHOUND_"
HOME_NETWORKS = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise ValueError(f"{text!r} is not an address or network such as 192.0.2.0/24") from error


Network = Annotated[str, AfterValidator(_network)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Networks(_Section):
    """What is ours."""

    home: tuple[Network, ...] = Field(
        default=HOME_NETWORKS,
        description="Home networks; they give every record its direction, and never stand on a block list.",
    )


class Hosts(_Section):
    """How the risk of a host is added up."""

    half_life_hours: float = Field(
        default=72,
        ge=1,
        le=24 * 365,
        description="After how many hours a threat that has not happened again counts half.",
    )
    days: int = Field(
        default=30, ge=1, le=3650, description="How many days back threats count, where nobody asks for another period."
    )


class StoreSettings(_Section):
    """Where events are kept."""

    kind: Literal["embedded", "elasticsearch"] = Field(
        default="embedded",
        description="Which store: `embedded`, a file of this host; `elasticsearch`, for several sensors and consoles.",
    )
    path: Path | None = Field(
        default=None, description="File of the embedded store. Unset: `events.sqlite` in the state directory."
    )
    elasticsearch: Cluster = Field(default_factory=Cluster)


class Api(Access):
    """HTTP: console, JSON and block lists."""

    port: int = Field(default=8338, ge=0, le=65535, description="Port to listen on.")
    names: tuple[str, ...] = Field(
        default=(),
        description="Further names that clients call this host by; requests for others are refused (DNS rebinding).",
    )
    list_networks: tuple[Network, ...] = Field(
        default=("127.0.0.0/8", "::1/128"),
        description="Networks that may read block lists (`/fail2ban`); others are told that there is no such page.",
    )
    list_hours: int = Field(
        default=24, ge=1, le=24 * 365, description="How long an address stays on `/fail2ban` after its last attack."
    )
    list_limit: int = Field(
        default=100_000,
        ge=1,
        le=10_000_000,
        description="How many addresses `/fail2ban` gives at most, the strongest first.",
    )


class Run(_Section):
    """How `trailhound run` behaves as a service."""

    stop_seconds: float = Field(
        default=10,
        gt=0,
        le=3600,
        description="How long a stop may take to finish what is in hand. What was not finished is read again at the"
        " next start.",
    )


class Settings(BaseSettings):
    """All settings of Trailhound."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    state_dir: Path = Field(
        default_factory=lambda: user_state_path("trailhound"),
        description="Directory for everything Trailhound keeps: store, positions, compiled trails, dead letters.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much Trailhound says of itself on standard error."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto", description="Form of what it says: text for people, JSON for machines, auto by the terminal."
    )
    logs: Logs = Field(default_factory=Logs)
    trails: Trails = Field(default_factory=Trails)
    feeds: Feeds = Field(default_factory=Feeds)
    networks: Networks = Field(default_factory=Networks)
    hosts: Hosts = Field(default_factory=Hosts)
    store: StoreSettings = Field(default_factory=StoreSettings)
    observables: Observables = Field(default_factory=Observables)
    countries: Geography = Field(default_factory=Geography)
    heuristics: HeuristicsSettings = Field(default_factory=HeuristicsSettings)
    behaviour: BehaviourSettings = Field(default_factory=BehaviourSettings)
    api: Api = Field(default_factory=Api)
    lists: Lists = Field(default_factory=Lists)
    handing_on: HandingOn = Field(default_factory=HandingOn)
    central: Central = Field(default_factory=Central)
    send: Send = Field(default_factory=Send)
    run: Run = Field(default_factory=Run)

    @field_validator("state_dir")
    @classmethod
    def _expand(cls, path: Path) -> Path:
        return path.expanduser()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load` merged, and nothing behind its back: it needs to name the source of each error."""
        del settings_cls, env_settings
        return (init_settings,)

    @property
    def store_path(self) -> Path:
        return self.store.path or self.state_dir / "events.sqlite"

    @property
    def trail_set_path(self) -> Path:
        if self.trails.set is not None:
            return self.trails.set
        return self.state_dir / ("central.set" if self.central.url else "trails.set")

    @property
    def compiles_trails(self) -> bool:
        """Tell whether the trail set is made here, and not given as it is."""
        return self.trails.set is None and not self.central.url

    @property
    def shelf_path(self) -> Path:
        """Where feeds are kept."""
        return self.state_dir / "feeds"

    @property
    def positions_path(self) -> Path:
        return self.state_dir / "positions.json"

    @property
    def dead_letters_path(self) -> Path:
        return self.state_dir / "deadletters.ndjson"


# What a running Trailhound takes up when it reads its settings again (SIGHUP); everything else needs a restart.
TAKEN_UP = (
    "log_level",
    "log_format",
    "logs.folders",
    "logs.poll_seconds",
    "logs.max_line_bytes",
    "logs.silent_minutes",
    "logs.max_clock_skew_seconds",
    "trails.*",
    "heuristics.*",
    "run.*",
    "send.*",
)


def default_file() -> Path:
    """Tell where the settings file is looked for when none is named."""
    return user_config_path("trailhound") / "trailhound.toml"


def load(file: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read settings: `file` (the default one may be missing), then the environment, then `overrides` (nested)."""
    path = file or default_file()
    from_file = _read_toml(path, must_exist=file is not None)
    environment = EnvSettingsSource(Settings)
    _refuse_unknown_variables(environment)
    origins: dict[str, Mapping[str, Any]] = {
        str(path): from_file,
        "the environment": _of_environment(environment),
        "the command line": overrides or {},
    }
    merged: dict[str, Any] = {}
    for values in origins.values():
        _merge(merged, values)
    _find_feeds(merged, path.parent / USER_FILE)
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise SettingsError(_explain(error, origins)) from error


def _find_feeds(merged: dict[str, Any], beside: Path) -> None:
    """Take the user's file of feeds that stands beside the settings, unless they name one or are wrong there."""
    feeds = merged.setdefault("feeds", {})
    if isinstance(feeds, dict) and feeds.get("file") is None and beside.is_file():
        feeds["file"] = beside


def _read_toml(path: Path, *, must_exist: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError as error:
        if must_exist:
            raise SettingsError(f"{path}: there is no such settings file") from error
        return {}
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: this is not valid TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the settings file cannot be read: {error}") from error


def _of_environment(environment: EnvSettingsSource) -> Mapping[str, Any]:
    try:
        return environment()
    except NotJson as error:
        raise SettingsError(f"the environment: {error}; lists and tables are written as JSON") from error


def _refuse_unknown_variables(environment: EnvSettingsSource) -> None:
    known = set(keys())
    for name in environment.env_vars:
        if name is None or not name.upper().startswith(ENVIRONMENT_PREFIX) or name.upper() in NOT_SETTINGS:
            continue
        key = name.upper().removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
        if key not in known and not any(k.startswith(f"{key}.") or key.startswith(f"{k}.") for k in known):
            raise SettingsError(f"the environment: {name.upper()} is no setting of Trailhound{_nearest(key, known)}")


# Variables with our prefix that are read by others: tests and the folders of service managers.
NOT_SETTINGS = frozenset({"TRAILHOUND_CONFIG", "TRAILHOUND_CORPUS", "TRAILHOUND_TEST_ELASTICSEARCH"})


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _explain(error: ValidationError, origins: Mapping[str, Mapping[str, Any]]) -> str:
    """Say the first thing that is wrong: where, which key, what was expected."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    origin = next(
        (name for name, values in reversed(list(origins.items())) if _has(values, first["loc"])), "the settings"
    )
    if first["type"] == "missing":
        origin = next((name for name, values in reversed(list(origins.items())) if _has(values, first["loc"][:-1])), "")
        return f"{origin}: {key} is missing"
    if first["type"] == "extra_forbidden":
        return f"{origin}: {key} is no setting of Trailhound{_nearest(key, set(keys()))}"
    expected = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{origin}: {key} = {first['input']!r}: {expected}"


def _has(values: Any, location: tuple[int | str, ...]) -> bool:
    for part in location:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _nearest(key: str, known: set[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"; the nearest is {near[0]}" if near else "; see `trailhound config docs`"


REQUIRED = "required"


def keys() -> dict[str, tuple[str, Any]]:
    """Give description and default (or `REQUIRED`) of every setting by its dotted key; tables in lists end in `[]`."""
    found: dict[str, tuple[str, Any]] = {}
    _collect(Settings, "", found)
    return found


def _collect(model: type[BaseModel], prefix: str, found: dict[str, tuple[str, Any]]) -> None:
    for name, info in model.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            _collect(annotation, f"{prefix}{name}.", found)
            continue
        default = REQUIRED if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
        found[f"{prefix}{name}"] = (info.description or "", default)
        for part in getattr(annotation, "__args__", ()):
            if isinstance(part, type) and issubclass(part, BaseModel):
                _collect(part, f"{prefix}{name}[].", found)
