"""`doctor`: what is wrong with this installation, in words, and how to mend it."""

import json
import shutil
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import typer
import zstandard

from ingest.formats import HEAD, detect, open_log
from ingest.watch import is_followed
from matchers import whitelist
from matchers.detectors import DETECTORS
from matchers.trailset import TrailSet
from stores.contract import Query
from trailhound.commands import feeds_work, prepare
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.errors import StoreUnavailable, TrailhoundError
from trailhound.settings import Settings, default_file
from trailhound.watching import Folder

OLD_TRAILS = 7 * 86_400  # Seconds.
LITTLE_SPACE = 500_000_000  # Bytes.
FEW_WATCHES = 8192
_LOOK_AT = 200  # Files of a folder.


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `advice` says what to do when it is not well."""

    what: str
    well: bool
    said: str
    advice: str = ""


def _well(what: str, said: str) -> Finding:
    return Finding(what, well=True, said=said)


def _ill(what: str, said: str, advice: str) -> Finding:
    return Finding(what, well=False, said=said, advice=advice)


def doctor(config: ConfigOption = None, state: StateOption = None, as_json: JsonOption = False) -> None:
    """Look at this installation: what is wrong, and how to mend it. Exit status: 0 all well, 1 not.

    Example:

      trailhound doctor --config /etc/trailhound.toml
    """
    findings = list(examine(config, state))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            typer.echo(visible(f"{'ok  ' if finding.well else 'BAD '} {finding.what}: {finding.said}"))
            if not finding.well:
                typer.echo(visible(f"       -> {finding.advice}"))
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def examine(config: Path | None, state: Path | None) -> Iterator[Finding]:
    """Look at everything; without readable settings there is nothing more to look at."""
    try:
        settings = settings_of(config, state)
    except TrailhoundError as error:
        yield _ill("settings", str(error), "correct that key; `trailhound config docs` lists all keys")
        return
    path = config or default_file()
    yield _well("settings", str(path) if path.exists() else f"defaults ({path} is not there)")
    for look in (_state, _trails, _feeds, _whitelists, _taken_in, _store, _watches, _port):
        yield look(settings)
    yield from _folders(settings)


def _state(settings: Settings) -> Finding:
    what = "state directory"
    try:
        path = prepare.state_directory(settings)
    except TrailhoundError as error:
        return _ill(what, str(error), "give its owner the right to write, or set state_dir to another folder")
    free = shutil.disk_usage(path).free
    return Finding(
        what,
        free > LITTLE_SPACE,
        f"{path}, {free / 1e9:.1f} GB free",
        "make room on this disk: when it is full, reading waits and nothing new is detected",
    )


def _trails(settings: Settings) -> Finding:
    what = "trails"
    if settings.compiles_trails and not settings.trail_set_path.exists():
        made_of = len(settings.trails.files) + len(settings.trails.custom) + settings.trails.starter
        return Finding(
            what, bool(made_of), "not compiled yet; the first run does it", "set trails.files or trails.starter"
        )
    try:
        trails = TrailSet.open(settings.trail_set_path)
    except TrailhoundError as error:
        return _ill(what, str(error), f"run `trailhound trails {'pull' if settings.central.url else 'compile'}`")
    age = int(time.time()) - (trails.about.built or 0)
    old = bool(settings.trails.files) and age > OLD_TRAILS
    return Finding(
        what,
        not old and len(trails) > 0,
        f"{len(trails):,} trails, compiled {age // 86_400} days ago",
        "fetch newer trail files: what they name changes every day",
    )


def _feeds(settings: Settings) -> Finding:
    what = "feeds"
    try:
        found = [one for one in feeds_work.statuses(settings) if one.enabled and one.tried]
    except TrailhoundError as error:
        return _ill(what, str(error), "correct that file; docs/feeds.md says what may stand in it")
    if not found:
        return _well(what, "none was ever fetched; `trailhound feeds update` does it")
    stale = [one.feed.name for one in found if one.stale(int(time.time()))]
    said = f"{len(found)} are on, {sum(bool(one.error) for one in found)} kept an old copy"
    return Finding(
        what,
        not stale,
        f"{said}, too old: {', '.join(stale)}" if stale else said,
        "`trailhound feeds list` tells why; switch off what is gone for good with `trailhound feeds disable`",
    )


def _whitelists(settings: Settings) -> Finding:
    try:
        entries = whitelist.load(settings.trails.whitelist, whitelist.local(settings.trails.local_suffixes))
    except TrailhoundError as error:
        return _ill("whitelist", str(error), "correct that line, or take the file out of trails.whitelist")
    return _well("whitelist", f"{len(entries):,} entries")


def _taken_in(settings: Settings) -> Finding:
    """See that the logs whose records are to be events of their own are followed."""
    what = "logs taken in"
    wanted = settings.logs.take_in
    left_alone = [
        name
        for name in wanted
        if settings.logs.folders
        and not any(is_followed(DETECTORS[name].file, folder) for folder in settings.logs.folders)
    ]
    if left_alone:
        files = ", ".join(DETECTORS[name].file for name in left_alone)
        return _ill(
            what,
            f"{', '.join(left_alone)}: no folder follows a file such as {files}",
            "let logs.folders include such files, or take the name out of logs.take_in",
        )
    return _well(what, ", ".join(wanted) or "none (logs.take_in)")


def _store(settings: Settings) -> Finding:
    if settings.store.kind == "elasticsearch":
        where = f"Elasticsearch, namespace {settings.store.elasticsearch.namespace}"
        remedy = "`trailhound es check` says what is wrong"
        return _opened(settings, where, unavailable=remedy, damaged=remedy)
    path = settings.store_path
    if not path.exists():
        return _well("store", f"{path} is not there yet; the first run makes it")
    return _opened(
        settings,
        str(path),
        unavailable="see that this user may read the file and its folder",
        damaged="restore the file from a backup, or move it away to begin a new one",
    )


def _opened(settings: Settings, where: str, *, unavailable: str, damaged: str) -> Finding:
    """See that the store can be read; what to do when it is not there to be read, or not sound."""
    try:
        with closing(prepare.store(settings, read_only=True)) as store:
            summary = store.summary(Query())
    except StoreUnavailable as error:
        return _ill("store", str(error), unavailable)
    except TrailhoundError as error:
        return _ill("store", str(error), damaged)
    return _well("store", f"{where}: {summary.events:,} events, {summary.threats:,} threats")


def _watches(settings: Settings) -> Finding:
    what = "notices of changed files"
    if settings.logs.polling:
        return _well(what, f"not used (logs.polling); looking every {settings.logs.poll_seconds} s")
    try:
        limit = int(Path("/proc/sys/fs/inotify/max_user_watches").read_text("ascii"))
    except (OSError, ValueError):
        return _well(what, f"unknown on this system; looking every {settings.logs.poll_seconds} s in any case")
    return Finding(
        what, limit >= FEW_WATCHES, f"up to {limit:,} folders", "raise it: sysctl fs.inotify.max_user_watches=524288"
    )


def _port(settings: Settings) -> Finding:
    where = f"{settings.api.host}:{settings.api.port}"
    family = socket.AF_INET6 if ":" in settings.api.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.api.host, settings.api.port))
        except OSError as error:
            is_ours = _is_ours(settings)
            return Finding(
                "port",
                is_ours,
                f"{where} is in use, by Trailhound" if is_ours else f"{where} is in use ({error.strerror})",
                "stop what uses it (`ss -ltnp`), or set api.port to another",
            )
    return _well("port", f"{where} is free")


def _is_ours(settings: Settings) -> bool:
    try:
        with socket.create_connection((settings.api.host, settings.api.port), timeout=2) as peer:
            peer.sendall(b"GET /ping HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return peer.makefile("rb").read(4096).rstrip().endswith(b"pong")
    except OSError:
        return False


def _folders(settings: Settings) -> Iterator[Finding]:
    if not settings.logs.folders:
        yield _well("folders", "none set (logs.folders); they are named on the command line")
    for folder in settings.logs.folders:
        yield _folder(folder)


def _folder(folder: Folder) -> Finding:
    what = f"folder {folder.path}"
    if not folder.path.is_dir():
        return _ill(what, "is not there", "set logs.folders to where Zeek or Suricata writes")
    files = [file for file in folder.path.rglob("*") if file.is_file() and is_followed(file.name, folder)][:_LOOK_AT]
    formats: dict[str, int] = {}
    refused = 0
    for file in files:
        try:
            with open_log(file) as stream:
                format_ = detect(stream.read(HEAD))
        except (TrailhoundError, OSError, EOFError, zlib.error, zstandard.ZstdError):
            refused += 1
        else:
            formats[format_ or "not recognised"] = formats.get(format_ or "not recognised", 0) + 1
    said = ", ".join(f"{count} {name}" for name, count in sorted(formats.items())) or "no log yet"
    if refused:
        return _ill(
            what, f"{said}, {refused} cannot be read", "see that the files are whole, and add this user to their group"
        )
    return _well(what, said)
