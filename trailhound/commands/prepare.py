"""From settings to working parts: state directory, trail set, whitelist, engine, look-up."""

import fcntl
import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from api.lookup import Explanation, FoundTrail, TrailSetInfo
from feeds import build
from feeds.entry import Refused
from feeds.formats.values import usable_readings
from feeds.hygiene import refusal
from ingest import heartbeat
from matchers import exceptions, whitelist
from matchers.compile import Compiled
from matchers.detectors import DETECTORS
from matchers.engine import Engine
from matchers.explain import explain, meets
from matchers.networks import HomeNetworks
from matchers.observers import OBSERVERS, custom
from matchers.rules import Rules, Verdict
from matchers.standing import Standing
from matchers.trailset import TrailSet, value_of
from stores.contract import Store
from stores.embedded import open_embedded
from trailhound import canonical
from trailhound.canonical import Indicator
from trailhound.commands import desks, suspicions
from trailhound.errors import SettingsError, TrailError, TrailhoundError, TrailSetError
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings
from trailhound.trail import Trail, TrailClass, TrailKind

_log = structlog.get_logger("trails")


def state_directory(settings: Settings) -> Path:
    """Make the state directory when it is missing. Raises `SettingsError` when it cannot be written to."""
    path = settings.state_dir
    try:
        path.mkdir(mode=0o750, parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"{path}: the state directory cannot be written to: {error.strerror};"
            " set state_dir (--state) to one that can"
        ) from error
    return path


