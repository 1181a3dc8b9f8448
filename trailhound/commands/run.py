"""`run`, `serve` and `demo`: the long-running commands."""

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import structlog
import typer

from ingest.pipeline import Pipeline
from trailhound.commands import prepare
from trailhound.commands.options import ConfigOption, StateOption, TrailsOption, settings_of
from trailhound.commands.reload import Reload
from trailhound.commands.server import Server, serve_here
from trailhound.demo import SENSORS, Replay, bundled_sample
from trailhound.errors import SettingsError
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
    host: HostOption = None,
    port: PortOption = None,
    sensor: Annotated[
        str | None, typer.Option(help="Name of the sensor that writes the given folders; else this host's.")
    ] = None,
) -> None:
    """Watch folders of logs, match them, keep what is found, serve it.

    Examples:

      trailhound run /opt/zeek/logs

      trailhound run --trails maltrail-trails.csv --sensor dmz /var/log/suricata
    """
    given = [{"path": folder, "sensor": sensor or ""} for folder in folders] if folders else None
    settings = settings_of(
        config, state, logs={"folders": given}, trails={"files": trails}, api={"host": host, "port": port}
    )
    if not settings.logs.folders:
        raise SettingsError("there is no folder to watch: name one (`trailhound run FOLDER`) or set logs.folders")
    run_until_stopped(settings)


def run_until_stopped(settings: Settings) -> None:
    """Do the main job until SIGINT or SIGTERM."""
    prepare.state_directory(settings)
    with prepare.sole_run(settings):
        engine = prepare.engine(settings, prepare.trail_set(settings))
        with closing(prepare.store(settings)) as store:
            pipeline = Pipeline(settings, engine, store)
            reload = Reload(settings, engine, pipeline.take, compiles=True)
            with closing(pipeline), _on_signal(pipeline.stop), Server(settings) as server, _beside(reload.run):
                said = f"Trailhound: console and API on {server.url}, {len(engine.rules.trails):,} trails"
                pipeline.run(ready=lambda: typer.echo(said, err=True))


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
def _on_signal(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at SIGINT and SIGTERM, from a thread.

    A signal handler interrupts the main thread wherever it is; a lock that is held there would then never be given
    back. So all that the handler does is done by the interpreter: one byte into a pipe.
    """
    receiver, sender = os.pipe()
    os.set_blocking(sender, False)

    def listen() -> None:
        with os.fdopen(receiver, "rb", buffering=0) as pipe:
            if pipe.read(1):
                stop()

    threading.Thread(target=listen, name="signals", daemon=True).start()
    signal.set_wakeup_fd(sender, warn_on_full_buffer=False)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: None)
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        os.close(sender)


def serve(
    config: ConfigOption = None, state: StateOption = None, host: HostOption = None, port: PortOption = None
) -> None:
    """Serve console and API of a store that `trailhound run` fills, or has filled.

    Example:

      trailhound serve --port 8339
    """
    settings = settings_of(config, state, api={"host": host, "port": port})
    serve_here(settings, ready=lambda url: typer.echo(f"Trailhound: console and API on {url}", err=True))


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
        settings = settings_of(
            None,
            state or Path(place, "state"),
            logs={"folders": folders},
            trails={"files": trails},
            api={"host": host, "port": port},
        )
        replay = threading.Thread(target=Replay(sample, logs, speed=speed).run, args=(stop,), name="replay")
        replay.start()
        try:
            run_until_stopped(settings)
        finally:
            stop.set()
            replay.join()
