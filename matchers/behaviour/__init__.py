"""Behaviours: what shows only over hours. To add one: write its two files, add it here, put tests beside the others.

A package of the site's own brings behaviours by the entry point group `trailhound.behaviours`; each entry is a
`Behaviour`.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from matchers.behaviour.beacon import BEACON
from matchers.behaviour.behaviour import Behaviour, Chosen
from matchers.behaviour.data_leaving import DATA_LEAVING
from matchers.behaviour.first_seen import FIRST_SEEN_DOMAIN, RARE_USER_AGENT
from matchers.behaviour.long_connection import LONG_CONNECTION
from matchers.behaviour.named_beacon import NAMED_BEACON
from matchers.behaviour.new_scanner import NEW_SCANNER
from matchers.behaviour.rare_tls_client import RARE_TLS_CLIENT
from matchers.behaviour.strobe import STROBE
from matchers.behaviour.subdomain_tunnel import SUBDOMAIN_TUNNEL
from matchers.heuristics import choice

BUILT_IN: tuple[Behaviour, ...] = (
    BEACON,
    NAMED_BEACON,
    LONG_CONNECTION,
    STROBE,
    DATA_LEAVING,
    FIRST_SEEN_DOMAIN,
    RARE_USER_AGENT,
    RARE_TLS_CLIENT,
    SUBDOMAIN_TUNNEL,
    NEW_SCANNER,
)
GROUP = "trailhound.behaviours"


@lru_cache(maxsize=1)
def registry() -> Mapping[str, Behaviour]:
    """Give all behaviours by name, those of installed packages too. Raises `SettingsError` for one that is none."""
    return choice.installed(Behaviour, BUILT_IN, GROUP)


def chosen(
    disabled: Collection[str], also: Collection[str], thresholds: Mapping[str, Mapping[str, float]]
) -> list[Chosen]:
    """Give the behaviours that settings ask for, which name heuristics too. Raises `SettingsError`."""
    known = registry()
    on = [one for one in known.values() if (one.enabled or one.name in also) and one.name not in disabled]
    return [Chosen(one, choice.thresholds_of(one, thresholds.get(one.name, {}))) for one in on]


def columns(behaviours: Iterable[Behaviour]) -> Mapping[str, tuple[str, ...]]:
    """Give the columns that are collected for some behaviours, by log."""
    found: dict[str, dict[str, None]] = {}
    for behaviour in behaviours:
        for log, names in behaviour.reads.items():
            found.setdefault(log, {}).update(dict.fromkeys(names))
    return {log: tuple(names) for log, names in found.items()}
