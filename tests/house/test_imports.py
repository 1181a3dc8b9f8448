"""Nothing happens at import: no file is opened, no socket, no process started, no environment read by our own code."""

import subprocess
import sys
import textwrap
from pathlib import Path

from tests.house.tree import PACKAGES, ROOT, module_of, python_files

# Runs in a process of its own. What counts is who asks: the first frame outwards that is ours, unless the import
# machinery stands between, which then does what it has to, or runs a module of somebody else. Libraries may look into
# files and the environment on our behalf, as pydantic does to make a model; nobody may go out to the world.
WATCH = textwrap.dedent(
    """
    import importlib, os, sys, threading

    root, *modules = sys.argv[1:]
    LOCAL = ("open", "os.", "shutil.", "tempfile.", "environment")
    WORLD = ("socket.", "sqlite3.", "subprocess.")
    seen = []

    def asked_by(event):
        frame = sys._getframe(2)
        while frame is not None:
            file = frame.f_code.co_filename
            if file.startswith("<frozen importlib"):
                return None
            if "site-packages" in file:
                if event.startswith(LOCAL):
                    return None
            elif file.startswith(root + os.sep):
                return f"{file}:{frame.f_lineno}"
            frame = frame.f_back
        return None

    def watch(event, arguments):
        if event.startswith((*LOCAL, *WORLD)):
            place = asked_by(event)
            if place:
                seen.append(f"{place} {event} {arguments!r}")

    environment = type(os.environ)
    get = environment.__getitem__

    def read(self, name):
        place = asked_by("environment")
        if place:
            seen.append(f"{place} environment {name}")
        return get(self, name)

    environment.__getitem__ = read
    sys.addaudithook(watch)
    for module in modules:
        importlib.import_module(module)
    if threading.active_count() > 1:
        seen.append("a thread was started")
    print("\\n".join(seen))
    """
)


def what_happens(root: Path, modules: list[str]) -> list[str]:
    command = [sys.executable, "-c", WATCH, str(root), *modules]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


def test_nothing_happens_at_import() -> None:
    modules = [module_of(name) for name in python_files(*PACKAGES)]
    assert what_happens(ROOT, [module for module in modules if not module.endswith("__main__")]) == []


def test_what_happens_at_import_is_seen(tmp_path: Path) -> None:
    lines = ("import os, socket", "home = os.environ.get('HOME')", "open(__file__).close()", "socket.socket().close()")
    (tmp_path / "reads.py").write_text("\n".join(lines))
    seen = what_happens(tmp_path, ["reads"])
    assert any("reads.py:2 environment HOME" in line for line in seen)
    assert any("reads.py:3 open" in line for line in seen)
    assert any("reads.py:4 socket." in line for line in seen)