@contextmanager
def sole_run(settings: Settings) -> Iterator[None]:
    """Be the only one who reads logs on this state directory; the kernel ends that when we die.

    Raises `SettingsError` when another process does already.
    """
    file = os.open(settings.state_dir / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SettingsError(
                f"{settings.state_dir}: another Trailhound is running on this state directory;"
                " stop it, or give this one its own (--state)"
            ) from error
        yield
    finally:
        os.close(file)


def store(settings: Settings, *, read_only: bool = False) -> Store:
    """Open the store that the settings name."""
    if settings.store.kind == "elasticsearch":
        # Half a second and 11 MB for its client, which those with a file of events do not need.
        from trailhound.commands.clustered import open_clustered  # noqa: PLC0415

        return open_clustered(settings, read_only=read_only)
    return open_embedded(settings.store_path, read_only=read_only)


def trail_set(settings: Settings) -> TrailSet:
    """Open the trail set, after compiling it when the files that it is made of have changed."""
    if not settings.compiles_trails:
        if settings.central.url and not settings.trail_set_path.exists():
            raise TrailSetError(
                f"{settings.trail_set_path}: no trail set has come from {settings.central.url} yet;"
                " get it with `trailhound trails pull`"
            )
        return TrailSet.open(settings.trail_set_path)
    is_damaged = build.is_current(settings)
    if is_damaged:
        try:
            return TrailSet.open(settings.trail_set_path)
        except TrailSetError as error:
            _log.warning("compiling anew what cannot be used", reason=str(error))
    _compile_apart(settings, anew=is_damaged)
    return TrailSet.open(settings.trail_set_path)


def compile_own(settings: Settings) -> tuple[Compiled, list[Refused]]:
    """Compile what the settings name to where they say; give also what was refused."""
    built = build.compile_own(settings)
    assert built is not None  # noqa: S101 - it was to be made anew
    return built.compiled, built.refused


def engine(settings: Settings, trails: TrailSet, previous: Engine | None = None, now: datetime | None = None) -> Engine:
    """Make the engine that the settings describe, to go on from a previous one.

    `now` is the time by which exceptions run out, else that of the clock. Raises `SettingsError` for a custom log that
    is none, `SourceError` for a whitelist and for exceptions.
    """
    for log in settings.logs.custom:
        if log in OBSERVERS:
            raise SettingsError(f"logs.custom.{log}: this log is known already; a log of your own needs another name")
    path = exceptions.path_in(settings.state_dir)
    local = whitelist.local(settings.trails.local_suffixes)
    moment = now or exceptions.utc_now()
    excepted = exceptions.in_force(exceptions.load(path), moment)
    micros = round(moment.timestamp() * MICROSECONDS)
    made = Engine(
        trails,
        whitelist.load(settings.trails.whitelist, (*local, *exceptions.whitelisted(excepted, path))),
        HomeNetworks(settings.networks.home),
        [custom(log, described.columns) for log, described in settings.logs.custom.items()],
        exceptions=exceptions.Exceptions(excepted, path),
        detectors=[DETECTORS[name] for name in settings.logs.take_in],
        standing=Standing(frozenset(settings.trails.ignore_classes), settings.trails.min_confidence),
        occasions=previous.occasions if previous is not None else None,
        own=desks.own_trails(settings, micros, previous.rules.own if previous is not None else None),
    )
    made.use(suspicions.heuristics(settings, made, previous))
    made.onlooker = previous.onlooker if previous is not None else None
    return made


def sensor_name() -> str:
    return socket.gethostname()


def _compile_apart(settings: Settings, *, anew: bool) -> None:
    """Compile in a process of its own, since compiling takes memory that a running process should not keep.

    Without `anew`, what another process has compiled meanwhile is taken as it is.
    """
    context = multiprocessing.get_context("spawn")
    answers, question = context.Pipe(duplex=False)
    process = context.Process(target=_compile_child, args=(settings, anew, question), name="trailhound-compile")
    process.start()
    question.close()
    try:
        answer = answers.recv()
    except EOFError:
        answer = "the process that compiles the trails ended without a word; is there enough memory?"
    process.join()
    if isinstance(answer, str):
        raise TrailSetError(answer)
    if answer is not None:
        _log.info("trails compiled", trails=answer[0], refused=answer[1], path=str(settings.trail_set_path))


def _compile_child(settings: Settings, anew: bool, answer: Any) -> None:
    try:
        built = build.compile_own(settings, anew=anew)
    except TrailhoundError as error:
        answer.send(str(error))
    except OSError as error:
        answer.send(f"{settings.trail_set_path}: the trails cannot be compiled: {error}")
    else:
        answer.send((built.compiled.trails, len(built.refused)) if built else None)


def _unfit(value: str, readings: Sequence[Indicator]) -> Iterator[str]:
    """Say why a list with this value would have it refused: as nothing at all, or in one of its readings."""
    kinds = {reading.kind for reading in readings}
    if kinds <= {TrailKind.USER_AGENT}:  # Which any text could be.
        try:
            usable_readings(value.strip())
        except TrailError as error:
            yield f"{error} (unless the list says kind=user-agent)" if kinds else str(error)
    for kind, text in readings:
        reason = refusal(Trail(kind, text, "", TrailClass.SUSPICIOUS, ("",)))
        if reason is not None:
            yield f"{kind.value} {text}: {reason}"


def _explanation(value: str, readings: Sequence[Indicator], verdicts: Sequence[Verdict]) -> Explanation:
    return Explanation(
        value=value,
        readings=readings,
        matches=[FoundTrail(value_of(verdict.key), verdict.trail, verdict.hidden) for verdict in verdicts],
        whitelisted=next((verdict.hidden for verdict in verdicts if verdict.hidden), None),
        found=any(not verdict.hidden for verdict in verdicts),
    )


@dataclass(slots=True)
class Lookup:
    """Answers for a person or a playbook what the rules say of a value; `rules` may be exchanged at any time."""

    rules: Rules
    clock: Callable[[], int] = heartbeat.now

    def explain(self, values: Sequence[str]) -> Sequence[Explanation]:
        """Explain values as if a record of this moment held them, without what was asked for."""
        rules, now = self.rules, self.clock()
        found = [(value, canonical.readings(value)) for value in values]
        return [_explanation(value, readings, meets(rules, readings, value, time=now)) for value, readings in found]

    def explain_whole(self, values: Sequence[str], source: str | None = None) -> Sequence[Explanation]:
        """Tell all that an explanation can hold; `source` is the canonical source address of the record."""
        return [self._whole(value, source) for value in values]

    def _whole(self, value: str, source: str | None) -> Explanation:
        explained = explain(self.rules, value, source, self.clock())
        brief = _explanation(value, explained.readings, explained.verdicts)
        return replace(brief, looks=explained.looks, unfit=tuple(_unfit(value, explained.readings)))

    def info(self) -> TrailSetInfo:
        about = self.rules.trails.about
        return TrailSetInfo(about.trails, about.by_kind, about.by_class, about.built, about.checksum)
