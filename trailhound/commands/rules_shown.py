"""`rules list` and `rules explain`: which heuristics are on, and what one does, from where on and why."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from matchers.findings import Thresholds
from matchers.heuristics import choice
from trailhound.commands import suspicions
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.commands.suspicions import Rule, Standing
from trailhound.errors import SettingsError

_WIDE = 160  # Columns.
_BOUNDS = (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))


def list_(config: ConfigOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Show all heuristics: whether each is on, the logs that it reads, and the technique of MITRE ATT&CK.

    Examples:

      trailhound rules list

      trailhound rules list --json | jq -r '.[] | select(.on | not) | .name'
    """
    found = suspicions.standings(settings_of(config, state))
    if as_json:
        typer.echo(json.dumps([_brief(one) for one in found]))
        return
    console = Console()
    # A file or a pipe has no width, so nothing needs to be cut for it.
    shown = console if console.is_terminal else Console(width=_WIDE)
    table = Table("name", "on", "title", "logs", "technique", "by", box=box.SIMPLE)
    for one in found:
        rule = one.rule
        cells = (rule.title, ", ".join(rule.reads), _technique(rule), one.reason.replace("`", ""))
        table.add_row(rule.name, "yes" if one.is_on else "no", *(Text(visible(cell)) for cell in cells))
    shown.print(table)
    on = sum(one.is_on for one in found)
    typer.echo(f"{on} of {len(found)} are on; `trailhound rules explain NAME` tells more of one.")


def explain(
    name: Annotated[str, typer.Argument(help="A heuristic; `trailhound rules list` names all.")],
    config: ConfigOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a heuristic looks for, from where on it fires and why, what it mistakes, and how to silence it.

    Examples:

      trailhound rules explain port-scan

      trailhound rules explain port-scan --json
    """
    by_name = {one.rule.name: one for one in suspicions.standings(settings_of(config, state))}
    if name not in by_name:
        raise SettingsError(choice.no_such(name, by_name))
    one = by_name[name]
    if as_json:
        typer.echo(json.dumps({**_brief(one), **_details(one)}))
        return
    for line in _lines(one):
        typer.echo(visible(line))


def thresholds_of(thresholds: type[Thresholds]) -> Iterator[tuple[str, Any, str, str]]:
    """Give name, default, bounds and reason of each threshold."""
    for name, field in thresholds.model_fields.items():
        bounds = [
            f"{sign} {getattr(bound, key)}"
            for bound in field.metadata
            for key, sign in _BOUNDS
            if getattr(bound, key, None) is not None
        ]
        yield name, field.default, ", ".join(bounds), field.description or ""


def _technique(rule: Rule) -> str:
    technique = rule.technique
    return f"{technique.id} {technique.name}" if technique is not None else ""


def _brief(one: Standing) -> dict[str, Any]:
    rule = one.rule
    technique = rule.technique
    return {
        "name": rule.name,
        "title": rule.title,
        "on": one.is_on,
        "on_by_default": rule.enabled,
        "by": one.reason.replace("`", ""),
        "logs": list(rule.reads),
        "technique": technique
        and {"id": technique.id, "name": technique.name, "tactic": technique.tactic, "reference": technique.reference},
    }


def _details(one: Standing) -> dict[str, Any]:
    rule = one.rule
    return {
        "about": rule.about,
        "reads": {log: list(columns) for log, columns in rule.reads.items()},
        "thresholds": [
            {"name": name, "value": getattr(one.thresholds, name), "default": default, "bounds": bounds, "reason": why}
            for name, default, bounds, why in thresholds_of(rule.thresholds)
        ],
        "false_positives": list(rule.false_positives),
        "silence": rule.silence,
        "blind": rule.blind,
    }


def _lines(one: Standing) -> Iterator[str]:
    rule = one.rule
    yield f"{rule.name}: {rule.title}"
    yield f"  {rule.about}"
    yield ""
    by = f", by {one.reason}" if one.reason else ", as by default"
    yield f"  {'on' if one.is_on else 'off'}{by}"
    for log, columns in rule.reads.items():
        yield f"  reads {log}: {', '.join(columns)}"
    technique = rule.technique
    if technique is not None:
        yield f"  MITRE ATT&CK {technique.id} {technique.name} ({technique.tactic}), {technique.reference}"
    yield from _thresholds(one)
    yield "  taken for it wrongly:"
    yield from (f"    - {mistaken}" for mistaken in rule.false_positives)
    yield f"  to silence it: {rule.silence}"
    if rule.blind:
        yield f"  not seen: {rule.blind}"


def _thresholds(one: Standing) -> Iterator[str]:
    rule = one.rule
    if not rule.thresholds.model_fields:
        return
    yield f"  thresholds ([heuristics.thresholds.{rule.name}] in the settings):"
    for name, default, bounds, why in thresholds_of(rule.thresholds):
        value = getattr(one.thresholds, name)
        changed = f"; the default is {default}" if value != default else ""
        yield f"    {name} = {value} ({bounds}{changed}): {why}"
