"""A real Elasticsearch with data of its own, which can be stopped, killed, hung and started again."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from tests.elasticsearch import distribution

PATIENCE = 120.0  # Seconds; it is up in 10, on a machine that does other things too in 30.
_HEAP = "768m"
_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30
_SETTINGS = """\
cluster.name: trailhound-tests
node.name: test
network.host: 127.0.0.1
http.port: {port}
discovery.type: single-node
xpack.security.enabled: false
cluster.routing.allocation.disk.threshold_enabled: false
cluster.max_shards_per_node: 5000
path.data: {data}
path.logs: {folder}/logs
"""
# Files that nobody reads.
_UNWANTED_OPTIONS = ("-Xlog:gc", "-XX:+HeapDumpOnOutOfMemoryError")


class ElasticsearchServer:
    """One node, on a port that stays its own over restarts; its folder goes with `close`."""

    def __init__(
        self, version: str = distribution.VERSION, port: int | None = None, *, in_memory: bool = False
    ) -> None:
        """Prepare one; with `in_memory` its data lies there if there is room, which takes half the time of a disk."""
        self._home, self._java = distribution.find(version)
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._user = "nobody" if os.geteuid() == 0 else None  # It refuses to run as root.
        # Not pytest's folder: that is closed to other users.
        self.folder = Path(tempfile.mkdtemp(prefix="trailhound-elasticsearch-"))
        self._data = _data_folder(self.folder, in_memory=in_memory)
        self._log = self.folder / "output.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._configure()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it has its shards; nothing happens when it runs already."""
        if self.running:
            return
        # It ends with us, however we end; to be precise with this thread, so start it in one that stays.
        command = ["setpriv", "--pdeathsig", "TERM", str(self._home / "bin" / "elasticsearch")]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=self._environment(),
                user=self._user,
                group=_group(self._user),
                extra_groups=None if self._user is None else [],
                start_new_session=True,
            )
        self.wait()

    def wait(self, patience: float = PATIENCE) -> None:
        """Wait until it is healthy; the error holds the last lines that it said."""
        deadline = time.monotonic() + patience
        while not self.healthy():
            if not self.running or time.monotonic() > deadline:
                how = "is not healthy" if self.running else "ended"
                raise AssertionError(f"Elasticsearch on port {self.port} {how}; it said:\n{self.said()}")
            time.sleep(0.1)

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def said(self, lines: int = 30) -> str:
        """Give the last lines of its log."""
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-lines:])

    def stop(self) -> None:
        """End it as a service manager does, and wait for it."""
        if self._process is None:
            return
        self.resume()
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
        self._until_gone()

    def kill(self) -> None:
        """End it as a power cut does (SIGKILL)."""
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        self._process.wait(PATIENCE)
        self._until_gone()

    def pause(self) -> None:
        """Let it hang: it accepts connections, and answers nothing (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it and remove its data."""
        self.kill()
        for folder in (self.folder, self._data):
            shutil.rmtree(folder, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        """Signal the launcher and the server that it started: they are one group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _until_gone(self) -> None:
        """Wait for the whole group: the server may outlive its launcher, and it holds the port and the data."""
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if not _alive(self._process.pid):
                return
            time.sleep(0.05)
        raise AssertionError(f"Elasticsearch on port {self.port} did not end; it said:\n{self.said()}")

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "ES_JAVA_HOME": str(self._java),
            "ES_JAVA_OPTS": f"-Xms{_HEAP} -Xmx{_HEAP}",
            "ES_PATH_CONF": str(self.folder / "config"),
            "ES_TMPDIR": str(self.folder / "scratch"),
        }

    def _configure(self) -> None:
        config = self.folder / "config"
        shutil.copytree(self._home / "config", config)
        settings = _SETTINGS.format(port=self.port, folder=self.folder, data=self._data)
        (config / "elasticsearch.yml").write_text(settings, "utf-8")
        options = config / "jvm.options"
        lines = options.read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(_UNWANTED_OPTIONS)]
        options.write_text("".join(kept), "utf-8")
        for name in ("logs", "scratch"):
            (self.folder / name).mkdir()
        if self._user is not None:
            for path in (self._data, self.folder, *self.folder.rglob("*")):
                shutil.chown(path, self._user, _group(self._user))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _data_folder(folder: Path, *, in_memory: bool) -> Path:
    if in_memory and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        return Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=_MEMORY))
    data = folder / "data"
    data.mkdir()
    return data


def _group(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid


def _alive(group: int) -> bool:
    """Tell whether a process of the group runs; one that is dead but not reaped, as without an init, does not."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = path.read_text("ascii", "replace").rpartition(")")[2].split()[:3]
        except OSError:
            continue  # It ended while we looked.
        if int(its_group) == group and state not in "ZX":
            return True
    return False
