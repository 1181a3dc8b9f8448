"""What decides who stands on a list: the settings of it, as the parts of this package need them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from trailhound.listing import ATTACKING, NamedList
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings
from trailhound.severity import Severity
from trailhound.trail import TrailClass

Family = Literal["4", "6", "any"]
HOUR = 3600 * MICROSECONDS
_FAMILIES: Mapping[str, Family] = {"ipv4": "4", "ipv6": "6", "domain": "any"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One list. Times are microseconds; `networks` are those whose events alone count (none: all).

    `custom` tells whether events of trails of the site's own count.
    """

    name: str
    is_of_names: bool
    family: Family
    is_inbound: bool
    classes: tuple[TrailClass, ...]
    severities: tuple[Severity, ...]
    confidence: int
    count: int
    within: int
    first_stay: int
    exclude: tuple[str, ...]
    decisions: bool
    ranges: bool
    limit: int
    networks: tuple[str, ...] = ()
    custom: bool = True

    @property
    def grows(self) -> bool:
        """Tell whether who comes again stays longer."""
        return self.first_stay < self.within

    def stay(self, days: int) -> int:
        """Say how long an entry stays that there was something of on so many days."""
        doublings = min(max(days - 1, 0), 32)
        return min(self.first_stay << doublings, self.within)

    def takes(self, address: str) -> bool:
        """Tell whether an address is of the family."""
        return self.family == "any" or (":" in address) == (self.family == "6")


def named(name: str, settings: NamedList) -> Rule:
    """Make the rule of a list of the settings."""
    return Rule(
        name=name,
        is_of_names=settings.holds == "domain",
        family=_FAMILIES[settings.holds],
        is_inbound=settings.is_inbound,
        classes=settings.counted,
        severities=_from(Severity[settings.min_severity.upper()]),
        confidence=settings.min_confidence,
        count=settings.min_count,
        within=settings.within_hours * HOUR,
        first_stay=settings.hours * HOUR,
        exclude=settings.exclude,
        decisions=settings.decisions,
        ranges=True,
        limit=settings.limit,
    )


def classic(family: Family, settings: Settings) -> Rule:
    """Make the rule of `/fail2ban`: addresses alone, since the scripts that ask for it know nothing else."""
    return Rule(
        name="fail2ban",
        is_of_names=False,
        family=family,
        is_inbound=True,
        classes=ATTACKING,
        severities=(),
        confidence=0,
        count=1,
        within=settings.api.list_hours * HOUR,
        first_stay=settings.api.list_hours * HOUR,
        exclude=(),
        decisions=True,
        ranges=False,
        limit=settings.api.list_limit,
    )


def _from(least: Severity) -> tuple[Severity, ...]:
    """Give nothing when all severities count, so that the store need not compare."""
    return () if least is min(Severity) else tuple(one for one in Severity if one >= least)
