"""Settings of named block lists."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from trailhound import canonical
from trailhound.errors import TrailError
from trailhound.trail import TrailClass

# Classes that say of the source itself that it attacks. The others speak of what an inner host called or received
# (malware, c2, phishing), or of addresses that many honest people share (anonymizer, suspicious, policy).
ATTACKING = (
    TrailClass.ATTACKER,
    TrailClass.SCANNER,
    TrailClass.SPAM,
    TrailClass.EXPLOIT,
    TrailClass.HEURISTIC,
)
# Classes of what no inner host has an honest reason to call.
CALLED = (TrailClass.C2, TrailClass.MALWARE)
Holds = Literal["ipv4", "ipv6", "domain"]
# With what stands before and behind it, a set of the kernel's ipset has at most 31 characters.
_LONGEST_NAME = 24
LIST_NAME = rf"^[a-z]([a-z0-9-]{{0,{_LONGEST_NAME - 2}}}[a-z0-9])?$"


def _name(text: str) -> str:
    if not re.fullmatch(LIST_NAME, text):
        raise ValueError(
            f"{text!r} cannot be the name of a list: up to {_LONGEST_NAME} small letters, digits and hyphens were"
            " expected, a letter first"
        )
    return text


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise ValueError(f"{text!r} is not an address or network such as 192.0.2.0/24") from error


def _spared(text: str) -> str:
    try:
        return canonical.network(text).value
    except TrailError:
        name = canonical.name(text.removeprefix("*."))
        if name is None:
            raise ValueError(f"{text!r} is neither an address nor a network nor a name") from None
        return name


ListName = Annotated[str, AfterValidator(_name)]


class NamedList(BaseModel):
    """One list: of one family and type, and by which rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    holds: Holds = Field(
        description="What stands on it: `ipv4`, `ipv6` or `domain`; firewalls take one type and family to a list."
    )
    direction: Literal["inbound", "outbound"] | None = Field(
        default=None,
        description="`inbound`: public addresses that attacked us. `outbound`: what inner hosts called: the address or"
        " name of the trail that was met. Unset: inbound for addresses; names are always outbound.",
    )
    classes: tuple[TrailClass, ...] = Field(
        default=(),
        max_length=len(TrailClass),
        description="Classes of trails that count. Empty: attacker, scanner, spam, exploit and heuristic inbound, c2"
        " and malware outbound.",
    )
    min_severity: Literal["low", "medium", "high", "critical"] = Field(
        default="low", description="Events that are less severe do not count."
    )
    min_confidence: int = Field(
        default=0,
        ge=0,
        le=100,
        description="Least confidence that the trails in force have in the address or name itself; 50 where they do not"
        " know it, as with heuristics.",
    )
    min_count: int = Field(default=1, ge=1, le=10**12, description="How many records it takes at least.")
    within_hours: int = Field(
        default=168, ge=1, le=24 * 365, description="How long ago an event counts; no entry stays for longer."
    )
    hours: int = Field(
        default=24,
        ge=1,
        le=24 * 365,
        description="How long an entry stays after its last event: twice as long for the second day (UTC) on which"
        " there were events, four times for the third, and so on.",
    )
    exclude: tuple[Annotated[str, AfterValidator(_spared)], ...] = Field(
        default=(),
        max_length=10_000,
        description="Addresses, networks, and names with all below them, that are left out.",
    )
    decisions: bool = Field(
        default=True, description="Whether what people decided to block stands on it, first of all."
    )
    limit: int = Field(
        default=100_000, ge=1, le=10_000_000, description="How many entries it has at most, the strongest first."
    )
    networks: tuple[Annotated[str, AfterValidator(_network)], ...] | None = Field(
        default=None,
        max_length=1000,
        description="Networks that may read it without a key. Unset: `api.list_networks`.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.holds == "domain" and self.direction == "inbound":
            raise ValueError("direction: outbound was expected, since a name does not attack")
        return self

    @property
    def is_inbound(self) -> bool:
        return self.direction != "outbound" and self.holds != "domain"

    @property
    def counted(self) -> tuple[TrailClass, ...]:
        """Give the classes that count."""
        return self.classes or (ATTACKING if self.is_inbound else CALLED)


_OURS: Mapping[str, NamedList] = {
    "attackers": NamedList(holds="ipv4"),
    "attackers6": NamedList(holds="ipv6"),
    "c2": NamedList(holds="ipv4", direction="outbound"),
    "c2-domains": NamedList(holds="domain"),
}


class Lists(BaseModel):
    """Block lists with names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    named: Mapping[ListName, NamedList] = Field(
        default_factory=dict,
        max_length=100,
        description="Lists by name, as `/lists/NAME.FORMAT` gives them. `attackers`, `attackers6` (inbound), `c2` and"
        " `c2-domains` (outbound) are there by themselves; one of yours may take the place of each.",
    )
    bouncers: tuple[str, ...] = Field(
        default=("attackers", "attackers6"),
        max_length=100,
        description="Lists that CrowdSec's bouncers are given, all as one.",
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name in self.bouncers:
            if name not in self.all:
                raise ValueError(f"bouncers: there is no list {name!r}; there are {', '.join(self.all)}")
            if self.all[name].holds == "domain":
                raise ValueError(f"bouncers: lists of addresses were expected, and {name!r} holds names")
        return self

    @property
    def all(self) -> Mapping[str, NamedList]:
        """Give those that are there by themselves, and those of the site."""
        return {**_OURS, **self.named}
