"""`run`, `serve` and `demo`: the long-running commands."""

import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import structlog
import typer

from ingest.pipeline import Pipeline
from ingest.pulse import Pulse
from matchers.heuristics.status import Telling
from trailhound import log
from trailhound.access import is_loopback
from trailhound.commands import behaving, central, desks, feeds_schedule, prepare, sender, users
from trailhound.commands.options import ConfigOption, StateOption, StoreOption, TrailsOption, read_settings
from trailhound.commands.reload import Reload
from trailhound.commands.remembering import remembering
from trailhound.commands.renew import Renew
from trailhound.commands.server import Server, Told, serve_here
from trailhound.commands.signals import on_hangup, on_signals
from trailhound.demo import SENSORS, Replay, bundled_sample
from trailhound.errors import SettingsError
from trailhound.notify import Notify
from trailhound.settings import Settings

_log = structlog.get_logger("run")
PortOption = Annotated[int | None, typer.Option("--port", "-p", help="Port of the API; stronger than api.port.")]
HostOption = Annotated[str | None, typer.Option("--host", help="Address of the API; stronger than api.host.")]


def run(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FOLDER]...", help="Folders of logs; without any, those of the settings."),
    ] = None,
    config: ConfigOption = None,
    state: StateOption = None,
    trails: TrailsOption = None,
    store: StoreOption = None,
    host: HostOption = None,
    port: PortOption = None,
    sensor: Annotated[
        str | None, typer.Option(help="Name of the sensor that writes the given folders; else this host's.")
    ] = None,
) -> None:
    """Watch folders of logs, match them, keep what is found, serve it.

    Examples:

      trailhound run /opt/zeek/logs

      trailhound run --trails maltrail-trails.csv --store elasticsearch --sensor dmz /var/log/suricata
    """
    given = [{"path": folder, "sensor": sensor or ""} for folder in folders] if folders else None

    def read() -> Settings:
        settings = read_settings(
            config,
            state,
            logs={"folders": given},
            trails={"files": trails},
            store={"kind": store},
            api={"host": host, "port": port},
        )
        if not settings.logs.folders:
            raise SettingsError("there is no folder to watch: name one (`trailhound run FOLDER`) or set logs.folders")
        return settings

    run_until_stopped(read)


def run_until_stopped(read: Callable[[], Settings]) -> None:
    """Do the main job, by settings that are read now and at SIGHUP, until SIGINT or SIGTERM."""
    notify = Notify()
    # Until somebody listens, a wish to read settings again must not end us.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings = read()
    log.configure(settings)
    prepare.state_directory(settings)
    with prepare.sole_run(settings):
        users.first_admin(settings)
        central.first_set(settings)
        engine = prepare.engine(settings, prepare.trail_set(settings))
        with (
            closing(prepare.store(settings)) as store,
            closing(desks.open_desk(settings)) as desk,
            remembering(settings) as gatherer,
            behaving.behaving(settings, engine) as collected,
        ):
            server = Server(settings)
            beat = _Beat(notify, server, Telling(settings.state_dir))
            pipeline = beat.of = Pipeline(settings, engine, store, on_beat=beat)
            pipeline.gatherer, pipeline.collector = gatherer, collected
            reload = Reload(settings, engine, pipeline.take, compiles=True, desk=desk)
            sending = sender.Sender(settings)
            takers = (pipeline.take_settings, reload.take_settings, server.take_settings, sending.take_settings)
            renew = Renew(settings, read, takers)
            signals = on_signals(
                stop=partial(_stop, notify, pipeline),
                renew=partial(_renew, notify, renew),
                stop_seconds=lambda: renew.settings.run.stop_seconds,
            )
            pulling = _beside(partial(central.keep_pulling, settings))
            feeding = _beside(partial(feeds_schedule.keep_updating, settings))
            looking = _beside(partial(behaving.keep_looking, settings, collected, pipeline))
            reloading = _beside(reload.run)
            with closing(pipeline), signals as ended, server, reloading, pulling, feeding, looking, _sent(sending):
                said = f"Trailhound: console and API on {server.url}, {len(engine.rules.trails):,} trails"
                pipeline.run(ready=partial(_ready, notify, said))
                ended.set()


