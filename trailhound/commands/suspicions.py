"""Heuristics as the settings and the commands of people ask for them."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from feeds import switches
from matchers import behaviour
from matchers.behaviour.behaviour import Behaviour
from matchers.engine import Engine
from matchers.findings import Thresholds
from matchers.heuristics import choice, chosen, registry
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.mutes import Mute, Mutes
from matchers.heuristics.running import Heuristics
from matchers.networks import HomeNetworks
from trailhound import heuristics as section
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings

SWITCHED = "rules"  # The folder of switches in the state directory, and what they are of.
Rule = Heuristic | Behaviour


@dataclass(frozen=True, slots=True)
class Standing:
    """How a heuristic or a behaviour stands.

    `key` is the setting that says so, empty when none does; `is_switched` when a command did.
    """

    rule: Rule
    thresholds: Thresholds
    is_on: bool
    key: str = ""
    is_switched: bool = False

    @property
    def reason(self) -> str:
        if self.key:
            return f"{self.key} of the settings"
        return f"`trailhound rules {'enable' if self.is_on else 'disable'}`" if self.is_switched else ""


def rules() -> Mapping[str, Rule]:
    """Give all heuristics and behaviours by name: to people they are one list."""
    return {**registry(), **behaviour.registry()}


def switches_in(settings: Settings) -> Path:
    """Give the folder that keeps which of them were switched on or off by command."""
    return settings.state_dir / SWITCHED


def in_force(settings: Settings) -> section.HeuristicsSettings:
    """Give the section of the settings as commands have switched; what it names itself, no command switches.

    Raises `SettingsError` for a heuristic or a threshold that there is not, `SourceError` for damaged switches.
    """
    asked, known = settings.heuristics, rules()
    choice.refuse_unknown(known, disabled=asked.disabled, also=asked.also, thresholds=asked.thresholds)
    named = {*asked.disabled, *asked.also}
    switched = {
        name: on
        for name, on in switches.load(switches_in(settings), SWITCHED).items()
        if name in known and name not in named
    }
    disabled = (*asked.disabled, *(name for name, on in switched.items() if not on))
    also = (*asked.also, *(name for name, on in switched.items() if on))
    return asked.model_copy(update={"disabled": disabled, "also": also})


def standings(settings: Settings) -> list[Standing]:
    """Tell of each whether it is on, and why. Raises as `in_force` does."""
    return [_standing(rule, settings.heuristics, in_force(settings)) for rule in rules().values()]


def _standing(rule: Rule, said: section.HeuristicsSettings, asked: section.HeuristicsSettings) -> Standing:
    name = rule.name
    thresholds = choice.thresholds_of(rule, asked.thresholds.get(name, {}))
    is_on = asked.enabled and name not in asked.disabled and (rule.enabled or name in asked.also)
    key = (
        "heuristics.enabled"
        if not asked.enabled
        else "heuristics.disabled"
        if name in said.disabled
        else "heuristics.also"
        if name in said.also
        else ""
    )
    return Standing(rule, thresholds, is_on, key, not key and name in (*asked.disabled, *asked.also))


def heuristics(settings: Settings, engine: Engine, previous: Engine | None) -> Heuristics | None:
    """Make the heuristics that are on; those that a previous engine had too go on from what they have seen.

    Raises as `in_force` does.
    """
    asked = in_force(settings)
    if not asked.enabled:
        return None
    running = previous.heuristics if previous is not None else None
    made = chosen(asked.disabled, asked.also, asked.thresholds, behaviour.registry())
    surroundings = Surroundings(
        HomeNetworks(settings.networks.home), engine.rules, round(asked.slack_seconds * MICROSECONDS)
    )
    muted = Mutes([_mute(mute) for mute in asked.mute])
    if running is not None and running.is_of(made, surroundings):
        running.muted = muted
        return running
    return Heuristics(made, surroundings, muted, previous=running)


def _mute(mute: section.Mute) -> Mute:
    return Mute(
        rule=mute.rule,
        source=ipaddress.ip_network(mute.source) if mute.source is not None else None,
        destination=ipaddress.ip_network(mute.destination) if mute.destination is not None else None,
        value=mute.value,
        below=mute.below,
        until=section.micros(mute.until) if mute.until is not None else None,
    )
