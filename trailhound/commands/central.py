"""The trail set that comes from a central Trailhound: `trails pull`, and what `run` does beside its work."""

import json
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from feeds.line import Passing
from feeds.pull import Central, pull
from feeds.secret import find_secret
from matchers.trailset import TrailSet
from trailhound.commands import prepare
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.reload import refuse_worse
from trailhound.errors import SettingsError, TrailhoundError, TrailSetError
from trailhound.settings import Settings

_log = structlog.get_logger("central")
# A central that is making a set, or starting, has it soon.
_PATIENCE_SECONDS = 300.0
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


def pull_set(settings: Settings, *, force: bool = False) -> bool:
    """Take the set of the central when there is a new one; tell whether there was.

    Raises `FetchError` when it does not come, `TrailSetError` when it is not a set or worse than ours, unless `force`
    says that this is meant. The set that is there stays then.
    """
    if not settings.central.url:
        raise SettingsError("central.url: the address of a central Trailhound was expected")
    wanted, target = settings.central, settings.trail_set_path
    if settings.trails.set is not None:
        raise SettingsError("trails.set and central.url: one of them was expected, since each says which set to use")
    key = find_secret(wanted.key, settings.state_dir / "secrets")
    old = _ours(target)

    def accept(path: Path) -> None:
        try:
            new = TrailSet.open(path)
            if not force:
                refuse_worse(new, old, settings.trails.min_ratio)
        except TrailSetError as error:
            words = str(error).replace(str(path), wanted.url)
            raise TrailSetError(
                f"{words}; the set that is here stays in force (`trailhound trails pull --force` takes"
                " one that is only smaller or odd)"
            ) from error

    central = Central(wanted.url, key, wanted.ca_file, wanted.max_bytes)
    return pull(central, target, old.about.checksum if old is not None else "", accept)


def _ours(path: Path) -> TrailSet | None:
    try:
        return TrailSet.open(path)
    except TrailSetError:
        return None  # Whatever comes is better.


def pull_patiently(settings: Settings, *, force: bool = False, pause: Callable[[float], object] = time.sleep) -> bool:
    """Do as `pull_set`, and wait for a central that has the set soon."""
    waited, next_pause = 0.0, _FIRST_PAUSE
    while True:
        try:
            return pull_set(settings, force=force)
        except Passing as error:
            wait = min(error.after or next_pause, _LONGEST_PAUSE)
            next_pause *= 1 if error.after else 2
            waited += wait
            if waited > _PATIENCE_SECONDS:
                raise
            _log.info("waiting for the trail set", reason=str(error), seconds=wait)
            pause(wait)


def first_set(settings: Settings) -> None:
    """Get a set before the first match, unless there is one of before. Raises `TrailhoundError`."""
    if settings.central.url and not settings.trail_set_path.exists():
        pull_patiently(settings)


def keep_pulling(settings: Settings, stop: threading.Event) -> None:
    """Ask for a new set again and again, until stopped; running processes take it up by themselves."""
    if not settings.central.url:
        return
    pause = 0.0
    while not stop.wait(pause):
        # Spread, so that all sensors do not come in the same second.
        pause = settings.central.minutes * 60 * random.uniform(0.9, 1.1)  # noqa: S311
        try:
            if pull_set(settings):
                _log.info("a new trail set came", url=settings.central.url)
        except Passing as error:
            pause = min(pause, max(error.after, _LONGEST_PAUSE))
            _log.warning("no trail set came", reason=str(error))
        except (TrailhoundError, OSError) as error:
            _log.error("no trail set came; the one in force stays in force", reason=str(error))


def pull_command(
    config: ConfigOption = None,
    state: StateOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take also a set that has lost most of its trails, or holds odd ones.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Take the trail set of the central Trailhound (central.url) when it has a new one.

    Exit status: 0 when the newest is here, 2 trouble; then the set that was here stays.

    Examples:

      trailhound trails pull

      CENTRAL_KEY=... trailhound trails pull --config /etc/trailhound.toml --json
    """
    settings = settings_of(config, state)
    prepare.state_directory(settings)
    with Console(stderr=True).status("Fetching the trail set"):
        is_new = pull_patiently(settings, force=force)
    trails = TrailSet.open(settings.trail_set_path)
    if as_json:
        said = {"path": str(trails.path), "new": is_new, "trails": len(trails), "checksum": trails.about.checksum}
        typer.echo(json.dumps(said))
    else:
        typer.echo(f"{'new' if is_new else 'nothing new'}: {len(trails):,} trails in {trails.path}")