@dataclass(slots=True)
class _Beat:
    """What is told about once a second of the pipeline that `of` is."""

    notify: Notify
    server: Server
    telling: Telling
    of: Pipeline | None = None

    def __call__(self, pulse: Pulse) -> None:
        self.notify.alive(str(pulse))
        self.server.tell(pulse.trouble)
        if self.of is not None:
            self.telling(self.of.engine.heuristics)


def _ready(notify: Notify, said: str) -> None:
    notify.ready()
    typer.echo(said, err=True)


def _stop(notify: Notify, pipeline: Pipeline) -> None:
    notify.stopping()
    pipeline.stop()


def _renew(notify: Notify, renew: Renew) -> None:
    notify.reloading()
    try:
        renew()
    finally:
        notify.ready()


@contextmanager
def _beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do something in a thread of its own meanwhile; `work` gets what tells it to stop."""
    stop = threading.Event()
    # A daemon, since it may be in the middle of a long compilation, which nobody needs to wait for.
    threading.Thread(target=work, args=(stop,), name="reload", daemon=True).start()
    try:
        yield
    finally:
        stop.set()


@contextmanager
def _sent(sending: sender.Sender) -> Iterator[None]:
    """Send out meanwhile."""
    threading.Thread(target=sending.run, name="send", daemon=True).start()
    try:
        yield
    finally:
        sending.end()


def serve(
    config: ConfigOption = None,
    state: StateOption = None,
    store: StoreOption = None,
    host: HostOption = None,
    port: PortOption = None,
) -> None:
    """Serve console and API of a store that `trailhound run` fills, or has filled.

    Example:

      trailhound serve --port 8339
    """
    notify = Notify()
    read = partial(read_settings, config, state, store={"kind": store}, api={"host": host, "port": port})
    settings = read()
    log.configure(settings)
    users.first_admin(settings)
    told = Told()
    sending = sender.Sender(settings)
    renew = Renew(settings, read, (told.go_by, sending.take_settings))
    with on_hangup(partial(_renew, notify, renew)), _sent(sending):
        said = "Trailhound: console and API on"
        serve_here(settings, ready=lambda url: _ready(notify, f"{said} {url}"), told=told)
        notify.stopping()


def demo(
    state: StateOption = None,
    trails: TrailsOption = None,
    host: HostOption = None,
    port: PortOption = None,
    speed: Annotated[float, typer.Option(min=0.1, max=1000, help="How many times faster than life.")] = 1.0,
) -> None:
    """Play the bundled sample as a live, growing folder of logs, and do the main job on it.

    Example:

      trailhound demo --speed 10
    """
    stop = threading.Event()
    with tempfile.TemporaryDirectory(prefix="trailhound-demo-") as place, bundled_sample() as sample:
        logs = Path(place, "logs")
        folders = [{"path": logs / folder, "sensor": name} for name, folder in SENSORS.items()]
        for folder in SENSORS.values():
            (logs / folder).mkdir(parents=True)

        def read() -> Settings:
            def given(access: str | None) -> Settings:
                return read_settings(
                    None,
                    state or Path(place, "state"),
                    logs={"folders": folders},
                    trails={"files": trails},
                    api={"host": host, "port": port, "access": access},
                )

            # What is played is nobody's secret, as long as nobody else can reach it.
            return given("open") if is_loopback(given(None).api.host) else given(None)

        replay = threading.Thread(target=Replay(sample, logs, speed=speed).run, args=(stop,), name="replay")
        replay.start()
        try:
            run_until_stopped(read)
        finally:
            stop.set()
            replay.join()
