"""Which trails of a set may go to others: those that count here, and that are not ours or everybody's."""

from collections.abc import Callable
from ipaddress import ip_network

from matchers.hiding import deciding
from matchers.networks import HomeNetworks
from matchers.rules import Rules
from trailhound.canonical import Indicator, host_port
from trailhound.record import MICROSECONDS
from trailhound.trail import Trail, TrailKind

_ADDRESSES = frozenset({TrailKind.IPV4, TrailKind.IPV6})


def fit(rules: Rules, home: HomeNetworks, now: int) -> Callable[[Trail], str]:
    """Give a function that says why a trail is not to be handed out; empty when it may be.

    Out stay trails that have expired (`now` is seconds since the epoch) or that the settings ignore, whatever a
    whitelist or an exception for all sources hides, and addresses at home.
    """

    def unfit(trail: Trail) -> str:
        standing = rules.standing.hides(trail, now * MICROSECONDS)
        if standing:
            return standing
        if rules.exceptions.hides(trail.value, None):
            return "an exception"
        entry = deciding(rules.whitelist, Indicator(trail.kind, trail.value))
        # As when it is met: an entry for a name leaves what is more exact in force.
        if entry is not None and (entry.below or entry.value == trail.value or _is_of_addresses(trail)):
            return "the whitelist"
        return "a home network" if _is_at_home(trail, home) else ""

    return unfit


def _is_of_addresses(trail: Trail) -> bool:
    return trail.kind in (*_ADDRESSES, TrailKind.CIDR, TrailKind.IP_PORT)


def _is_at_home(trail: Trail, home: HomeNetworks) -> bool:
    if trail.kind in _ADDRESSES:
        return home.is_home(trail.value)
    if trail.kind is TrailKind.IP_PORT:
        return home.is_home(host_port(trail.value)[0])
    return trail.kind is TrailKind.CIDR and home.is_home(str(ip_network(trail.value).network_address))
