"""`send`: try targets, see how they do, send dead letters once more."""

import json
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from typing import Annotated

import typer

from api.sending.letters import TargetStatus
from api.sending.outbox import Outbox, outbox_path
from api.sending.sender import makers
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.errors import SendError, SettingsError
from trailhound.event import Event, event_id, timestamp, to_ecs
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings
from trailhound.severity import Direction, Severity
from trailhound.trail import Trail, TrailClass, TrailKind

app = typer.Typer(no_args_is_help=True, help="Try what is sent out, and see how it does.")
TargetsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[TARGET]...", help="Names of targets; without any, all.")
]
_FAILED = 1  # Exit status when a target did not take what was sent.


@app.command()
def status(config: ConfigOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Show for each target what waits, what it got, and what is wrong.

    Example:

      trailhound send status
    """
    settings = settings_of(config, state)
    found = _statuses(settings)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
        return
    if not found:
        typer.echo("There are no targets: name some in the settings (send.webhooks, send.syslog, ...).")
    for one in found:
        typer.echo(visible(f"{one.name}: {_words(one)}"))


@app.command("test")
def try_out(targets: TargetsArgument = None, config: ConfigOption = None, state: StateOption = None) -> None:
    """Send one made-up event to targets, past the outbox, and say whether they took it.

    Examples:

      trailhound send test

      trailhound send test soc-slack siem
    """
    settings = settings_of(config, state)
    document = to_ecs(example(time.time_ns() // 1000))
    makes, problems = makers(settings), 0
    for name in _wanted(settings, targets):
        try:
            with closing(makes[name]()) as target:
                useless = target.send([document])
        except (SendError, SettingsError) as error:
            problems += 1
            typer.echo(visible(f"{name}: {error}"), err=True)
        else:
            typer.echo(f"{name}: {'answers; the example is of no use to it' if useless else 'took it'}")
    if problems:
        raise typer.Exit(_FAILED)


@app.command()
def retry(
    target: Annotated[str, typer.Argument(help="Name of the target.")],
    config: ConfigOption = None,
    state: StateOption = None,
) -> None:
    """Send the dead letters of a target once more.

    Example:

      trailhound send retry soc-slack
    """
    settings = settings_of(config, state)
    (name,) = _wanted(settings, [target])
    moved = 0
    if outbox_path(settings).exists():
        with closing(Outbox(outbox_path(settings))) as outbox:
            moved = outbox.retry(name, time.time_ns() // 1000)
    typer.echo(f"{moved:,} events wait for {name} again")


def example(now: int) -> Event:
    """Make an event as a match would, of a name that cannot exist."""
    trail = Trail(TrailKind.DOMAIN, "test.trailhound.invalid", "test of Trailhound", TrailClass.POLICY, ("trailhound",))
    made = Event(
        id="",
        start=now,
        end=now,
        count=1,
        sensor="test",
        module="trailhound",
        dataset="trailhound.test",
        trail=trail,
        observed=trail.value,
        role="dns.question.name",
        severity=Severity.LOW,
        direction=Direction.OUTBOUND,
        answered=None,
        source_ip="192.0.2.1",
        source_port=53124,
        destination_ip="192.0.2.53",
        destination_port=53,
        transport="udp",
        protocol="dns",
        message="This is a test of Trailhound; nothing happened.",
        ingested=now,
        tags=("test",),
        ecs={"dns.question.name": trail.value},
    )
    return replace(made, id=event_id("test", made.dataset, str(now), now, trail.kind.value, trail.value))


def _wanted(settings: Settings, names: Sequence[str] | None) -> Sequence[str]:
    """Give the names asked for. Raises `SettingsError` for one that no target has, and when there are no targets."""
    known = settings.send.targets
    if not known:
        raise SettingsError("there are no targets: name some in the settings (send.webhooks, send.syslog, ...)")
    for name in names or ():
        if name not in known:
            raise SettingsError(f"{name[:64]!r} is no target; there are {', '.join(known)}")
    return names or list(known)


def _statuses(settings: Settings) -> Sequence[TargetStatus]:
    """Give how targets of the settings do; of one that nothing was ever sent to, that it is there."""
    names = settings.send.targets
    found: dict[str, TargetStatus] = {}
    if outbox_path(settings).exists():
        with closing(Outbox(outbox_path(settings))) as outbox:
            found = {one.name: one for one in outbox.statuses()}
    unknown = TargetStatus("", 0, 0, None, 0, 0, 0, 0, 0, 0, None, "", None, 0)
    return [found.get(name, replace(unknown, name=name)) for name in names]


def _words(one: TargetStatus) -> str:
    said = [f"{one.delivered:,} delivered", f"{one.waiting:,} waiting"]
    counts = (
        ("of no use there", one.skipped),
        ("quiet", one.quiet),
        ("dropped", one.dropped),
        ("dead letters", one.dead),
    )
    said += [f"{count:,} {name}" for name, count in counts if count]
    if one.last_delivery is not None:
        said.append(f"last {timestamp(one.last_delivery)}")
    if one.problem and one.problem_at is not None:
        said.append(f"problem at {timestamp(one.problem_at)}: {one.problem}")
    if one.resume > time.time_ns() // 1000:
        said.append(f"next try {timestamp(one.resume // MICROSECONDS * MICROSECONDS)}")
    return "; ".join(said)
